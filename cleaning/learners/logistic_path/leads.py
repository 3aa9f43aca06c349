"""How far the true class of each test row is ahead of the other classes."""

from dataclasses import dataclass

import numpy as np

from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.learners.logistic_path.axes import Axes
from cleaning.learners.logistic_path.geometry import chunks
from cleaning.learners.logistic_path.path import TIE

# The share of the rows that is looked at again after the first look.
_WATCHED = 0.05
# Float32 sums of d products are off by at most about d of these, relative to the product of the lengths.
_FLOAT32 = float(np.finfo(np.float32).eps)


@dataclass(frozen=True, eq=False)
class Look:
    """A first look at all rows, from weights (size + 1, outputs) in principal axes.

    watched: the rows whose lead is at most `limit` in size. right: how many of the others are predicted right. nearest:
    the smallest lead of a row, divided by its reach.
    """

    weights: FloatMatrix
    watched: IntVector
    limit: float
    right: int
    nearest: float


class Leads:
    """Test rows (m, size) in the columns of the geometry, with their classes (m,) from 0.

    The lead of a row is the margin of its class less the largest of the others: it is predicted right if this is
    positive, and wrong if it is negative.
    """

    def __init__(self, axes: Axes, rows: FloatMatrix, classes: IntVector) -> None:
        self._axes, self.rows, self.classes = axes, rows, classes
        self._turned = axes.turned(rows)
        self._longest = float(np.sqrt(np.square(self._turned).sum(axis=1, dtype=np.float64).max(initial=0.0)))

    def look(self, weights: FloatMatrix, reach: FloatVector) -> list[Look]:
        """A look from the weights of each state, (size + 1, outputs, states) in principal axes."""
        leads = np.empty((len(self.rows), weights.shape[2]), np.float32)
        flat = np.ascontiguousarray(weights).reshape(len(weights), -1)
        for rows in chunks(len(leads), flat.shape[1]):
            margins = (self._turned[rows] @ flat).reshape(-1, *weights.shape[1:])
            leads[rows] = _leads(margins, self.classes[rows])
        watched = min(len(leads) - 1, int(_WATCHED * len(leads)))
        far = np.abs(leads)
        limits = np.partition(far, watched, axis=0)[watched]
        nearest = (far / reach[:, None]).min(axis=0)
        return [
            Look(
                weights[:, :, state].copy(),
                np.flatnonzero(far[:, state] <= limits[state]),
                float(limits[state]),
                int(np.count_nonzero(leads[:, state] > limits[state])),
                float(nearest[state]),
            )
            for state in range(weights.shape[2])
        ]

    def holds(self, look: Look, weights: FloatMatrix, room: float) -> bool:
        """Whether rows not watched keep their sign at other weights, and in a distance `room` of their leads there."""
        moved = np.sqrt(2 * np.square(weights - look.weights).sum(axis=0).sum())
        length = 2 * np.sqrt(np.square(look.weights).sum(axis=0).max())
        rounding = (len(weights) + 4) * _FLOAT32 * length
        return bool(look.limit > room + self._longest * (1 + _FLOAT32) * (moved + rounding))

    def leads(self, weights: FloatMatrix, rows: IntVector) -> FloatVector:
        """The leads of some rows at weights (size + 1, outputs) in the columns of the geometry, in float64."""
        lead = _leads(self._margins(weights, rows)[:, :, None], self.classes[rows])
        return np.asarray(lead[:, 0], dtype=np.float64)

    def right(self, weights: FloatMatrix, rows: IntVector) -> int:
        """How many of some rows are predicted right at such weights, with ties."""
        predicted = predictions(self._margins(weights, rows)[:, :, None])[:, 0]
        return int(np.count_nonzero(predicted == self.classes[rows]))

    def _margins(self, weights: FloatMatrix, rows: IntVector) -> FloatMatrix:
        return np.asarray(self.rows[rows].astype(np.float64, copy=False) @ weights[:-1] + weights[-1])


def predictions(margins: FloatMatrix) -> IntVector:
    """The predicted classes (rows, states) for margins (rows, outputs, states); see TIE."""
    if margins.shape[1] == 1:
        return np.asarray(margins[:, 0] > 0.5 * TIE, dtype=np.int64)
    return np.asarray((margins >= margins.max(axis=1, keepdims=True) - TIE).argmax(axis=1))


def _leads(margins: FloatMatrix, classes: IntVector) -> FloatMatrix:
    """(rows, states) of (rows, outputs, states), which is overwritten."""
    place = np.arange(len(margins))
    own = margins[place, classes].copy()
    margins[place, classes] = -np.inf
    return np.asarray(own - margins.max(axis=1))
