"""Where the weights of a linear model live: in the columns (n > d) or, by duality, in the rows (n ≤ d).

Coefficients and gradients are (size + 1, outputs, states), the last row the unpenalised intercept. In rows: the optimum
of an L2-penalised model is a combination w = Xᵀα of the training rows, so with the Gram matrix K = XXᵀ its margins are
Kα, and a gradient Xᵀρ is kept as ρ: nothing is ever as wide as d, and a gradient costs no product at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.linalg import qr

from cleaning._likelihood import dot
from cleaning.data import FloatMatrix, FloatVector, IntVector

_CHUNK = 1 << 18


# Above this many numbers, products run in float32: around a float64 reference that costs no accuracy (see Columns), but
# restarts where one label moves margins far, as it does while rows are few.
_LARGE = 1 << 22


class Geometry(Protocol):
    """The matrix (length, size) turns coefficients into margins."""

    @property
    def penalty(self) -> float:
        """1 / C."""
        ...

    @property
    def matrix(self) -> FloatMatrix:
        """What margins are a product with; its type is the precision of the work around a reference point."""
        ...

    @property
    def source(self) -> FloatMatrix:
        """The same in the features' own precision."""
        ...

    @property
    def length(self) -> int:
        """The number of rows."""
        ...

    def products(self, coefficients: FloatMatrix) -> FloatMatrix | None:
        """Matrix @ coefficients where inner products need it, None where they do not."""
        ...

    def inner(self, gradient: FloatMatrix, direction: FloatMatrix, products: FloatMatrix | None) -> FloatVector:
        """⟨gradient, direction⟩, one number a state; products are those of the direction."""
        ...

    def add_residual(self, gradient: FloatMatrix, rows: slice, residual: FloatMatrix) -> None:
        """Adds the part of the gradient that comes from the residuals (rows, outputs, states) of some rows."""
        ...

    def of_rows(self, rows: IntVector) -> FloatMatrix:
        """The gradients of the margins of single rows, (size + 1, len(rows))."""
        ...

    def steepness(self, gradient: FloatMatrix) -> FloatVector:
        """‖g‖ of each state over n · root mean square of ‖(x, 1)‖."""
        ...

    def weights(self, coefficients: FloatMatrix) -> FloatMatrix:
        """(d + 1, columns) weights and intercept of coefficients (size + 1, columns)."""
        ...


@dataclass(frozen=True, eq=False)
class Columns:
    """Weights for the columns of the features.

    features: X (n, d), float32 or float64, the numbers that are meant. matrix: the same for products around a
    reference point, float32 where X is large: only *changes* of margins and probabilities go through it, so its
    rounding is relative to the change, and the reference itself is always computed from X in float64.
    """

    features: FloatMatrix
    matrix: FloatMatrix
    penalty: float
    basis: FloatMatrix | None = None

    @property
    def source(self) -> FloatMatrix:
        """The features."""
        return self.features

    @property
    def length(self) -> int:
        """The number of rows."""
        return len(self.features)

    def products(self, coefficients: FloatMatrix) -> None:
        """Inner products need none."""

    def inner(self, gradient: FloatMatrix, direction: FloatMatrix, products: object) -> FloatVector:  # noqa: ARG002 - see Rows
        """⟨gradient, direction⟩, one number a state."""
        return dot(gradient, direction)

    def add_residual(self, gradient: FloatMatrix, rows: slice, residual: FloatMatrix) -> None:
        """Adds Xᵀ residual and its sum."""
        features = self.features if residual.dtype == np.float64 else self.matrix
        flat = residual.reshape(len(residual), -1)
        chunk = features[rows].astype(residual.dtype, copy=False)
        gradient[:-1] += (chunk.T @ flat).reshape(gradient[:-1].shape)
        gradient[-1] += residual.sum(axis=0, dtype=np.float64)

    def of_rows(self, rows: IntVector) -> FloatMatrix:
        """The features of the rows as columns, and 1."""
        return np.vstack([self.features[rows].T, np.ones((1, len(rows)))], dtype=np.float64)

    @cached_property
    def _scale(self) -> float:
        squares = sum(
            float(np.vdot(chunk, chunk)) for chunk in (self.features[rows] for rows in chunks(self.length, 1))
        )
        return float(np.sqrt(self.length * (squares + self.length)))

    def steepness(self, gradient: FloatMatrix) -> FloatVector:
        """‖g‖ / (n · root mean square of ‖(x, 1)‖)."""
        return np.asarray(np.sqrt(self.inner(gradient, gradient, None)) / self._scale)

    def weights(self, coefficients: FloatMatrix) -> FloatMatrix:
        """The coefficients themselves, or what they stand for in the basis (d, columns of the features)."""
        if self.basis is None:
            return coefficients
        return np.vstack([self.basis @ coefficients[:-1], coefficients[-1:]])


