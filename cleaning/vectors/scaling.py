"""Feature scaling that is fitted on the training rows and applied to training and test rows."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, FloatVector
from cleaning.vectors.neighbours import unit_rows

Scaling = Literal["none", "standard", "unit"]
"""none: unchanged; standard: each column to mean 0 and deviation 1 on the training rows; unit: each row to length 1."""

_BLOCK_ROWS = 4096
# A column is far from 0 if its mean is more than so many deviations, and constant if they are less than that share.
_FAR, _CONSTANT = 1e4, 1e-12


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


def is_far(values: NDArray[np.float64]) -> Any:
    """Whether the values of each column (n, ...) are so far from 0 and so close together that float32 blurs them."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.abs(values.mean(axis=0)) > _FAR * values.std(axis=0)


def stride(count: int) -> int:
    """The distance between the rows that `centre_of` looks at among so many: 4,096 to 8,191 of them if there are."""
    return max(1, count // _BLOCK_ROWS)


def centre_of(matrix: NDArray[Any]) -> FloatVector | None:
    """What to take off each column (d,) of numbers so that float32 tells its values apart; None if it does anyway.

    It is the mean of a column whose values are far from 0 and close together, such as times in seconds, and 0 of all
    others. Of many rows, some are looked at.
    """
    if matrix.dtype.kind not in "fiu" or matrix.dtype.itemsize < 4 or matrix.dtype == np.float32 or not len(matrix):
        return None
    rows = np.asarray(matrix[:: stride(len(matrix))], dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, deviation = rows.mean(axis=0), rows.std(axis=0)
        far = is_far(rows) & (deviation > _CONSTANT * np.abs(mean))
    return np.asarray(np.where(far, mean, 0.0), dtype=np.float64) if far.any() else None


def _standard(features: FloatMatrix, mean: FloatVector, deviation: FloatVector) -> FloatMatrix:
    result = np.empty_like(features)
    for start in range(0, len(features), _BLOCK_ROWS):
        result[start : start + _BLOCK_ROWS] = (features[start : start + _BLOCK_ROWS] - mean) / deviation
    return result
