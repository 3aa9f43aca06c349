"""Outliers: rows that are far from all others."""

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix
from cleaning.vectors.neighbours import nearest

# The distance to this neighbour is compared, so that a few outliers that are near each other are still found.
_NEIGHBOUR = 5
# Distances are computed to up to so many rows.
_REFERENCES = 5000
_BLOCK = 4096
# The limit for a modified z-score (Iglewicz and Hoaglin 1993), and what makes a median deviation a standard deviation.
_LIMIT, _NORMAL = 3.5, 1.4826


def far_rows(features: FloatMatrix) -> NDArray[np.bool_]:
    """Which of the (n, d) rows are outliers, (n,).

    The logarithm of the distance to the fifth-nearest row is more than 3.5 deviations above its median; the deviation
    is that of the rows above the median. On the study's data sets this flags at most one row in sixty, mostly none.
    """
    n = len(features)
    if n <= 2 * _NEIGHBOUR:
        return np.zeros(n, dtype=bool)
    middle, rows = features.mean(axis=0, dtype=np.float64), np.empty_like(features)
    for start in range(0, n, _BLOCK):
        rows[start : start + _BLOCK] = features[start : start + _BLOCK] - middle
    chosen = np.unique(np.linspace(0, n - 1, min(n, _REFERENCES)).round().astype(np.int64))
    distance, index = nearest(rows, rows[chosen], _NEIGHBOUR + 1)
    distance[chosen[index] == np.arange(n)[:, None]] = -1.0
    logs = np.log(np.sort(distance, axis=1)[:, _NEIGHBOUR] + 1e-300) / 2
    above = logs - np.median(logs)
    deviation = _NORMAL * np.median(above[above > 0]) if (above > 0).any() else 0.0
    return np.asarray(above > _LIMIT * max(deviation, 1e-12), dtype=bool)
