"""Beliefs about labels: which are wrong, what they should be, and which fixes help most."""
