"""Cleaning in rounds: one side holds the truth, the other runs the rankers, each in a process of its own."""
