"""A proof of which class the optimum predicts, from any point near it.

Let f be the penalised loss, x̃ = (x, 1), g = ∇f(w), and e = w* − w the way to the optimum. The softmax depends on
differences of classes only, so all of them are taken with sum 0 over the classes.

1. For a vector h with sum 0, hᵀ(diag p − ppᵀ)h = minᵧ Σ pₖ(hₖ − y)² ≥ min p · minᵧ Σ (hₖ − y)² = min p · ‖h‖². Hence
   the Hessian is at least B ⊗ I with B = I / C (weights only) + Σᵢ μᵢ x̃ᵢx̃ᵢᵀ, where μᵢ = minₖ pᵢₖ(w).
2. The third derivative of the log-loss of a row along h is at most the range of h times the second. So at w + se the
   Hessian is at least exp(−sρ) times that at w, where ρ is the largest range of x̃ᵢᵀe over the training rows.
3. g + ∫ H(w + se) e ds = 0. Multiplied by e, with (1) and (2): ‖e‖ · (1 − exp(−ρ)) / ρ ≤ ‖g‖₋, in the norm of B for
   e and of B⁻¹ for g.
4. A difference of two classes moves by at most a(x)‖e‖, with a(x) = √(2 x̃ᵀB⁻¹x̃). With R the largest a(x) over the
   training rows, ρ ≤ R‖e‖; so 1 − exp(−ρ) ≤ R‖g‖₋, and if R‖g‖₋ < 1, ‖e‖ ≤ −log(1 − R‖g‖₋) / R.

So at the optimum no difference of two margins of a row x is further than a(x) · (−log(1 − R‖g‖₋) / R) from its value
at w. B may have other weights μᵢ, such as a share of the smallest probabilities at another point. The Hessian at w is
at least qB if q ≤ 1 and μᵢ(w) ≥ qμᵢ for all i. If this fails for some i by the share cᵢ, it is at least
qB − Σ qcᵢμᵢx̃ᵢx̃ᵢᵀ, which is at least q(1 − Σ cᵢhᵢ)B with the leverage hᵢ = μᵢx̃ᵢᵀB⁻¹x̃ᵢ = μᵢa(xᵢ)² / 2. Then ‖g‖₋ and all
a(x) are larger by 1 / √q; as they occur only as products, the code divides ‖g‖₋ by q.

Source of step 2: Bach, Self-concordant analysis for logistic regression (2010).

All of this is computed in float64, apart from a(x), which is rounded up; what float64 rounds is far below the tolerance
within which classes count as tied.
"""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.learners.logistic_path.factor import blas, lapack
from cleaning.learners.logistic_path.geometry import Columns, chunks
from cleaning.learners.logistic_path.likelihood import probabilities

# Float32 products of d terms are off by at most about d of these, relative to the product of the lengths.
_FLOAT32 = float(np.finfo(np.float32).eps)

# B is made with this share of the smallest probabilities. That costs little where the penalty is most of B, and leaves
# q near 1 when they fall.
_KEPT = 0.4
# The values of q that are tried; with less than the smallest, the certificate proves nothing anyway.
_SMALLEST_SHARE = 1e-30
_SHARES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, eq=False)
class Point:
    """The loss at weights (size + 1, outputs, states), computed in float64.

    gradient: of the same shape. probability (outputs, states, n): rounded to float32. smallest (n, states): μ.
    """

    weights: FloatMatrix
    gradient: FloatMatrix
    probability: FloatMatrix
    smallest: FloatMatrix


