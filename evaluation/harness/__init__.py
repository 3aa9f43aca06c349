"""The benchmark itself: make the baselines, score the submissions, keep the results."""
