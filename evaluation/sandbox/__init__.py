"""The sandbox: runs somebody else's program with limits and without a way out, and takes one answer from it.

Knows nothing of tasks, truths and contests.
"""
