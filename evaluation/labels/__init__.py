"""People's own labels: which to look at first."""
