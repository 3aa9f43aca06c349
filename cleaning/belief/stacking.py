"""Noise-aware stacking: EM combines leave-one-out scores into posteriors over the true labels."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array
from scipy.special import log_softmax, softmax

from cleaning.data import FloatMatrix, FloatVector

Votes = FloatMatrix | csr_array

_ROUNDS = 40
_SETTLED = 1e-3
# The prior of the stack: the sum of its weights, and how strongly weights and offsets are pulled to their prior means.
_WEIGHT_SUM, _WEIGHT_PULL, _OFFSET_PULL = 1.5, 10.0, 2.0
# Pseudo-counts per class: of the prior noise matrix, and of symmetric noise within that prior.
_MATRIX_PRIOR, _SYMMETRIC_PRIOR = 20.0, 10.0
# Pseudo-votes of the common error rate in that of one annotator.
_RATE_PRIOR = 10.0
# Fewer votes than this are rounding.
_NOBODY = 1e-6


@dataclass(frozen=True, eq=False)
class Stack:
    """A fitted stack.

    weights (learners,) ≥ 0 and offset (K,): parameters of the softmax. noise[c, g] = P(given label g | true label c),
    (K, K); with A annotators their matrices side by side, (K, A·K).
    """

    weights: FloatVector
    offset: FloatVector
    noise: FloatMatrix

    def logits(self, scores: FloatMatrix) -> FloatMatrix:
        """Unnormalised log-probabilities of the true labels, (m, K), for (learners, m, K) leave-one-out scores."""
        return _logits(self.weights, self.offset, scores)

    def before_label(self, scores: FloatMatrix) -> FloatMatrix:
        """P(true label | features and other rows), (m, K), for (learners, m, K) leave-one-out scores."""
        return np.asarray(softmax(self.logits(scores), axis=1))

    def posterior(self, scores: FloatMatrix, votes: Votes) -> FloatMatrix:
        """P(true label | features and given labels), (m, K)."""
        return given_votes(self.before_label(scores), self.noise, votes)


def fit_stack(
    scores: FloatMatrix,
    votes: FloatMatrix,
    noisy: int,
    *,
    before: FloatMatrix,
    gold: bool = False,
    ballots: csr_array | None = None,
) -> Stack:
    """EM over the true labels of the first `noisy` rows; the labels of the other rows are taken as true.

    votes (m, K): the shares of each row's labels, one-hot for a row with one label. before (c, K): the votes that the
    last c rows had before they were checked. These rows were chosen by their features and labels, which the model
    knows, so they tell of the noise as the other rows do. ballots (noisy, A·K): what each of A annotators said of the
    noisy rows; then before is (c, A·K). Default: the votes, as those of one annotator.

    E-step: softmax(Σ aₗ fₗ + b) times the column of the noise matrix. M-step: weighted cross-entropy for a ≥ 0 and b;
    expected counts for the noise matrix, shrunk towards symmetric noise. With `gold` it is also shrunk towards what a
    model of the noisy labels predicts for the trusted rows of each class (gold loss correction, Hendrycks et al. 2018).
    It mistakes the overlap of clean classes for noise, so it only serves as an upper view of the noise.
    """
    learners, rows, n_classes = scores.shape
    drawn = rows - len(before)
    start = np.concatenate([np.full(learners, _WEIGHT_SUM / learners), np.zeros(n_classes)])
    counts: FloatMatrix = np.zeros((n_classes, n_classes))
    trusted: FloatVector = np.zeros(n_classes)
    if gold:
        counts = _gold_counts(scores[:, :drawn], votes[:drawn], noisy, start)
        trusted = np.asarray(votes[noisy:drawn].sum(axis=0), dtype=np.float64)
    parameters = start
    prior = counts + _SYMMETRIC_PRIOR * _symmetric(0.2, n_classes)
    said: Votes = votes[:noisy] if ballots is None else ballots
    first = prior / (trusted + _SYMMETRIC_PRIOR)[:, None]
    noise: FloatMatrix = np.tile(first, said.shape[1] // n_classes)
    for turn in range(_ROUNDS):
        prior_belief = softmax(_logits(parameters[:learners], parameters[learners:], scores[:, :noisy]), axis=1)
        believed = given_votes(prior_belief, noise, said)
        fitted = _cross_entropy_fit(scores, np.vstack([believed, votes[noisy:]]), parameters, start)
        seen = np.asarray(believed.T @ said + votes[drawn:].T @ before)
        noise = noise_matrices(seen, counts, trusted)
        settled = np.abs(fitted[:learners] - parameters[:learners]).max() < _SETTLED and turn > 4
        parameters = fitted
        if settled:
            break
    return Stack(parameters[:learners], parameters[learners:], noise)


def _logits(weights: FloatVector, offset: FloatVector, scores: FloatMatrix) -> FloatMatrix:
    return np.asarray(np.tensordot(weights, scores, 1) + offset)


def given_votes(before: FloatMatrix, noise: FloatMatrix, votes: Votes) -> FloatMatrix:
    """P(true label | features and given labels), (m, K): the belief before the label times Π_g noise[c, g]^votes[g]."""
    logs = np.log(before + 1e-300) + csr_array(votes) @ np.log(noise + 1e-300).T
    return np.asarray(softmax(logs, axis=1))


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


def _noise_matrix(counts: FloatMatrix, gold: FloatMatrix, trusted: FloatVector) -> FloatMatrix:
    """The noise matrix by the expected counts (true class, given label), shrunk towards the prior."""
    return _shrunk(counts, _prior_matrix(counts, gold, trusted))


def _prior_matrix(counts: FloatMatrix, gold: FloatMatrix, trusted: FloatVector) -> FloatMatrix:
    n_classes = len(trusted)
    rate = float(np.clip(1 - np.trace(counts) / counts.sum(), 0.01, 0.49 if n_classes == 2 else 0.6))
    prior = (gold + _SYMMETRIC_PRIOR * _symmetric(rate, n_classes)) / (trusted + _SYMMETRIC_PRIOR)[:, None]
    return np.asarray(prior, dtype=np.float64)


def _shrunk(counts: FloatMatrix, prior: FloatMatrix) -> FloatMatrix:
    return np.asarray((counts + _MATRIX_PRIOR * prior) / (counts.sum(axis=1, keepdims=True) + _MATRIX_PRIOR))


def noise_matrices(seen: FloatMatrix, gold: FloatMatrix, trusted: FloatVector) -> FloatMatrix:
    """The noise matrix of each annotator by the expected counts (K, A·K), side by side.

    Each is shrunk towards that of all others, with its errors scaled to the annotator's own error rate. Somebody with
    few votes so differs from the others by the rate alone. Without others it is shrunk as the matrix of one annotator.
    """
    n_classes = len(trusted)
    each = seen.reshape(n_classes, -1, n_classes)
    together = each.sum(axis=1)
    if each.shape[1] == 1:
        return _noise_matrix(together, gold, trusted)
    prior, found = _prior_matrix(together, gold, trusted), np.empty_like(each)
    for one in range(each.shape[1]):
        own = each[:, one]
        others = together - own
        centre = prior
        if others.sum() > _NOBODY:
            centre = _with_rate_of(own, _shrunk(others, prior))
        found[:, one] = _shrunk(own, centre)
    return np.asarray(found.reshape(n_classes, -1))


def _with_rate_of(counts: FloatMatrix, noise: FloatMatrix) -> FloatMatrix:
    """The noise matrix with all errors scaled so that their rate is that of the counts, as far as these tell."""
    n_classes = len(noise)
    diagonal = np.diag(noise)
    classes = counts.sum(axis=1)
    common = float(((1 - diagonal) * (classes + 1e-9)).sum() / (classes + 1e-9).sum())
    rate = (counts.sum() - np.trace(counts) + _RATE_PRIOR * common) / (counts.sum() + _RATE_PRIOR)
    rate = float(np.clip(rate, 0.01, 1 - 1 / n_classes))
    errors = np.minimum((1 - diagonal) * rate / max(common, 1e-9), 1 - 0.5 / n_classes)
    scaled = noise * (errors / np.maximum(1 - diagonal, 1e-12))[:, None]
    scaled[np.diag_indices(n_classes)] = 1 - errors
    return np.asarray(scaled / scaled.sum(axis=1, keepdims=True))
