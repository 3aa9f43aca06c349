"""Beliefs about very many rows: they stay in their file, and every pass over them is a sum over blocks."""
