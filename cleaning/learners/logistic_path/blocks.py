"""A metric for many classes where the penalty is weak: for each class, the Hessian of its own weights on all axes.

With a weak penalty, the axes that `leading` takes one by one are far from independent, since rows differ in their
weights p(1 − p). Here every class keeps all of Xᵀ diag(pₖ(1 − pₖ)) X + I / C; the coupling of classes is left to the
projection of the step to sum 0 over them.

A row whose label changes can have a weight many times that of the reference, which slows the iteration down more than
anything else. So each state has the weights that these rows have in it, by the formula of Sherman and Morrison, one row
at a time: from D⁻¹ it takes Σᵢ cᵢ D⁻¹xᵢxᵢᵀD⁻¹, where cᵢ = δᵢ / (1 + δᵢxᵢᵀD⁻¹xᵢ) for a single row whose weight changes
by δᵢ. With cᵢ = δᵢ / (1 + min(δᵢ, 0) xᵢᵀD⁻¹xᵢ + Σⱼ |xᵢᵀD⁻¹xⱼ| max(δⱼ, 0)), the metric is positive definite for any
number of rows: scaled by the √δ, this is diagonal dominance. Rows with δᵢ < 0 only add to it.
"""

import numpy as np

from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.learners.logistic_path.axes import Axes
from cleaning.learners.logistic_path.factor import blas
from cleaning.learners.logistic_path.geometry import chunks
from cleaning.learners.logistic_path.leading import inverse

# Smaller weights have no effect, but a class that has only these has no curvature along its intercept.
_SMALLEST_WEIGHT = 1e-7
# Of more rows whose labels change, only so many have their own weights; 1 + δh is 0 after rounding where such a row is
# alone.
_MOST_MOVING, _LEAST = 256, 0.01


class Blocks:
    """The metric at the probabilities `reference` (n, outputs), float32; moving: rows whose labels change, up to
    256 of them, in increasing order.
    """

    moving: IntVector

    def __init__(self, axes: Axes, reference: FloatMatrix, moving: IntVector) -> None:
        weights = np.maximum(reference * (1 - reference), _SMALLEST_WEIGHT).astype(np.float32).T
        self.moving = np.unique(moving[:_MOST_MOVING])
        self._inverse = np.empty((len(weights), *2 * (axes.matrix.shape[1],)), np.float32)
        for output, weight in enumerate(weights):
            self._inverse[output] = inverse(_hessian(axes, weight))
        rows, self._before = axes.matrix[self.moving], weights[:, self.moving, None]
        self._pull = self._inverse @ rows.T
        self._overlap = np.abs(rows @ self._pull)
        self._leverage = np.diagonal(self._overlap, axis1=1, axis2=2)[:, :, None]

    def solve(self, gradient: FloatMatrix, chance: FloatMatrix) -> FloatMatrix:
        """The Newton step in this metric, up to its sign, for gradients (size + 1, outputs, states) in float32.

        chance (outputs, moving rows, states): probabilities of the states.
        """
        right = np.ascontiguousarray(gradient.swapaxes(0, 1))
        step = self._inverse @ right
        change = chance * (1 - chance) - self._before
        without = np.maximum(1 + self._leverage * np.minimum(change, 0), _LEAST)
        change /= without + self._overlap @ np.maximum(change, 0)
        step -= self._pull @ (change * (self._pull.swapaxes(1, 2) @ right))
        step -= step.mean(axis=0)
        return np.ascontiguousarray(step.swapaxes(0, 1))


def _hessian(axes: Axes, weight: FloatVector) -> FloatMatrix:
    """The upper half of [X 1]ᵀ diag(weight) [X 1] + I / C, as the lower half of a C-contiguous matrix."""
    size = axes.matrix.shape[1]
    square = np.zeros((size, size), np.float32, order="F")
    for rows in chunks(len(weight), size):
        root = axes.matrix[rows] * np.sqrt(weight[rows, None])
        square = blas.ssyrk(1.0, root.T, beta=1.0, c=square, overwrite_c=1)
    square[np.arange(size - 1), np.arange(size - 1)] += axes.penalty
    return square.T
