"""The exact inverse of the multinomial Hessian for a moderate number of rows, without forming the Hessian.

H = A − U Uᵀ, where A is block-diagonal with Aₖ = [X 1]ᵀ diag(pₖ) [X 1] + I / C, and U, with n columns, stacks the
blocks [X 1]ᵀ diag(pₖ). By the Woodbury identity, H⁻¹ = A⁻¹ + A⁻¹U (I − UᵀA⁻¹U)⁻¹ UᵀA⁻¹. This takes K factors of width d
and one of width n instead of one of width d K. The same algebra in row coordinates is algorithm 3.3 of Rasmussen and
Williams, Gaussian Processes for Machine Learning (2006).
"""

import numpy as np

from cleaning.data import FloatMatrix
from cleaning.learners.logistic_path.factor import Factor
from cleaning.learners.logistic_path.geometry import Columns

# The loss does not change if all intercepts move together. Raising their curvature by this share makes the Hessian
# definite.
_GAUGE = 1e-6


class Coupled:
    """H⁻¹ at the probabilities `reference` (n, outputs), all of them positive."""

    def __init__(self, geometry: Columns, reference: FloatMatrix) -> None:
        rows, outputs = reference.shape
        size = geometry.matrix.shape[1]
        self._matrix = geometry.matrix
        if geometry.scale is not None:
            self._matrix = self._matrix * geometry.scale[:, None].astype(self._matrix.dtype)
        self._chance = reference.astype(self._matrix.dtype)
        self._blocks: list[Factor] = []
        between = np.zeros((rows, rows))
        for output in range(outputs):
            extended = np.empty((rows, size + 1))
            np.multiply(self._matrix, np.sqrt(reference[:, output, None]), out=extended[:, :-1])
            extended[:, -1] = np.sqrt(reference[:, output])
            block = extended.T @ extended
            block[np.arange(size), np.arange(size)] += geometry.penalty
            block[-1, -1] *= 1 + _GAUGE
            factor = Factor(block)
            extended *= np.sqrt(reference[:, output, None])
            half = factor.half_solve(extended.T)
            between -= half.T @ half
            self._blocks.append(factor)
        between[np.arange(rows), np.arange(rows)] += 1.0
        self._between = Factor(between)

    def solve(self, gradient: FloatMatrix) -> FloatMatrix:
        """H⁻¹ gradient, (size + 1, outputs, states)."""
        step = self._inside(gradient)
        outputs, states = gradient.shape[1:]
        flat = step[:-1].reshape(len(step) - 1, -1).astype(self._matrix.dtype, copy=False)
        margins = (self._matrix @ flat).reshape(-1, outputs, states)
        margins += step[-1].astype(margins.dtype)
        pulled = np.einsum("nk,nks->ns", self._chance, margins)
        spread = self._between.solve(pulled.astype(np.float64, copy=False)).astype(margins.dtype, copy=False)
        np.multiply(self._chance[:, :, None], spread[:, None, :], out=margins)
        back = np.empty(gradient.shape)
        back[:-1] = (self._matrix.T @ margins.reshape(len(margins), -1)).reshape(gradient[:-1].shape)
        back[-1] = margins.sum(axis=0, dtype=np.float64)
        step += self._inside(back)
        return step

    def _inside(self, gradient: FloatMatrix) -> FloatMatrix:
        step = np.empty(gradient.shape)
        for output, block in enumerate(self._blocks):
            step[:, output] = block.solve(np.ascontiguousarray(gradient[:, output]))
        return step
