"""Data sets: their sources, their file layout, and the digits that ship with scikit-learn."""
