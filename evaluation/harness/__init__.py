"""The benchmark's engine room: make the baselines, score the submissions, keep the results."""
