"""Feature scaling that is fitted on the training rows and applied to training and test rows."""

from typing import Literal

import numpy as np

from cleaning.data import FloatMatrix, FloatVector
from cleaning.vectors.neighbours import unit_rows

Scaling = Literal["none", "standard", "unit"]
"""none: unchanged; standard: each column to mean 0 and deviation 1 on the training rows; unit: each row to length 1."""

_BLOCK_ROWS = 4096


def scaled(train: FloatMatrix, test: FloatMatrix, scaling: Scaling) -> tuple[FloatMatrix, FloatMatrix]:
    """Both feature matrices, scaled by the training rows, in their own dtype. A constant column is only centred."""
    if scaling == "standard":
        mean = train.mean(axis=0, dtype=np.float64)
        deviation = train.std(axis=0, dtype=np.float64)
        deviation[deviation <= 1e-12 * np.abs(mean)] = 1.0
        deviation[deviation == 0] = 1.0
        return _standard(train, mean, deviation), _standard(test, mean, deviation)
    if scaling == "unit":
        return unit_rows(train), unit_rows(test)
    return train, test


def _standard(features: FloatMatrix, mean: FloatVector, deviation: FloatVector) -> FloatMatrix:
    result = np.empty_like(features)
    for start in range(0, len(features), _BLOCK_ROWS):
        result[start : start + _BLOCK_ROWS] = (features[start : start + _BLOCK_ROWS] - mean) / deviation
    return result
