"""Where the weights of a linear model live: in the columns (n > d) or, by duality, in the rows (n ≤ d).

Coefficients and gradients are (size + 1, outputs, states), the last row the unpenalised intercept. In rows: the optimum
of an L2-penalised model is a combination w = Xᵀα of the training rows, so with the Gram matrix K = XXᵀ its margins are
Kα, and a gradient Xᵀρ is kept as ρ: nothing is ever as wide as d, and a gradient costs no product at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

import numpy as np
from scipy.linalg import qr

from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.learners.logistic_path.likelihood import dot
from cleaning.vectors.neighbours import unit_rows

_CHUNK = 1 << 18


# Above this many numbers no copy of the features is made in float64, and products of two classes run in float32: around
# a float64 reference that costs no accuracy (see Columns), but restarts where one label moves margins far, as it does
# while rows are few, and among more classes.
_LARGE = 1 << 22


class Geometry(Protocol):
    """The matrix (length, size) turns coefficients into margins."""

    @property
    def penalty(self) -> float:
        """1 / C."""
        ...

    @property
    def matrix(self) -> FloatMatrix:
        """What margins are a product with."""
        ...

    @property
    def work(self) -> type[np.floating]:
        """The precision of the work around a reference point."""
        ...

    @property
    def length(self) -> int:
        """The number of rows."""
        ...

    def margins(self, rows: slice, weights: FloatMatrix) -> FloatMatrix:
        """Of some rows, for weights (size, columns) without the intercept, in the precision of the weights."""
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

    features: X (n, d), float32 or float64, the numbers that are meant; with `scale`, its rows are multiplied by these n
    numbers wherever they are used, and no copy of X is made. matrix: the same for products around a reference point.
    Where `work` is float32, only *changes* of margins and probabilities go through it, so its rounding is relative to
    the change, and the reference itself is always computed from X in float64.
    """

    features: FloatMatrix
    matrix: FloatMatrix
    penalty: float
    work: type[np.floating] = np.float64
    basis: FloatMatrix | None = None
    scale: FloatVector | None = None

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
        gradient[-1] += residual.sum(axis=0, dtype=np.float64)
        flat = residual.reshape(len(residual), -1)
        if self.scale is not None:
            flat = flat * self.scale[rows, None].astype(flat.dtype)
        gradient[:-1] += (self._part(rows, flat.dtype).T @ flat).reshape(gradient[:-1].shape)

    def margins(self, rows: slice, weights: FloatMatrix) -> FloatMatrix:
        """X @ weights."""
        margins = self._part(rows, weights.dtype) @ weights
        if self.scale is not None:
            margins *= self.scale[rows, None].astype(weights.dtype)
        return np.asarray(margins)

    def _part(self, rows: slice, precision: np.dtype[np.floating]) -> FloatMatrix:
        features = self.features if precision == np.float64 else self.matrix
        return features[rows].astype(precision, copy=False)

    def of_rows(self, rows: IntVector) -> FloatMatrix:
        """The features of the rows as columns, and 1."""
        columns = self.features[rows].T.astype(np.float64)
        if self.scale is not None:
            columns *= self.scale[rows]
        return np.vstack([columns, np.ones((1, len(rows)))])

    @cached_property
    def _norm(self) -> float:
        weights = np.ones(self.length) if self.scale is None else self.scale**2
        squares = float(_squared_lengths(self.features) @ weights)
        return float(np.sqrt(self.length * (squares + self.length)))

    def steepness(self, gradient: FloatMatrix) -> FloatVector:
        """‖g‖ / (n · root mean square of ‖(x, 1)‖)."""
        return np.asarray(np.sqrt(self.inner(gradient, gradient, None)) / self._norm)

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
    work: ClassVar[type[np.floating]] = np.float64

    @property
    def length(self) -> int:
        """The number of rows."""
        return len(self.features)

    def products(self, coefficients: FloatMatrix) -> FloatMatrix:
        """K @ coefficients, without the intercept."""
        size = len(self.matrix)
        return self.margins(slice(None), coefficients[:-1].reshape(size, -1)).reshape(size, *coefficients.shape[1:])

    def margins(self, rows: slice, weights: FloatMatrix) -> FloatMatrix:
        """K @ weights."""
        return np.asarray(self.matrix[rows] @ weights)

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
    def _norm(self) -> float:
        return float(np.sqrt(self.length * (np.trace(self.matrix) + self.length)))

    def steepness(self, gradient: FloatMatrix) -> FloatVector:
        """‖[X 1]ᵀρ‖ / (n · root mean square of ‖(x, 1)‖)."""
        square = self.inner(gradient, gradient, self.products(gradient))
        return np.asarray(np.sqrt(np.maximum(square, 0.0)) / self._norm)

    def weights(self, coefficients: FloatMatrix) -> FloatMatrix:
        """Those of w = Xᵀα."""
        return np.vstack([self.features.T @ coefficients[:-1], coefficients[-1:]])


def geometry_of(features: FloatMatrix, strength: float, outputs: int, unit: bool) -> Geometry:
    """The narrowest for features (n, d) and an inverse penalty C; unit: each row is taken to length 1.

    Row coordinates need a metric that is the whole Hessian, so several outputs get the rows' own span instead: X = LQ
    with Q orthonormal has the same penalty, margins and optimum in the n columns of L.
    """
    rows, columns = features.shape
    if rows > columns and rows * columns >= _LARGE:
        scale = _to_unit(features) if unit else None
        if outputs == 1:
            return Columns(features, features.astype(np.float32, copy=False), 1.0 / strength, np.float32, scale=scale)
        return Columns(features, features, 1.0 / strength, scale=scale)
    if unit:
        features = unit_rows(features)
    if rows > columns:
        return Columns(features, features.astype(np.float64, copy=False), 1.0 / strength)
    wide = features.astype(np.float64, copy=False)
    if outputs == 1:
        return Rows(wide, wide @ wide.T, 1.0 / strength)
    basis, lower = qr(wide.T, mode="economic")
    span = np.ascontiguousarray(lower.T)
    return Columns(span, span, 1.0 / strength, basis=basis)


def _to_unit(features: FloatMatrix) -> FloatVector:
    """What takes each row to length 1, and 0 for a row of zeros."""
    lengths = np.sqrt(_squared_lengths(features))
    return np.divide(1.0, lengths, out=np.zeros(len(lengths)), where=lengths > 0)


def _squared_lengths(features: FloatMatrix) -> FloatVector:
    """Of each row, summed in float64."""
    squares = np.empty(len(features))
    for rows in chunks(*features.shape):
        squares[rows] = np.einsum("nd,nd->n", features[rows], features[rows], dtype=np.float64)
    return squares


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Slices of rows such that a chunk with `width` numbers a row stays in the cache."""
    step = max(256, _CHUNK // max(width, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))
