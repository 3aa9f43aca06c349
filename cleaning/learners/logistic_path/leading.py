"""A metric for many classes: the multinomial Hessian on the leading principal axes, and axis by axis on the others.

In the principal axes of the features, the Hessian Σᵢ (diag pᵢ − pᵢpᵢᵀ) ⊗ xᵢxᵢᵀ + I / C is nearly diagonal in the axes,
since it would be diagonal if all pᵢ were equal. On the first axes, where the curvature is largest, and on the
intercept, the metric is the Hessian itself, with all pairs of classes. On the others it keeps, for each axis alone,
the K × K coupling of the classes.
"""

from contextlib import suppress

import numpy as np

from cleaning.data import FloatMatrix, IntVector
from cleaning.errors import Unsuitable
from cleaning.learners.logistic_path.axes import Axes
from cleaning.learners.logistic_path.factor import Factor, blas
from cleaning.learners.logistic_path.geometry import chunks

# The widest block over the leading axes and all classes, and the fewest axes.
_WIDEST = 970
_FEWEST_AXES = 4
# Axes with less curvature than this share of the penalty are never among the leading ones.
_NEGLIGIBLE = 0.25
# If the first of the other axes has this many times the curvature of the penalty, they are too strongly coupled. The
# metric for these is not worth its cost if it is wider than this, or has more numbers than so many times the features.
_COUPLED, _WIDEST_COUPLED, _NUMBERS_TO_FEATURES = 4.0, 1024, 4
# p(1 − p) of a typical row, from which the curvature of an axis is guessed.
_TYPICAL_WEIGHT = 0.05
# Shares of the diagonal that are added if the Hessian is indefinite after rounding.
_MORE = (0.0, 1e-4, 1e-2)


class Leading:
    """The metric at the probabilities `reference` (n, outputs), float32."""

    moving: IntVector = np.empty(0, dtype=np.int64)

    def __init__(self, axes: Axes, reference: FloatMatrix) -> None:
        self.axes, self._outputs = leading_axes(axes, reference.shape[1]), reference.shape[1]
        self._head = self._of_head(axes, reference)
        self._tail = self._of_tail(axes, reference)

    def solve(self, gradient: FloatMatrix, chance: FloatMatrix) -> FloatMatrix:  # noqa: ARG002 - see Metric
        """The Newton step in this metric, up to its sign, for gradients (size + 1, outputs, states) in float32."""
        axes, outputs, states = self.axes, self._outputs, gradient.shape[2]
        step = np.empty_like(gradient)
        head = np.empty((outputs, axes + 1, states), np.float32)
        head[:, :axes] = gradient[:axes].swapaxes(0, 1)
        head[:, axes] = gradient[-1]
        solved = (self._head @ head.reshape(-1, states)).reshape(head.shape)
        step[:axes] = solved[:, :axes].swapaxes(0, 1)
        step[-1] = solved[:, axes]
        np.matmul(self._tail, gradient[axes:-1], out=step[axes:-1])
        return step

    def _of_head(self, axes: Axes, reference: FloatMatrix) -> FloatMatrix:
        count, outputs = self.axes, self._outputs
        width = count + 1
        square = np.zeros((outputs * width, outputs * width), np.float32, order="F")
        blocks = np.zeros((outputs, width, width), np.float32)
        for rows in chunks(len(reference), outputs * width):
            columns = np.hstack([axes.matrix[rows, :count], axes.matrix[rows, -1:]])
            chance = reference[rows]
            weighted = (chance[:, :, None] * columns[:, None, :]).reshape(len(columns), -1)
            square = blas.ssyrk(-1.0, weighted.T, beta=1.0, c=square, overwrite_c=1)
            for output in range(outputs):
                root = columns * np.sqrt(chance[:, output, None] * (1 - chance[:, output, None]))
                blocks[output] += root.T @ root
        blocks[:, np.arange(count), np.arange(count)] += axes.penalty
        hessian = square.T.reshape(outputs, width, outputs, width)
        hessian[np.arange(outputs), :, np.arange(outputs)] = blocks  # without the rounding of a difference
        # The loss does not change if all intercepts move together; see `preconditioner`.
        hessian[:, -1, :, -1] += len(reference) / outputs**2
        return inverse(square.T)

    def _of_tail(self, axes: Axes, reference: FloatMatrix) -> FloatMatrix:
        """The inverse per axis, (axes, outputs, outputs)."""
        outputs, count = self._outputs, axes.matrix.shape[1] - 1 - self.axes
        above, below = np.triu_indices(outputs)
        sums = np.zeros((count, len(above)), np.float32)
        for rows in axes.pieces(count + len(above)):
            chance = reference[rows]
            pairs = chance[:, above] * ((above == below) - chance[:, below])
            sums += np.square(axes.matrix[rows, self.axes : -1]).T @ pairs
        blocks = np.empty((count, outputs, outputs), np.float32)
        blocks[:, above, below] = blocks[:, below, above] = sums
        blocks[:, np.arange(outputs), np.arange(outputs)] += axes.penalty
        return np.linalg.inv(blocks)


def inverse(hessian: FloatMatrix) -> FloatMatrix:
    """The inverse, with as much added to the diagonal as rounding makes necessary. Reads the lower half."""
    diagonal = np.arange(len(hessian))
    for share in _MORE:
        raised = hessian.copy()
        raised[diagonal, diagonal] *= 1 + share
        with suppress(Unsuitable):
            return Factor(raised).inverse()
    return np.diag(1 / hessian[diagonal, diagonal])


def coupled(axes: Axes, outputs: int) -> bool:
    """Whether the axes that are not leading depend on each other too much, so that `blocks` is the better metric."""
    rows, size = axes.matrix.shape
    if size > _WIDEST_COUPLED or size * outputs > _NUMBERS_TO_FEATURES * rows:
        return False
    others = axes.spectrum[leading_axes(axes, outputs) :]
    return bool(_TYPICAL_WEIGHT * others.max(initial=0.0) > _COUPLED * axes.penalty)


def leading_axes(axes: Axes, outputs: int) -> int:
    """How many axes are worth the exact Hessian: those with some curvature, as far as the block stays narrow."""
    worth = int(np.count_nonzero(_TYPICAL_WEIGHT * axes.spectrum > _NEGLIGIBLE * axes.penalty))
    return int(np.clip(worth, min(_FEWEST_AXES, len(axes.spectrum)), max(_WIDEST // outputs - 1, _FEWEST_AXES)))
