"""Coordinates for the weights of a linear model: one per column (n > d) or, by duality, one per row (n ≤ d).

Coefficients and gradients are (size + 1, outputs, states); the last row is the unpenalised intercept. In row
coordinates, the optimum of an L2-penalised model is a combination w = Xᵀα of the training rows. With the Gram matrix
K = XXᵀ its margins are Kα, and a gradient Xᵀρ is stored as ρ. So no array is d wide, and a gradient takes no matrix
product.
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

# Entries per chunk: 2 MiB in float64.
_CHUNK = 1 << 18
# For features with this many entries or more, no float64 copy is made, and products for two classes run in float32.
# Around a float64 reference this costs no accuracy (see Columns). But it costs restarts where one label moves margins
# far, as it does with few rows or more than two classes.
_LARGE = 1 << 22


class Geometry(Protocol):
    """How coefficients, gradients and margins of a linear model relate; see the module."""

    @property
    def penalty(self) -> float:
        """1 / C."""
        ...

    @property
    def matrix(self) -> FloatMatrix:
        """The matrix (length, size) that turns coefficients into margins."""
        ...

    @property
    def work(self) -> type[np.floating]:
        """The precision of computations relative to a reference point."""
        ...

    @property
    def length(self) -> int:
        """The number of rows."""
        ...

    def margins(self, rows: slice, weights: FloatMatrix) -> FloatMatrix:
        """Margins of some rows for weights (size, columns), without the intercept, in the precision of the weights."""
        ...

    def products(self, coefficients: FloatMatrix) -> FloatMatrix | None:
        """The matrix times coefficients if inner products need it, else None."""
        ...

    def inner(self, gradient: FloatMatrix, direction: FloatMatrix, products: FloatMatrix | None) -> FloatVector:
        """⟨gradient, direction⟩, one number per state; `products` are those of the direction."""
        ...

    def add_residual(self, gradient: FloatMatrix, rows: slice, residual: FloatMatrix) -> None:
        """Adds the contribution of the residuals (rows, outputs, states) of some rows to the gradient."""
        ...

    def of_rows(self, rows: IntVector) -> FloatMatrix:
        """The gradients of the margins of individual rows, (size + 1, len(rows))."""
        ...

    def steepness(self, gradient: FloatMatrix) -> FloatVector:
        """‖g‖ / (n · root mean square of ‖(x, 1)‖), one number per state."""
        ...

    def weights(self, coefficients: FloatMatrix) -> FloatMatrix:
        """Weights and intercept (d + 1, columns) for coefficients (size + 1, columns)."""
        ...


@dataclass(frozen=True, eq=False)
class Columns:
    """One weight per column of the features.

    features: X (n, d), float32 or float64. scale: n factors by which the rows of X are multiplied wherever they are
    used, so that no scaled copy is made. matrix: X again, for products relative to a reference point. basis: see
    `weights`. If `work` is float32, only *changes* of margins and probabilities are computed in it, so the rounding
    error is relative to the change. The reference itself is always computed from X in float64.
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
        """None: inner products do not need them."""

    def inner(self, gradient: FloatMatrix, direction: FloatMatrix, products: object) -> FloatVector:  # noqa: ARG002 - see Rows
        """⟨gradient, direction⟩, one number per state."""
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

    def part(self, rows: slice) -> FloatMatrix:
        """Some rows of the features, scaled, in float64."""
        part = self._part(rows, np.dtype(np.float64))
        return part if self.scale is None else part * self.scale[rows, None]

    def of_rows(self, rows: IntVector) -> FloatMatrix:
        """The features of the rows as columns, with 1 appended."""
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

    def seen(self, features: FloatMatrix) -> FloatMatrix:
        """Other rows (m, d), already scaled, in these columns."""
        return features if self.basis is None else features.astype(np.float64) @ self.basis

    def weights(self, coefficients: FloatMatrix) -> FloatMatrix:
        """The coefficients themselves, or `basis` (d, columns of X) times the coefficients if there is a basis."""
        if self.basis is None:
            return coefficients
        return np.vstack([self.basis @ coefficients[:-1], coefficients[-1:]])


@dataclass(frozen=True, eq=False)
class Rows:
    """One weight per training row; `matrix` is the Gram matrix K = XXᵀ (n, n), float64."""

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
        """⟨Xᵀρ, Xᵀα⟩ = ρᵀKα, plus the product of the intercepts."""
        assert products is not None
        return dot(gradient[:-1], products) + dot(gradient[-1:], direction[-1:])

    def add_residual(self, gradient: FloatMatrix, rows: slice, residual: FloatMatrix) -> None:
        """Adds the residual itself and its sum."""
        gradient[:-1][rows] += residual
        gradient[-1] += residual.sum(axis=0)

    def of_rows(self, rows: IntVector) -> FloatMatrix:
        """Unit vectors with 1 appended."""
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
        """The weights w = Xᵀα, and the intercept."""
        return np.vstack([self.features.T @ coefficients[:-1], coefficients[-1:]])


def geometry_of(features: FloatMatrix, strength: float, outputs: int, unit: bool) -> Geometry:
    """The narrowest geometry for features (n, d) and inverse penalty `strength`; unit: scale each row to length 1.

    Row coordinates need the whole Hessian as the metric, so several outputs get the span of the rows instead: with
    X = LQ and Q orthonormal, the penalty, margins and optimum are the same in the n columns of L.
    """
    rows, columns = features.shape
    if rows > columns and rows * columns >= _LARGE:
        scale = _unit_scale(features) if unit else None
        if outputs == 1:
            return Columns(features, features.astype(np.float32, copy=False), 1.0 / strength, np.float32, scale=scale)
        return Columns(features, features, 1.0 / strength, scale=scale)
    if unit:
        features = unit_rows(features)
    wide = features.astype(np.float64, copy=False)
    if rows > columns:
        return Columns(wide, wide, 1.0 / strength)
    if outputs == 1:
        return Rows(wide, wide @ wide.T, 1.0 / strength)
    basis, lower = qr(wide.T, mode="economic")
    span = np.ascontiguousarray(lower.T)
    return Columns(span, span, 1.0 / strength, basis=basis)


def _unit_scale(features: FloatMatrix) -> FloatVector:
    """The factors that scale each row to length 1; 0 for a row of zeros."""
    lengths = np.sqrt(_squared_lengths(features))
    return np.divide(1.0, lengths, out=np.zeros(len(lengths)), where=lengths > 0)


def _squared_lengths(features: FloatMatrix) -> FloatVector:
    """The squared length of each row, summed in float64."""
    squares = np.empty(len(features))
    for rows in chunks(*features.shape):
        squares[rows] = np.einsum("nd,nd->n", features[rows], features[rows], dtype=np.float64)
    return squares


def chunks(rows: int, width: int) -> Iterator[slice]:
    """Slices of rows such that a chunk with `width` numbers per row stays in cache."""
    step = max(256, _CHUNK // max(width, 1))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))
