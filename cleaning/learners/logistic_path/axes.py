"""A linear model in the principal axes of its features, in float32.

Turning the columns to the eigenvectors V of XᵀX changes neither the penalty nor the margins: with X' = XV the weights
become Vᵀw. It gathers most of the curvature of the loss in few leading columns, which `leading` makes use of.
"""

from collections.abc import Iterator

import numpy as np
import scipy.linalg

from cleaning.data import FloatMatrix, FloatVector
from cleaning.learners.logistic_path.geometry import Columns, chunks

# Sums over the rows of a piece are taken in float32, and those of the pieces in float64. So small pieces, which also
# stay in cache, round less.
_PIECE = 1 << 16
_FEWEST_ROWS = 64


class Axes:
    """The features of a model in principal axes, with a column of ones at the end for the intercept.

    matrix (n, size + 1): float32. spectrum (size,): the eigenvalues of XᵀX, descending.
    """

    def __init__(self, geometry: Columns) -> None:
        size = geometry.matrix.shape[1]
        self.penalty = geometry.penalty
        gram = np.zeros((size, size))
        for rows in chunks(geometry.length, size):
            part = geometry.part(rows)
            gram += part.T @ part
        spectrum, vectors = scipy.linalg.eigh(gram, overwrite_a=True, check_finite=False)
        self.spectrum: FloatVector = spectrum[::-1]
        self._vectors: FloatMatrix = np.ascontiguousarray(vectors[:, ::-1])
        self.matrix = np.ones((geometry.length, size + 1), np.float32)
        for rows in chunks(geometry.length, size):
            self.matrix[rows, :-1] = geometry.part(rows) @ self._vectors
        lengths = np.einsum("nd,nd->n", self.matrix, self.matrix)
        self.longest = float(np.sqrt(lengths.max()))

    def turned(self, rows: FloatMatrix) -> FloatMatrix:
        """Rows (m, size) of features in these axes, with ones at the end, float32."""
        turned = np.ones((len(rows), rows.shape[1] + 1), np.float32)
        for part in chunks(*rows.shape):
            turned[part, :-1] = rows[part].astype(np.float64, copy=False) @ self._vectors
        return turned

    def back(self, coefficients: FloatMatrix) -> FloatMatrix:
        """Coefficients (size + 1, outputs, states) in the columns of the geometry, in float64."""
        return self._apply(self._vectors, coefficients)

    def into(self, coefficients: FloatMatrix) -> FloatMatrix:
        """Coefficients or gradients (size + 1, outputs, states) of the geometry in these axes, in float64."""
        return self._apply(self._vectors.T, coefficients)

    @staticmethod
    def _apply(rotation: FloatMatrix, coefficients: FloatMatrix) -> FloatMatrix:
        turned = coefficients.astype(np.float64)
        size = len(rotation)
        turned[:-1] = (rotation @ turned[:-1].reshape(size, -1)).reshape(turned[:-1].shape)
        return turned

    def margins(self, rows: slice, coefficients: FloatMatrix, out: FloatMatrix) -> FloatMatrix:
        """Margins (outputs, states, rows) of some rows for coefficients (size + 1, outputs, states), in float32.

        The coefficients have to sum to 0 over the outputs: the last output is computed from the others.
        """
        others = coefficients[:, :-1].reshape(len(coefficients), -1)
        np.matmul(others.T, self.matrix[rows].T, out=out[:-1].reshape(others.shape[1], -1))
        np.negative(out[:-1].sum(axis=0), out=out[-1])
        return out

    def add_residual(self, gradient: FloatMatrix, rows: slice, residual: FloatMatrix) -> None:
        """Adds [X 1]ᵀ residual, for residuals (outputs, states, rows) of some rows, for all outputs but the last."""
        others = residual[:-1].reshape(-1, residual.shape[2])
        gradient[:, :-1] += (self.matrix[rows].T @ others.T).reshape(len(gradient), -1, residual.shape[1])

    def pieces(self, width: int) -> Iterator[slice]:
        """Slices of rows with about `_PIECE` numbers each if there are `width` numbers per row."""
        step = max(_FEWEST_ROWS, _PIECE // max(width, 1))
        return (slice(start, min(start + step, len(self.matrix))) for start in range(0, len(self.matrix), step))


def centred(coefficients: FloatMatrix) -> FloatMatrix:
    """Coefficients that sum to 0 over the outputs but for rounding, made to do so, in place."""
    np.negative(coefficients[:, :-1].sum(axis=1), out=coefficients[:, -1])
    return coefficients
