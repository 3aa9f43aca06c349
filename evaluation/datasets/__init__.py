"""Data sets: where they come from, how their files lie, and the digits that come inside scikit-learn."""
