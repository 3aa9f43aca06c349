"""Log-loss of a logistic model around a reference point: probabilities, their exact differences, their curvature.

Arrays are (rows, outputs, states): one output for two classes (the log-odds of class 1), K outputs for K ≥ 3 classes.
Everything is written as the difference from reference probabilities P (rows, outputs), so that a small change of the
margins keeps its relative precision, also in float32: with E = exp(δ) − 1 and z = Σₖ pₖ Eₖ the new probability is
p + p (E − z) / (1 + z); for two classes the other class keeps its margin and p + p (1 − p) E / (1 + p E).
"""

import numpy as np

from cleaning.data import FloatMatrix, FloatVector

# Beyond these shifts exp() leaves float32.
_LARGEST_SHIFT = 80.0


def dot(left: FloatMatrix, right: FloatMatrix) -> FloatVector:
    """The inner product of (rows, outputs, states), one number a state."""
    if left.shape[2] == 1:
        return np.array([np.vdot(left, right)], dtype=np.float64)
    return np.asarray(np.einsum("nks,nks->s", left, right), dtype=np.float64)


def probabilities(margins: FloatMatrix) -> FloatMatrix:
    """(rows, outputs) probabilities of margins of the same shape, computed in place."""
    if margins.shape[1] == 1:
        np.negative(margins, out=margins)
        np.exp(margins, out=margins)  # an overflow is as good as the infinity it gives
        margins += 1.0
        return np.reciprocal(margins, out=margins)
    margins -= margins.max(axis=1, keepdims=True)
    np.exp(margins, out=margins)
    margins /= margins.sum(axis=1, keepdims=True)
    return margins


def probability_change(reference: FloatMatrix, margins: FloatMatrix) -> FloatMatrix:
    """New probabilities minus the reference ones (rows, outputs), for margins (rows, outputs, states).

    In float64 the margins are the new ones. In float32 they are the *shift* since the reference, and the difference is
    formed without cancellation.
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
    """Second derivative of the summed log-loss along a direction of the margins, one number a state."""
    now = reference[:, :, None] + change
    weighted = now * direction
    if reference.shape[1] == 1:
        now -= 1
        weighted *= direction
        return -dot(weighted, now)
    centred = direction - weighted.sum(axis=1, keepdims=True)
    now *= centred
    return dot(now, centred)
