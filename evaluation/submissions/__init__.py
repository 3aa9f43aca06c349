"""Submission files: rankings, answers, ranked lists and blends."""
