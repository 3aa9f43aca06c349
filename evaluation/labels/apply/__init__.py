"""Writes corrected data in the form in which it came."""
