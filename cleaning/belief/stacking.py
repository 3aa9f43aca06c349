"""Noise-aware stacking: EM combines leave-one-out scores into posteriors over the true labels."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from cleaning.data import FloatMatrix, FloatVector, IntVector

_ROUNDS = 40
_SETTLED = 1e-3
# The prior of the stack: the sum of its weights, and how strongly weights and offsets are pulled to their prior means.
_WEIGHT_SUM, _WEIGHT_PULL, _OFFSET_PULL = 1.5, 10.0, 2.0
# Pseudo-counts per class: of the prior noise matrix, and of symmetric noise within that prior.
_MATRIX_PRIOR, _SYMMETRIC_PRIOR = 20.0, 10.0
# Prior deviation, in logits, of the error in the class frequencies of the training rows as a whole.
_SHIFT_DEVIATION = 0.5


@dataclass(frozen=True, eq=False)
class Stack:
    """A fitted stack.

    weights (learners,) ≥ 0 and offset (K,): parameters of the softmax. shift (K,): the correction of the logits towards
    the class frequencies of the clean rows. noise[c, g] = P(given label g | true label c), (K, K).
    """

    weights: FloatVector
    offset: FloatVector
    shift: FloatVector
    noise: FloatMatrix

    def before_label(self, scores: FloatMatrix) -> FloatMatrix:
        """P(true label | features and other rows), (m, K), for (learners, m, K) leave-one-out scores."""
        return np.asarray(softmax(_logits(self.weights, self.offset + self.shift, scores), axis=1))

    def posterior(self, scores: FloatMatrix, labels: IntVector) -> FloatMatrix:
        """P(true label | features and given label), (m, K)."""
        return _given(self.before_label(scores), self.noise, labels)


def fit_stack(scores: FloatMatrix, labels: IntVector, noisy: int) -> Stack:
    """EM over the true labels of the first `noisy` rows; the labels (m,) of the other rows are taken as true.

    E-step: softmax(Σ aₗ fₗ + b) times the column of the noise matrix. M-step: weighted cross-entropy for a ≥ 0 and b;
    expected counts for the noise matrix, shrunk towards symmetric noise and towards what a model of the noisy labels
    predicts on the clean rows of each class (gold loss correction, Hendrycks et al. 2018). A shift of the logits moves
    the posterior's class frequencies towards those of the clean rows, as far as their number justifies. Nothing else
    reveals one-directional noise on rows that look like the other class.
    """
    learners, rows, n_classes = scores.shape
    clean = np.bincount(labels[noisy:], minlength=n_classes).astype(np.float64)
    start = np.concatenate([np.full(learners, _WEIGHT_SUM / learners), np.zeros(n_classes)])
    truth = np.eye(n_classes)[labels]
    gold = _gold_counts(scores, truth, noisy, start)
    parameters, shift = start, np.zeros(n_classes)
    noise: FloatMatrix = (gold + _SYMMETRIC_PRIOR * _symmetric(0.2, n_classes)) / (clean + _SYMMETRIC_PRIOR)[:, None]
    for turn in range(_ROUNDS):
        before = softmax(_logits(parameters[:learners], parameters[learners:], scores[:, :noisy]), axis=1)
        if rows > noisy:
            shift = _frequency_shift(before * noise[:, labels[:noisy]].T, clean, shift)
        shifted = _given(before * np.exp(shift), noise, labels[:noisy])
        # The shift must correct the frequencies only once. In the targets, it would go into the offset in every round.
        targets = np.vstack([_given(before, noise, labels[:noisy]), truth[noisy:]])
        fitted = _cross_entropy_fit(scores, targets, parameters, start)
        noise = _noise_matrix(shifted, labels[:noisy], gold, clean)
        settled = np.abs(fitted[:learners] - parameters[:learners]).max() < _SETTLED and turn > 4
        parameters = fitted
        if settled:
            break
    return Stack(parameters[:learners], parameters[learners:], shift, noise)


def _logits(weights: FloatVector, offset: FloatVector, scores: FloatMatrix) -> FloatMatrix:
    return np.asarray(np.tensordot(weights, scores, 1) + offset)


def _given(before: FloatMatrix, noise: FloatMatrix, labels: IntVector) -> FloatMatrix:
    joint = before * noise[:, labels].T + 1e-300
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def _symmetric(rate: float, n_classes: int) -> FloatMatrix:
    return np.asarray((1 - rate) * np.eye(n_classes) + rate / (n_classes - 1) * (1 - np.eye(n_classes)))


def _cross_entropy_fit(
    scores: FloatMatrix, targets: FloatMatrix, parameters: FloatVector, centre: FloatVector
) -> FloatVector:
    """Weights and offset (learners + K,) of least cross-entropy to soft targets, pulled gently towards `centre`."""
    learners, _, n_classes = scores.shape
    pull = np.concatenate([np.full(learners, _WEIGHT_PULL), np.full(n_classes, _OFFSET_PULL)])

    def loss(point: FloatVector) -> tuple[float, FloatVector]:
        logs = log_softmax(_logits(point[:learners], point[learners:], scores), axis=1)
        residual = np.exp(logs) - targets
        moved = point - centre
        gradient = np.concatenate([np.tensordot(scores, residual, ([1, 2], [0, 1])), residual.sum(axis=0)])
        return float(-(targets * logs).sum() + 0.5 * (pull * moved**2).sum()), gradient + pull * moved

    bounds = [(0.0, None)] * learners + [(None, None)] * n_classes
    found = minimize(loss, parameters, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 30})
    return np.asarray(found.x, dtype=np.float64)


def _gold_counts(scores: FloatMatrix, truth: FloatMatrix, noisy: int, start: FloatVector) -> FloatMatrix:
    """Row c: the noisy-label model's probabilities summed over the clean rows of class c, (K, K)."""
    learners, rows, n_classes = scores.shape
    if rows == noisy:
        return np.zeros((n_classes, n_classes))
    fitted = _cross_entropy_fit(scores[:, :noisy], truth[:noisy], start, start)
    return np.asarray(
        truth[noisy:].T @ softmax(_logits(fitted[:learners], fitted[learners:], scores[:, noisy:]), axis=1)
    )


