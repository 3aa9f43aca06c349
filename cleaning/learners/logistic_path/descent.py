"""Preconditioned nonlinear conjugate gradients for many label vectors at once.

All states start from one reference point and share a factorised Hessian M as the metric. Along a direction d the
margins change by U = X d, which is one matrix product for all states. The step length is a one-dimensional Newton step,
safeguarded so that the loss decreases, and the new gradient takes one more product. Near the point where M was made,
this is Newton's method. Far from it, the conjugate directions of Polak and Ribière (1969) compensate for the wrong
metric. A state is finished when its Newton decrement √(gᵀM⁻¹g) is below the given tolerance and its gradient is below
GRADIENT_TOLERANCE.
"""

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.learners.logistic_path.geometry import Geometry, chunks
from cleaning.learners.logistic_path.likelihood import curvature, dot, probability_change
from cleaning.learners.logistic_path.preconditioner import Preconditioner

GRADIENT_TOLERANCE = 1e-8
"""Limit for ‖gradient of the mean log-loss‖ at a solution, relative to the root mean square of ‖(x, 1)‖."""

# A step that moves no margin by more than this needs no line search: p(1 − p) changes by less than a factor of e^½, so
# Newton's step cannot overshoot by much.
_SAFE_SHIFT = 0.5
# A line search ends when at most this share of the initial slope is left, still downhill.
_SLOPE_LEFT = 0.3
# After it has passed the minimum, a line search aims for the point before it where this share of the slope is left.
# Rounding may make points closer to the minimum indistinguishable from it.
_SLOPE_AFTER_OVERSHOOT = 0.05
_MOST_SEARCH_STEPS = 40
# The conjugate direction is dropped if the previous direction would cancel more than this share of the new descent.
_LARGEST_CANCELLATION = 0.5