class Certificate:
    """The metric B at probabilities (n, outputs), without the rows `moving`, whose labels change while it is used.

    reach (m,): a(x) of the test rows `test` (m, size), rounded up. valid_below: the proof holds if ‖g‖₋ is smaller.
    """

    def __init__(self, geometry: Columns, probability: FloatMatrix, moving: IntVector, test: FloatMatrix) -> None:
        least = probability.min(axis=1).astype(np.float64)
        least *= _KEPT
        least[moving] = 0.0
        half = _half_inverse(geometry, least)
        self._half = np.eye(geometry.matrix.shape[1] + 1) if half is None else half
        narrow, norm, reach = self._half.astype(np.float32), float(np.linalg.norm(self._half)), np.empty(len(least))
        for rows in chunks(geometry.length, len(narrow)):
            reach[rows] = _reach(narrow, norm, geometry.part(rows))
        self._largest = float(reach.max()) if half is not None else np.inf
        self.valid_below = 1.0 / self._largest
        self._counts = np.flatnonzero(least)
        self._least = least[self._counts]
        self._leverage = 0.5 * self._least * reach[self._counts] ** 2
        self.reach = np.empty(len(test))
        for rows in chunks(len(test), len(narrow)):
            self.reach[rows] = _reach(narrow, norm, test[rows])

    def slope(self, point: Point) -> FloatVector:
        """Bounds on ‖g‖₋ in the metric at the point itself, one per state."""
        centred = point.gradient - point.gradient.mean(axis=1, keepdims=True)
        turned = self._half @ centred.reshape(len(centred), -1)
        norm = np.sqrt(np.square(turned).reshape(centred.shape).sum(axis=(0, 1)))
        return np.asarray(norm / self._share(point.smallest))

    def distance(self, slope: FloatVector) -> FloatVector:
        """Bounds on ‖e‖ from those on ‖g‖₋, infinite where the proof does not hold."""
        inside = slope < self.valid_below
        bent = np.where(inside, self._largest * slope, 0.0)
        return np.asarray(np.where(inside, -np.log1p(-bent) / self._largest, np.inf))

    def _share(self, smallest: FloatMatrix) -> FloatVector:
        """The largest q found such that qB is below the Hessian, one per state."""
        ratio = smallest[self._counts] / self._least[:, None]
        best = np.minimum(1.0, ratio.min(axis=0, initial=1.0))
        for share in _SHARES:
            lost = self._leverage @ np.maximum(0.0, 1.0 - ratio / share)
            best = np.maximum(best, share * (1.0 - lost))
        return np.asarray(np.maximum(best, _SMALLEST_SHARE))


def point_at(geometry: Columns, weights: FloatMatrix, pulls: FloatMatrix) -> Point:
    """The loss at some weights; pulls, of the same shape: [X 1]ᵀ times the targets of each state."""
    size, outputs, states = weights.shape
    gradient, smallest = geometry.penalty * weights, np.empty((geometry.length, states))
    probability = np.empty((outputs, states, geometry.length), np.float32)
    gradient[-1] = 0.0
    gradient -= pulls
    flat = weights[:-1].reshape(size - 1, -1)
    converted = 0 if geometry.features.dtype == np.float64 else size
    for rows in chunks(geometry.length, max(outputs * states, converted)):
        margins = geometry.margins(rows, flat).reshape(-1, outputs, states)
        margins += weights[-1]
        chance = probabilities(margins)
        smallest[rows], probability[:, :, rows] = chance.min(axis=1), chance.transpose(1, 2, 0)
        geometry.add_residual(gradient, rows, chance)
    return Point(weights, gradient, probability, smallest)


def _half_inverse(geometry: Columns, weights: FloatVector) -> FloatMatrix | None:
    """L⁻¹ for B = LLᵀ; None if B is singular after rounding."""
    size = geometry.matrix.shape[1]
    square = np.zeros((size + 1, size + 1), order="F")
    for rows in chunks(geometry.length, size):
        part = np.ones((rows.stop - rows.start, size + 1))
        part[:, :-1] = geometry.part(rows)
        part *= np.sqrt(weights[rows, None])
        square = blas.dsyrk(1.0, part.T, beta=1.0, c=square, lower=1, overwrite_c=1)
    square[np.arange(size), np.arange(size)] += geometry.penalty
    with suppress(np.linalg.LinAlgError):
        return np.asarray(lapack.dtrtri(np.linalg.cholesky(square), lower=1)[0])
    return None


def _reach(half: FloatMatrix, norm: float, rows: FloatMatrix) -> FloatVector:
    """√2 ‖L⁻¹x̃‖, rounded up by what the float32 product can lose."""
    extended = np.ones((len(rows), rows.shape[1] + 1), np.float32)
    extended[:, :-1] = rows
    # float32 holds the product, but perhaps not its squares
    length = np.sqrt(np.square(extended @ half.T, dtype=np.float64).sum(axis=1))
    lengths = np.sqrt(np.square(extended).sum(axis=1, dtype=np.float64))
    return np.asarray(np.sqrt(2.0) * (length + (len(half) + 4) * _FLOAT32 * norm * lengths))
