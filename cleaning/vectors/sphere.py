"""Rows as points of a sphere, where neither their directions nor their lengths are lost."""

import numpy as np

from cleaning.data import FloatMatrix
from cleaning.vectors.neighbours import unit_rows


def radius_of(rows: FloatMatrix) -> float:
    """The median length of the rows (m, d) that have one; 0 if none has."""
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    some = length[length > 0]
    return float(np.median(some)) if len(some) else 0.0


def on_sphere(rows: FloatMatrix, radius: float) -> FloatMatrix:
    """The rows (m, d) with the radius as one more column, scaled to length 1: (m, d + 1), float32 or float64.

    Without that column, rows of one direction would be the same, such as 1 and 2 in a single column. Where all rows are
    about as long as the radius, as embeddings often are, what the rows are to each other hardly changes.
    """
    kind = np.float32 if rows.dtype == np.float32 else np.float64
    return unit_rows(np.hstack([rows, np.full((len(rows), 1), radius, dtype=kind)]))