def _noise_matrix(posterior: FloatMatrix, labels: IntVector, gold: FloatMatrix, clean: FloatVector) -> FloatMatrix:
    n_classes = len(clean)
    counts = np.stack([posterior[labels == given].sum(axis=0) for given in range(n_classes)], axis=1)
    rate = float(np.clip(1 - np.trace(counts) / counts.sum(), 0.01, 0.49 if n_classes == 2 else 0.6))
    prior = (gold + _SYMMETRIC_PRIOR * _symmetric(rate, n_classes)) / (clean + _SYMMETRIC_PRIOR)[:, None]
    return np.asarray((counts + _MATRIX_PRIOR * prior) / (counts.sum(axis=1, keepdims=True) + _MATRIX_PRIOR))


def _frequency_shift(joint: FloatMatrix, clean: FloatVector, shift: FloatVector) -> FloatVector:
    """The most probable logit shift (K,), given a prior N(0, 0.5²) and the class frequencies of the clean rows.

    joint (n, K) ∝ P(true label, given label | features). The frequencies on both sides are treated as binomial
    estimates. A class that is absent from the clean rows keeps its frequency. Solved by Gauss-Newton steps.
    """
    seen, n_classes = clean > 0, len(clean)
    for _ in range(12):
        posterior = joint * np.exp(shift) + 1e-300
        posterior /= posterior.sum(axis=1, keepdims=True)
        mean = posterior.mean(axis=0)
        wanted = clean / clean.sum() * mean[seen].sum()
        variance = np.maximum(wanted * (1 - wanted), 0.02) * (1 / clean.sum() + 1 / len(joint))
        precision = np.where(seen, 1 / variance, 0.0)
        slope = np.diag(mean) - posterior.T @ posterior / len(joint)
        prior = np.eye(n_classes) / _SHIFT_DEVIATION**2
        gradient = prior @ shift + slope @ (precision * (mean - wanted))
        step = np.clip(np.linalg.solve(prior + slope @ (precision[:, None] * slope), gradient), -1, 1)
        shift = shift - step
        if np.abs(step).max() < _SETTLED:
            break
    return shift