class Descent:
    """Minimises the losses of all states of one span together.

    reference (n, outputs): probabilities at the reference point. start (size + 1, outputs, states): gradients there.
    After a run, `result` holds the step from the reference to each state's optimum, `decrement` the remaining Newton
    decrement of each state, and `work` the number of iterations summed over the states.
    """

    def __init__(
        self,
        geometry: Geometry,
        metric: Preconditioner,
        margins: FloatMatrix,
        reference: FloatMatrix,
        start: FloatMatrix,
        tolerance: float,
    ) -> None:
        self._geometry, self._metric, self._tolerance = geometry, metric, tolerance
        self._reference = reference.astype(geometry.work, copy=False)
        self._start = self._gradient = self._before = start
        states = start.shape[2]
        self.result = np.zeros(start.shape)
        self.decrement = np.full(states, np.inf)
        self.live: IntVector = np.arange(states)
        self.work = 0
        self._moved = np.zeros(start.shape)
        self._direction = np.zeros(start.shape)
        self._products: FloatMatrix | None = geometry.products(self._direction)
        self._squared = np.ones(states)
        shape = (len(reference), *start.shape[1:])
        self._shift = np.zeros(shape, geometry.work)
        if self._shift.dtype == np.float64:
            self._shift += margins[:, :, None]
        self._margins = np.zeros(shape, geometry.work)
        self._chunks = self._cut()

    def run(self, iterations: int) -> bool:
        """Runs up to `iterations` further iterations. Returns whether every state has reached its optimum."""
        for _ in range(iterations):
            step = self._metric.solve(self._gradient)
            products = self._geometry.products(step)
            squared = self._geometry.inner(self._gradient, step, products)
            self.decrement[self.live] = np.sqrt(np.maximum(squared, 0.0))
            going = ~(self.decrement[self.live] <= self._tolerance)
            if not going.all():
                steep = self._geometry.steepness(self._gradient[:, :, ~going]) > GRADIENT_TOLERANCE
                going[np.flatnonzero(~going)[steep]] = True
            if not going.all():
                self._settle(going)
                if not len(self.live):
                    return True
                step, squared = step[:, :, going], squared[going]
                products = None if products is None else products[:, :, going]
            self._iterate(step, products, squared)
        self.result[:, :, self.live] = self._moved
        return False

    def _iterate(self, step: FloatMatrix, products: FloatMatrix | None, squared: FloatVector) -> None:
        geometry = self._geometry
        beta = (squared - geometry.inner(self._before, step, products)) / self._squared
        carried = beta * geometry.inner(self._gradient, self._direction, self._products)
        beta = np.where((beta > 0) & (carried < _LARGEST_CANCELLATION * squared), beta, 0.0)
        self._squared, self._before = squared, self._gradient
        self._direction *= beta
        self._direction -= step
        if products is not None and self._products is not None:
            self._products = beta * self._products - products
        bend, along, widest = self._turn(step, beta)
        slope = geometry.inner(self._gradient, self._direction, self._products)
        ridge = geometry.penalty * geometry.inner(self._penalised(self._direction), self._direction, self._products)
        length = -slope / (bend + ridge)
        if np.any(length * widest > _SAFE_SHIFT):
            length = self._search(length, slope, ridge, along)
        self._move(length)
        self.work += len(self.live)

    def _search(self, length: FloatVector, slope: FloatVector, ridge: FloatVector, along: FloatVector) -> FloatVector:
        """Step lengths where the slope is small but still downhill, by bracketed Newton steps in one dimension.

        The loss is convex, so a slope that is still downhill proves that the loss decreased. Past the minimum it may
        be higher than at the start even if the slope is small, because a single label against thousands of margins
        can bend the loss like a hinge.
        """
        low, high, aimed = np.zeros(len(length)), np.full(len(length), np.inf), _SLOPE_AFTER_OVERSHOOT * np.abs(slope)
        for _ in range(_MOST_SEARCH_STEPS):
            now, bend = self._try(length)
            left = slope + length * ridge + now - along
            far = (left < -_SLOPE_LEFT * np.abs(slope)) | (left > 0)
            if not far.any():
                return length
            low, high = np.where(left < 0, length, low), np.where(left > 0, length, high)
            newton = length - (left + np.where(left > 0, aimed, 0.0)) / (bend + ridge)
            bounded = np.isfinite(high)
            middle = np.where(bounded, (low + np.where(bounded, high, 0.0)) / 2, 4 * length)
            better = np.where((newton > low) & (newton < np.minimum(high, 4 * length)), newton, middle)
            length = np.where(far, better, length)
        return np.where(far, low, length)

    def _try(self, length: FloatVector) -> tuple[FloatVector, FloatVector]:
        """The product of residuals and direction, and the curvature, `length` further along the direction."""
        along, bend = np.zeros(len(length)), np.zeros(len(length))
        for rows in self._chunks:
            direction = self._margins[rows]
            margins = self._shift[rows] + direction * length.astype(direction.dtype)
            change = probability_change(self._reference[rows], margins)
            along += dot(direction, change)
            bend += curvature(self._reference[rows], change, direction)
        return along, bend

    def _turn(self, step: FloatMatrix, beta: FloatVector) -> tuple[FloatVector, FloatVector, FloatVector]:
        """Updates the direction in margins. Returns curvature, product with the residuals and largest entry."""
        states = len(beta)
        bend, along, widest = np.zeros(states), np.zeros(states), np.zeros(states)
        dtype = self._margins.dtype
        flat, beta = step[:-1].reshape(len(step) - 1, -1).astype(dtype, copy=False), beta.astype(dtype)
        for rows in self._chunks:
            direction = self._margins[rows]
            if self._products is None:
                direction *= beta
                direction -= self._geometry.margins(rows, flat).reshape(direction.shape)
                direction -= step[-1].astype(dtype)
            else:
                np.add(self._products[rows], self._direction[-1], out=direction)
            change = probability_change(self._reference[rows], self._shift[rows])
            bend += curvature(self._reference[rows], change, direction)
            along += dot(direction, change)
            np.maximum(widest, np.abs(direction).max(axis=(0, 1)), out=widest)
        return bend, along, widest

    def _move(self, length: FloatVector) -> None:
        """Moves by `length` along the direction and recomputes the gradient."""
        self._moved += length * self._direction
        gradient = self._start + self._geometry.penalty * self._penalised(self._moved)
        for rows in self._chunks:
            shift = self._shift[rows]
            shift += self._margins[rows] * length.astype(shift.dtype)
            self._geometry.add_residual(gradient, rows, probability_change(self._reference[rows], shift))
        self._gradient = gradient

    @staticmethod
    def _penalised(coefficients: FloatMatrix) -> FloatMatrix:
        """The coefficients with 0 for the intercept, which is not penalised."""
        weights = coefficients.copy()
        weights[-1] = 0.0
        return weights

    def _cut(self) -> list[slice]:
        matrix = self._geometry.matrix
        converted = 0 if matrix.dtype == self._shift.dtype else matrix.shape[1]
        return list(chunks(len(self._shift), max(self._shift[0].size, converted)))

    def _settle(self, going: NDArray[np.bool_]) -> None:
        """Stores the results of the finished states and removes them from the work arrays."""
        self.result[:, :, self.live[~going]] = self._moved[:, :, ~going]
        self.live = self.live[going]
        if not len(self.live):
            return
        for name in ("_gradient", "_before", "_start", "_moved", "_direction", "_shift", "_margins", "_products"):
            array = getattr(self, name)
            if array is not None:
                setattr(self, name, np.ascontiguousarray(array[:, :, going]))
        self._squared = self._squared[going]
        self._chunks = self._cut()