@dataclass(frozen=True, eq=False)
class Rows:
    """Weights for the training rows; matrix = the Gram matrix K = XXᵀ (n, n), float64."""

    features: FloatMatrix
    matrix: FloatMatrix
    penalty: float

    @property
    def source(self) -> FloatMatrix:
        """The Gram matrix."""
        return self.matrix

    @property
    def length(self) -> int:
        """The number of rows."""
        return len(self.features)

    def products(self, coefficients: FloatMatrix) -> FloatMatrix:
        """K @ coefficients, without the intercept."""
        size = len(self.matrix)
        return np.asarray((self.matrix @ coefficients[:-1].reshape(size, -1)).reshape(size, *coefficients.shape[1:]))

    def inner(self, gradient: FloatMatrix, direction: FloatMatrix, products: FloatMatrix | None) -> FloatVector:
        """⟨Xᵀρ, Xᵀα⟩ = ρᵀKα, and the intercept's part."""
        assert products is not None
        return dot(gradient[:-1], products) + dot(gradient[-1:], direction[-1:])

    def add_residual(self, gradient: FloatMatrix, rows: slice, residual: FloatMatrix) -> None:
        """Adds the residual itself and its sum."""
        gradient[:-1][rows] += residual
        gradient[-1] += residual.sum(axis=0)

    def of_rows(self, rows: IntVector) -> FloatMatrix:
        """Unit vectors, and 1."""
        units = np.zeros((len(self.matrix) + 1, len(rows)))
        units[rows, np.arange(len(rows))] = 1.0
        units[-1] = 1.0
        return units

    @cached_property
    def _scale(self) -> float:
        return float(np.sqrt(self.length * (np.trace(self.matrix) + self.length)))

    def steepness(self, gradient: FloatMatrix) -> FloatVector:
        """‖[X 1]ᵀρ‖ / (n · root mean square of ‖(x, 1)‖)."""
        square = self.inner(gradient, gradient, self.products(gradient))
        return np.asarray(np.sqrt(np.maximum(square, 0.0)) / self._scale)

    def weights(self, coefficients: FloatMatrix) -> FloatMatrix:
        """Those of w = Xᵀα."""
        return np.vstack([self.features.T @ coefficients[:-1], coefficients[-1:]])


def geometry_of(features: FloatMatrix, strength: float, outputs: int) -> Geometry:
    """The narrowest for features (n, d) and an inverse penalty C.

    Row coordinates need a metric that is the whole Hessian, so several outputs get the rows' own span instead: X = LQ
    with Q orthonormal has the same penalty, margins and optimum in the n columns of L.
    """
    rows, columns = features.shape
    if rows > columns:
        work = np.float32 if rows * columns >= _LARGE else np.float64
        return Columns(features, features.astype(work, copy=False), 1.0 / strength)
    wide = features.astype(np.float64, copy=False)
    if outputs == 1:
        return Rows(wide, wide @ wide.T, 1.0 / strength)
    basis, lower = qr(wide.T, mode="economic")
    span = np.ascontiguousarray(lower.T)
    return Columns(span, span, 1.0 / strength, basis)


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Slices of rows such that a chunk with `width` numbers a row stays in the cache."""
    step = max(256, _CHUNK // max(width, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))
