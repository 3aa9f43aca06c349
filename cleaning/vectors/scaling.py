"""Feature scaling by what the training rows say, the same for training and test rows."""

from typing import Literal

import numpy as np

from cleaning.data import FloatMatrix, FloatVector
from cleaning.vectors.neighbours import unit_rows

Scaling = Literal["none", "standard", "unit"]
"""As they are; each column to mean 0 and deviation 1 on the training rows; each row to length 1."""

_ROWS = 4096


def scaled(train: FloatMatrix, test: FloatMatrix, scaling: Scaling) -> tuple[FloatMatrix, FloatMatrix]:
    """Both feature matrices on the scale the training rows define, in their own type; a constant column stays."""
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
    for start in range(0, len(features), _ROWS):
        result[start : start + _ROWS] = (features[start : start + _ROWS] - mean) / deviation
    return result
