"""Users' own labels: which to inspect first."""
