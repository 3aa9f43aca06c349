"""A symmetric positive definite matrix, factorised and kept."""

from typing import Any

import numpy as np
import scipy.linalg

from cleaning.data import FloatMatrix
from cleaning.errors import Unsuitable

# Their stubs differ from release to release in whether a matrix of either precision will do; at run time it does.
blas: Any = scipy.linalg.blas
lapack: Any = scipy.linalg.lapack

# From this many right-hand sides on, forming the inverse for a matrix product is worth its cost.
_MANY_COLUMNS = 8
# Added to each diagonal entry, as a share of it. A metric need not be exact, but must stay definite after rounding.
_JITTER = {np.dtype(np.float64): 1e-12, np.dtype(np.float32): 1e-6}


class Factor:
    """The factorisation of a symmetric positive definite matrix, which is overwritten.

    It forms the inverse when it first has to solve for many columns, in float32 only if asked to. Raises Unsuitable if
    the matrix is indefinite after rounding.
    """

    def __init__(self, matrix: FloatMatrix) -> None:
        diagonal = np.arange(len(matrix))
        matrix[diagonal, diagonal] *= 1 + _JITTER[matrix.dtype]
        factorise = lapack.spotrf if matrix.dtype == np.float32 else lapack.dpotrf
        factor, failed = factorise(matrix.T, lower=0, overwrite_a=1, clean=0)
        if failed:
            raise Unsuitable(
                "logistic regression has no unique optimum within rounding error: the penalty is too weak. "
                "Fix: lower C."
            )
        self._factor: FloatMatrix = factor
        self._inverse: FloatMatrix | None = None

    def solve(self, right: FloatMatrix) -> FloatMatrix:
        """The solution for each column of the right-hand side, C-contiguous."""
        if self._factor.dtype == np.float32:
            single = np.asfortranarray(right, dtype=np.float32)
            return np.ascontiguousarray(lapack.spotrs(self._factor, single, overwrite_b=1)[0], dtype=np.float64)
        if right.shape[1] == 1:  # takes a third of the time of LAPACK's general solver
            first = blas.dtrsv(self._factor, right[:, 0], trans=1)
            return np.asarray(blas.dtrsv(self._factor, first, overwrite_x=1))[:, None]
        if self._inverse is None and right.shape[1] < _MANY_COLUMNS:
            return np.ascontiguousarray(lapack.dpotrs(self._factor, right)[0])
        return np.asarray(self.inverse() @ right)

    def inverse(self) -> FloatMatrix:
        """The inverse of the matrix."""
        if self._inverse is None:
            invert = lapack.spotri if self._factor.dtype == np.float32 else lapack.dpotri
            upper = np.triu(invert(self._factor)[0])
            self._inverse = upper + np.triu(upper, 1).T
        return self._inverse

    def half_solve(self, right: FloatMatrix) -> FloatMatrix:
        """R⁻ᵀ right for the factor RᵀR. Inner products of the result are those of `right` in the inverse metric."""
        return np.asarray(blas.dtrsm(1.0, self._factor, right, trans_a=1))
