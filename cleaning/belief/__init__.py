"""Belief about labels: which are wrong, what they should be, and in which order fixing them is of most use."""
