"""The factorised Hessian of the penalised log-loss at one point, as the metric of the descent.

The metric is the whole Hessian for two classes, for small problems, for few rows, and for so many rows that the Hessian
is no larger than the features. With few rows it is inverted by the Woodbury identity; otherwise it is formed, in
float32 if it is large. In all other cases with K ≥ 3 classes, the metric is the K diagonal blocks
Xᵀ diag(pₖ(1 − pₖ)) X + I / C, each with its intercept, so memory stays O(d² K).
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import DTypeLike

from cleaning.data import FloatMatrix, FloatVector
from cleaning.errors import Unsuitable
from cleaning.learners.logistic_path.coupled import Coupled
from cleaning.learners.logistic_path.factor import Factor
from cleaning.learners.logistic_path.geometry import Columns, Geometry, chunks

Solve = Callable[[FloatMatrix], FloatMatrix]
# Smaller weights p(1 − p) have no effect, but would be divided by.
_SMALLEST_WEIGHT = 1e-10
# The widest multinomial Hessian that is formed in float64, and the most rows for the Woodbury identity.
_LARGEST_HESSIAN = 1024
_MOST_ROWS = 4096
# Rows sampled for `reach`: more in float32, where the aim is closer to the tolerance.
_SAMPLED_ROWS = 4
_SAMPLED_IN_FLOAT32 = 64
# The largest Hessian that is formed in float32, relative to the size of the features.
_HESSIAN_TO_FEATURES = 1.25


class Preconditioner:
    """The factor at reference probabilities (n, outputs); provisional: it will soon be replaced, so it should be cheap.

    solve: the Newton step, up to its sign, for gradients (size + 1, outputs, states). exact: whether the factor is that
    of the whole Hessian. making: what it cost to make, in iterations of one state. reach: the largest ‖x‖ in the
    inverse metric among a sample of rows, for three or more classes that of x for one class and −x for another; with
    decrement λ, a margin is within λ · ‖x‖ of its optimum.
    """

    solve: Solve

    def __init__(self, geometry: Geometry, reference: FloatMatrix, *, provisional: bool = False) -> None:
        outputs, size = reference.shape[1], geometry.matrix.shape[1]
        self.exact = True
        weights = np.maximum(reference * (1 - reference), _SMALLEST_WEIGHT)
        rows, width = geometry.length, (size + 1) * outputs
        product = rows * width  # cost of features times one state's coefficients; an iteration takes two such products
        if not isinstance(geometry, Columns):
            self.solve = _each(_row_block(geometry, weights[:, output]) for output in range(outputs))
            self.making = rows / 20
        elif outputs > 1 and width <= _LARGEST_HESSIAN:
            self.solve = _stacked(_whole(geometry, reference, np.float64))
            self.making = size / 4 * rows / (rows + size)
        elif outputs > 1 and rows <= _MOST_ROWS:
            self.solve = Coupled(geometry, np.maximum(reference, _SMALLEST_WEIGHT)).solve
            self.making = (2 * size + rows) * (product + rows**2) / (8 * product + 2 * rows**2)
        elif (
            outputs > 1
            and width**2 <= _HESSIAN_TO_FEATURES * geometry.matrix.size
            and not provisional
            and (whole := _whole_in_float32(geometry, reference)) is not None
        ):
            self.solve = _stacked(whole)
            self.making = ((outputs + 1) / 2 * product * size + width**3 / 3) / (4 * product + 2 * width**2)
        else:
            self.solve = _each(_column_block(geometry, weights[:, output]) for output in range(outputs))
            self.making, self.exact = size / 4 * rows / (rows + size), outputs == 1
        self.reach = self._reach(geometry, outputs)

    def _reach(self, geometry: Geometry, outputs: int) -> float:
        sampled = _SAMPLED_ROWS if geometry.work == np.float64 else _SAMPLED_IN_FLOAT32
        rows = np.unique(np.linspace(0, geometry.length - 1, sampled).astype(np.int64))
        gradient = np.zeros((geometry.matrix.shape[1] + 1, outputs, outputs * len(rows)))
        for output in range(outputs):
            states = slice(output * len(rows), (output + 1) * len(rows))
            gradient[:, output, states] = geometry.of_rows(rows)
            if outputs > 1:
                gradient[:, output - 1, states] = -gradient[:, output, states]
        step = self.solve(gradient)
        return float(np.sqrt(geometry.inner(gradient, step, geometry.products(step)).max()))


def _each(blocks: Iterable[Solve]) -> Solve:
    """One factor per output."""
    made = list(blocks)

    def solve(gradient: FloatMatrix) -> FloatMatrix:
        step = np.empty(gradient.shape)
        for output, block in enumerate(made):
            step[:, output] = block(gradient[:, output])
        return step

    return solve


def _stacked(factor: Factor) -> Solve:
    """One factor for all outputs, stacked one after the other."""

    def solve(gradient: FloatMatrix) -> FloatMatrix:
        by_output = np.ascontiguousarray(gradient.swapaxes(0, 1))
        step = factor.solve(by_output.reshape(-1, gradient.shape[2])).reshape(by_output.shape)
        return np.ascontiguousarray(step.swapaxes(0, 1))

    return solve


def _column_block(geometry: Columns, weights: FloatVector) -> Solve:
    hessian = _weighted_square(geometry, weights, geometry.matrix.dtype)
    hessian[np.arange(len(hessian) - 1), np.arange(len(hessian) - 1)] += geometry.penalty
    return Factor(hessian).solve


def _weighted_square(geometry: Columns, weights: FloatVector, precision: DTypeLike) -> FloatMatrix:
    """[X 1]ᵀ diag(weights) [X 1]; products in `precision`, sums in float64. All weights must have the same sign."""
    size = geometry.matrix.shape[1]
    square = np.zeros((size + 1, size + 1))
    root = np.sqrt(np.abs(weights))
    sign = -1.0 if len(weights) and weights.min() < 0 else 1.0
    factors = (root if geometry.scale is None else root * geometry.scale).astype(precision)
    root = root.astype(precision)
    for rows in chunks(geometry.length, size):
        weighted = geometry.matrix[rows].astype(precision, copy=False) * factors[rows, None]
        square[:-1, :-1] += weighted.T @ weighted
        square[-1, :-1] += root[rows] @ weighted
    square[:-1, -1] = square[-1, :-1]
    square[-1, -1] = np.abs(weights).sum()
    return sign * square


def _whole(geometry: Columns, reference: FloatMatrix, precision: type[np.floating]) -> Factor:
    """The factor of the whole Hessian, with blocks Xᵀ diag(pₖ (1[k = l] − pₗ)) X, ordered by output."""
    outputs, width = reference.shape[1], geometry.matrix.shape[1] + 1
    hessian = np.empty((outputs, width, outputs, width), precision)
    for row in range(outputs):
        for column in range(row + 1):
            share = reference[:, row] * ((row == column) - reference[:, column])
            hessian[row, :, column] = hessian[column, :, row] = _weighted_square(geometry, share, precision)
    size = np.arange(width - 1)
    for output in range(outputs):
        hessian[output, size, output, size] += geometry.penalty
    # The loss does not change if all intercepts move together. Any curvature along that direction makes the Hessian
    # definite.
    hessian[:, -1, :, -1] += len(reference) / outputs**2
    return Factor(hessian.reshape(outputs * width, -1))


def _whole_in_float32(geometry: Columns, reference: FloatMatrix) -> Factor | None:
    """The same in float32; None if the penalty is too weak for that precision."""
    try:
        return _whole(geometry, reference, np.float32)
    except Unsuitable:
        return None


def _row_block(geometry: Geometry, weights: FloatVector) -> Solve:
    """H = XᵀWX + I / C on w = Xᵀα, bordered by the intercept: H⁻¹Xᵀρ = Xᵀ S B⁻¹ S⁻¹ ρ, with S = √W, B = I / C + SKS."""
    gram, root = geometry.matrix, np.sqrt(weights)
    scaled = gram * root
    scaled *= root[:, None]
    scaled[np.arange(len(gram)), np.arange(len(gram))] += geometry.penalty
    factor = Factor(scaled)

    def inside(gradient: FloatMatrix) -> FloatMatrix:
        step = factor.solve(gradient / root[:, None])
        step *= root[:, None]
        return step

    pull = gram @ weights
    along = inside(weights[:, None])
    pivot = float(weights.sum() - pull @ along[:, 0])

    def solve(gradient: FloatMatrix) -> FloatMatrix:
        step = np.empty(gradient.shape)
        step[:-1] = inside(gradient[:-1])
        step[-1] = (gradient[-1] - pull @ step[:-1]) / pivot
        step[:-1] -= along * step[-1]
        return step

    return solve
