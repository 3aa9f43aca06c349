"""Rows of about the same length, which still tell which were longer."""

import numpy as np

from cleaning.data import FloatMatrix

_BLOCK_ROWS = 4096


def radius_of(rows: FloatMatrix) -> float:
    """The median length of the rows (m, d) that have one; 0 if none has."""
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    some = length[length > 0]
    return float(np.median(some)) if len(some) else 0.0


def soft_unit_rows(rows: FloatMatrix, radius: float) -> FloatMatrix:
    """The rows (m, d) times 2 / √(length² + 3 · radius²), in float64 (float32 stays float32).

    Rows as long as the radius get length 1, as most embeddings do; none gets 2. With unit rows, those of one direction
    would be the same, such as 1 and 2 in a single column.
    """
    found = np.empty(rows.shape, np.float32 if rows.dtype == np.float32 else np.float64)
    for start in range(0, len(rows), _BLOCK_ROWS):
        part = rows[start : start + _BLOCK_ROWS].astype(found.dtype, copy=False)
        reach = np.sqrt((np.einsum("ij,ij->i", part, part, dtype=np.float64) + 3 * radius**2) / 4)
        scale = np.where(reach > 0, reach, 1).astype(found.dtype)[:, None]
        np.divide(part, scale, out=found[start : start + _BLOCK_ROWS])
    return found


def centred_alike(known: FloatMatrix, others: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix]:
    """Both minus the mean of the known rows, and of about length 1 by the radius of the known rows."""
    middle = known.mean(axis=0, dtype=np.float64).astype(known.dtype)
    known, others = known - middle, others - middle
    radius = radius_of(known)
    return soft_unit_rows(known, radius), soft_unit_rows(others, radius)
