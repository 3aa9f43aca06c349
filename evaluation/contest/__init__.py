"""Contests: the submission log, admission, public and private splits, boards and standings."""
