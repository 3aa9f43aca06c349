"""Preconditioned nonlinear conjugate gradients for many label vectors at once.

All states start from one reference point with a kept Hessian factor M. With direction d, margins move by U = X d (one
matrix product for all states), the step along d is Newton's in one dimension, guarded to a true descent, and the new
gradient is one product more. Near M's own point this is Newton's method; far from it, Polak and Ribière's conjugacy
(1969) makes up for the wrong metric. A state ends when its Newton decrement √(gᵀM⁻¹g) is below the tolerance given, and
its gradient below GRADIENT_TOLERANCE.
"""

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.learners.logistic_path.geometry import Geometry, chunks
from cleaning.learners.logistic_path.likelihood import curvature, dot, probability_change
from cleaning.learners.logistic_path.preconditioner import Preconditioner

GRADIENT_TOLERANCE = 1e-8
"""‖gradient of the mean log-loss‖ of a solution, as a share of the root mean square of ‖(x, 1)‖."""

# No margin moves by more: p(1 − p) changes by less than a factor of e^½ and Newton's step cannot overshoot by much.
_SAFE_SHIFT = 0.5
_SLOPE_LEFT = 0.3
# From beyond the bottom a search comes back to where this share of the slope is left: rounding may not tell nearer
# lengths from the bottom.
_SLOPE_FROM_BEYOND = 0.05
_SEARCHES = 40
# A turn that keeps more of an uphill direction than this share of the new descent is no turn but a restart.
_CARRIED = 0.5


class Descent:
    """The states of one span on their way to their optima.

    reference: (n, outputs) probabilities at the reference point. start: (size + 1, outputs, states) gradients there.
    After a run, `result` holds the way from the reference to each state's optimum, `decrement` what is left of it,
    and `work` counts iterations times states.
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

    def run(self, iterations: int) -> bool:
        """Up to so many iterations more; whether every state is at its optimum."""
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
        turn = (squared - geometry.inner(self._before, step, products)) / self._squared
        carried = turn * geometry.inner(self._gradient, self._direction, self._products)
        turn = np.where((turn > 0) & (carried < _CARRIED * squared), turn, 0.0)
        self._squared, self._before = squared, self._gradient
        self._direction *= turn
        self._direction -= step
        if products is not None and self._products is not None:
            self._products = turn * self._products - products
        bend, along, widest = self._look(step, turn)
        slope = geometry.inner(self._gradient, self._direction, self._products)
        ridge = geometry.penalty * geometry.inner(self._penalised(self._direction), self._direction, self._products)
        length = -slope / (bend + ridge)
        if np.any(length * widest > _SAFE_SHIFT):
            length = self._search(length, slope, ridge, along)
        self._move(length)
        self.work += len(self.live)

    def _search(self, length: FloatVector, slope: FloatVector, ridge: FloatVector, along: FloatVector) -> FloatVector:
        """Lengths at which the slope has all but gone and is not yet uphill: Newton in one dimension, in a bracket.

        The loss is convex, so downhill all the way means lower. Beyond the bottom it may be higher than at the start:
        where one label against thousands of margins bends the loss like a hinge, a small slope uphill says nothing.
        """
        low, high, beyond = np.zeros(len(length)), np.full(len(length), np.inf), _SLOPE_FROM_BEYOND * np.abs(slope)
        for _ in range(_SEARCHES):
            now, bend = self._try(length)
            left = slope + length * ridge + now - along
            far = (left < -_SLOPE_LEFT * np.abs(slope)) | (left > 0)
            if not far.any():
                return length
            low, high = np.where(left < 0, length, low), np.where(left > 0, length, high)
            newton = length - (left + np.where(left > 0, beyond, 0.0)) / (bend + ridge)
            bounded = np.isfinite(high)
            middle = np.where(bounded, (low + np.where(bounded, high, 0.0)) / 2, 4 * length)
            better = np.where((newton > low) & (newton < np.minimum(high, 4 * length)), newton, middle)
            length = np.where(far, better, length)
        return np.where(far, low, length)

    def _try(self, length: FloatVector) -> tuple[FloatVector, FloatVector]:
        """The residuals' product with the direction, and the curvature, `length` further along it."""
        along, bend = np.zeros(len(length)), np.zeros(len(length))
        for rows in self._chunks():
            direction = self._margins[rows]
            margins = self._shift[rows] + direction * length.astype(direction.dtype)
            change = probability_change(self._reference[rows], margins)
            along += dot(direction, change)
            bend += curvature(self._reference[rows], change, direction)
        return along, bend

    def _look(self, step: FloatMatrix, turn: FloatVector) -> tuple[FloatVector, FloatVector, FloatVector]:
        """Turns the margins' direction; the curvature along it, its product with the residuals, its largest entry."""
        states = len(turn)
        bend, along, widest = np.zeros(states), np.zeros(states), np.zeros(states)
        dtype = self._margins.dtype
        flat, turn = step[:-1].reshape(len(step) - 1, -1).astype(dtype, copy=False), turn.astype(dtype)
        for rows in self._chunks():
            direction = self._margins[rows]
            if self._products is None:
                direction *= turn
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
        """Moves by `length` along the direction and renews the gradient."""
        self._moved += length * self._direction
        gradient = self._start + self._geometry.penalty * self._penalised(self._moved)
        for rows in self._chunks():
            shift = self._shift[rows]
            shift += self._margins[rows] * length.astype(shift.dtype)
            self._geometry.add_residual(gradient, rows, probability_change(self._reference[rows], shift))
        self._gradient = gradient

    @staticmethod
    def _penalised(coefficients: FloatMatrix) -> FloatMatrix:
        """Without the intercept."""
        weights = coefficients.copy()
        weights[-1] = 0.0
        return weights

    def _chunks(self) -> "list[slice]":
        matrix = self._geometry.matrix
        converted = 0 if matrix.dtype == self._shift.dtype else matrix.shape[1]
        return list(chunks(len(self._shift), max(self._shift[0].size, converted)))

    def _settle(self, going: NDArray[np.bool_]) -> None:
        """Takes the states that have arrived out of the work."""
        self.result[:, :, self.live[~going]] = self._moved[:, :, ~going]
        self.live = self.live[going]
        if not len(self.live):
            return
        for name in ("_gradient", "_before", "_start", "_moved", "_direction", "_shift", "_margins", "_products"):
            array = getattr(self, name)
            if array is not None:
                setattr(self, name, np.ascontiguousarray(array[:, :, going]))
        self._squared = self._squared[going]
