"""Log-loss of a logistic model around a reference point: probabilities, their exact changes, and curvature.

Arrays are (rows, outputs, states), with one output for two classes (the log-odds of class 1) and K outputs for K ≥ 3
classes. Everything is computed as the difference from reference probabilities p (rows, outputs), so that small changes
δ of the margins keep their relative precision, even in float32. With E = exp(δ) − 1 and z = Σₖ pₖ Eₖ, the new
probability is p + p (E − z) / (1 + z). For two classes the other class keeps its margin, so it is
p + p (1 − p) E / (1 + p E).
"""

import numpy as np

from cleaning.data import FloatMatrix, FloatVector

# Shifts are clipped here, so that exp() stays within the range of float32.
_LARGEST_SHIFT = 80.0


def dot(left: FloatMatrix, right: FloatMatrix) -> FloatVector:
    """The inner product of two (rows, outputs, states) arrays, one number per state."""
    if left.shape[2] == 1:
        return np.array([np.vdot(left, right)], dtype=np.float64)
    return np.asarray(np.einsum("nks,nks->s", left, right), dtype=np.float64)


def probabilities(margins: FloatMatrix) -> FloatMatrix:
    """(rows, outputs) probabilities of margins of the same shape, computed in place."""
    if margins.shape[1] == 1:
        np.negative(margins, out=margins)
        np.exp(margins, out=margins)  # overflow is fine: infinity gives probability 0
        margins += 1.0
        return np.reciprocal(margins, out=margins)
    margins -= margins.max(axis=1, keepdims=True)
    np.exp(margins, out=margins)
    margins /= margins.sum(axis=1, keepdims=True)
    return margins


def probability_change(reference: FloatMatrix, margins: FloatMatrix) -> FloatMatrix:
    """New minus reference probabilities, for reference (rows, outputs) and margins (rows, outputs, states).

    In float64, `margins` are the new margins. In float32, they are the *shift* from the reference, and the difference
    is computed without cancellation.
    """
    if margins.dtype == np.float64:
        now = probabilities(margins.copy())
        now -= reference[:, :, None]
        return now
    growth = np.clip(margins, -_LARGEST_SHIFT, _LARGEST_SHIFT)
    np.expm1(growth, out=growth)
    before = reference[:, :, None]
    if reference.shape[1] == 1:
        weighted = before * growth
        growth *= before * (1 - before)
        weighted += 1
        growth /= weighted
        return growth
    total = np.einsum("nk,nks->ns", reference, growth)[:, None, :]
    growth -= total
    growth *= before
    total += 1
    growth /= total
    return growth


def curvature(reference: FloatMatrix, change: FloatMatrix, direction: FloatMatrix) -> FloatVector:
    """The second derivative of the summed log-loss along a direction in margins, one number per state."""
    now = reference[:, :, None] + change
    weighted = now * direction
    if reference.shape[1] == 1:
        now -= 1
        weighted *= direction
        return -dot(weighted, now)
    centred = direction - weighted.sum(axis=1, keepdims=True)
    now *= centred
    return dot(now, centred)
