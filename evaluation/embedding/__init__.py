"""Turning images into vectors, reading tables of vectors, and searching in them."""
