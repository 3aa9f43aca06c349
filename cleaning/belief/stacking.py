"""Noise-aware stacking: EM combines leave-one-out scores into posteriors over the true labels."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.special import softmax

from cleaning.belief.cross_entropy import cross_entropy_fit
from cleaning.belief.noise_structure import as_far_as_shown
from cleaning.belief.shortlist import Shortlist
from cleaning.data import FloatMatrix, FloatVector

Votes = FloatMatrix | csr_array

# EM takes up to so many turns, fewer from an earlier stack; it ends when no learner's weight moves by more than that.
_ROUNDS, _ROUNDS_AGAIN = 40, 8
_SETTLED = 1e-3
# The prior of the stack: the sum of its weights.
_WEIGHT_SUM = 1.5
# Pseudo-counts per class: of the prior noise matrix for up to ten classes, and of symmetric noise within that prior.
_MATRIX_PRIOR, _SYMMETRIC_PRIOR = 20.0, 10.0
# The noise matrix takes at least this share of the labels to be wrong, to begin with.
LEAST_NOISE = 0.01
# Pseudo-votes of the common error rate in that of one annotator.
_RATE_PRIOR = 10.0
# See `guessed_share`.
_GUESSED = 0.15
# The power of `_sureness`, and up to how many noisy rows per class it is 0. Chosen with seven kinds of noise on 2,400
# to 50,000 pictures of clothes in ten classes, and with five kinds on pairs of these classes.
_MOST_SURE, _TOO_FEW = 3.0, 500
# Votes are looked at together up to so many numbers (votes × classes).
_AT_ONCE = 1_000_000
# Fewer votes than this are rounding.
_NOBODY = 1e-6
_BLOCK = 1024


@dataclass(frozen=True, eq=False)
class Stack:
    """A fitted stack.

    weights (learners,) ≥ 0 and offset (K,): parameters of the softmax. noise[c, g] = P(given label g | true label c),
    (K, K); with A annotators their matrices side by side, (K, A·K). row_noise: the same for the belief about single
    rows, with as much structure as the labels show; see `as_far_as_shown`. With gold correction, trusted rows show it.
    """

    weights: FloatVector
    offset: FloatVector
    noise: FloatMatrix
    row_noise: FloatMatrix

    def logits(self, scores: FloatMatrix) -> FloatMatrix:
        """Unnormalised log-probabilities of the true labels, (m, K), for (learners, m, K) leave-one-out scores."""
        found = np.empty(scores.shape[1:])
        for at in range(0, len(found), _BLOCK):  # scores in single precision would be copied in double
            found[at : at + _BLOCK] = _logits(self.weights, self.offset, scores[:, at : at + _BLOCK])
        return found

    def before_label(self, scores: FloatMatrix) -> FloatMatrix:
        """P(true label | features and other rows), (m, K), for (learners, m, K) leave-one-out scores."""
        return np.asarray(softmax(self.logits(scores), axis=1))

    def posterior(self, scores: FloatMatrix, votes: Votes, guessed: float = 0.0) -> FloatMatrix:
        """P(true label | features and given labels), (m, K); see `given_votes`."""
        return given_votes(self.before_label(scores), self.row_noise, votes, guessed)


def fit_stack(
    scores: FloatMatrix,
    votes: FloatMatrix,
    noisy: int,
    *,
    before: FloatMatrix,
    gold: bool = False,
    ballots: csr_array | None = None,
    earlier: Stack | None = None,
) -> Stack:
    """EM over the true labels of the first `noisy` rows; the labels of the other rows are taken as true.

    votes (m, K): the shares of each row's labels, one-hot for a row with one label. before (c, K): the votes that the
    last c rows had before they were checked. These rows were chosen by their features and labels, which the model
    knows, so they tell of the noise as the other rows do. ballots (noisy, A·K): what each of A annotators said of the
    noisy rows; then before is (c, A·K). Default: the votes, as those of one annotator.

    E-step: softmax(Σ aₗ fₗ + b) times the column of the noise matrix. M-step: weighted cross-entropy for a ≥ 0 and b,
    where trusted rows may have another class mix (see `_more_frequent`); expected counts for the noise matrix, shrunk
    towards symmetric noise. Where rows are many, those whose class is sure count more, since the noise matrix would
    otherwise take the overlap of classes for noise. With `gold` it is also shrunk towards what a model of the noisy
    labels predicts for the trusted rows of each class (gold loss correction, Hendrycks et al. 2018). That mistakes the
    overlap of clean classes for noise, so it only serves as an upper view, and for the order of fixes.

    earlier: where EM begins, if rows have been checked since this stack was fitted; a few turns are then enough.
    """
    learners, rows, n_classes = scores.shape
    drawn = rows - len(before)
    start = _start(learners, n_classes)
    short = Shortlist.of(scores, votes, start)
    counts: FloatMatrix = np.zeros((n_classes, n_classes))
    trusted: FloatVector = np.zeros(n_classes)
    if gold:
        counts = _gold_counts(short, scores[:, noisy:drawn], votes, noisy, start)
        trusted = np.asarray(votes[noisy:drawn].sum(axis=0), dtype=np.float64)
    parameters, turns = start, _ROUNDS
    prior = counts + _SYMMETRIC_PRIOR * _symmetric(0.2, n_classes)
    said: Votes = votes[:noisy] if ballots is None else ballots
    noise: FloatMatrix = np.tile(prior / (trusted + _SYMMETRIC_PRIOR)[:, None], said.shape[1] // n_classes)
    if earlier is not None:
        parameters, turns = np.concatenate([earlier.weights, earlier.offset]), _ROUNDS_AGAIN
        noise = earlier.noise
    targets, training, ballot = short.of_rows(votes), short.take(slice(noisy)), csr_array(said)
    for turn in range(turns):
        believed = np.asarray(softmax(training.logits(parameters) + training.heard(ballot, noise), axis=0))
        targets[:, :noisy] = believed
        fitted = cross_entropy_fit(short, targets, parameters, start, slice(noisy, drawn))
        sure = _sureness(short, parameters, noisy)
        seen = training.counted(believed * sure[:, :noisy], ballot) + (votes[drawn:].T * sure[:, drawn:]) @ before
        noise = noise_matrices(seen, counts, trusted)
        settled = np.abs(fitted[:learners] - parameters[:learners]).max() < _SETTLED and turn > 4
        parameters = fitted
        if settled:
            break
    row_noise = noise if gold else as_far_as_shown(training, parameters, ballot, noise, _strength(n_classes))
    return Stack(parameters[:learners], parameters[learners:], noise, row_noise)


def logits_without_noise(scores: FloatMatrix, votes: FloatMatrix, noisy: int) -> FloatMatrix:
    """The logits (m, K) of a stack for which all labels are right, of trusted rows as well as of the noisy ones."""
    learners, rows, n_classes = scores.shape
    start = _start(learners, n_classes)
    short = Shortlist.of(scores, votes, start)
    found = cross_entropy_fit(short, short.of_rows(votes), start, start, slice(noisy, rows))
    none = np.eye(n_classes)
    return Stack(found[:learners], found[learners:], none, none).logits(scores)


def _start(learners: int, n_classes: int) -> FloatVector:
    """The prior mean of weights and offset, (learners + K,)."""
    return np.repeat([_WEIGHT_SUM / learners, 0.0], [learners, n_classes])


def _sureness(short: Shortlist, parameters: FloatVector, noisy: int) -> FloatMatrix:
    """How much each row's belief in each class counts in the noise matrix, (C, m): P(class | features)^power.

    Where the noise depends on the true class alone, weights that depend on features and true class leave the estimate
    right; rows whose class is sure are hardly misjudged. The power is 0 for up to 500 noisy rows per class, since such
    rows are fewer, and grows to 3.
    """
    per_class = noisy / short.n_classes
    if per_class <= _TOO_FEW or short.classes is not None:
        return np.ones((1, short.scores.shape[2]))
    power = _MOST_SURE * (1 - _TOO_FEW / per_class)
    return np.asarray(softmax(short.logits(parameters), axis=0) ** power)


def _logits(weights: FloatVector, offset: FloatVector, scores: FloatMatrix) -> FloatMatrix:
    return np.asarray(np.tensordot(weights, scores, 1) + offset)


def given_votes(before: FloatMatrix, noise: FloatMatrix, votes: Votes, guessed: float = 0.0) -> FloatMatrix:
    """P(true label | features and given labels), (m, K): the belief before the label times Π_g P(g | c, row)^votes[g].

    P(g | c, row) is that of `with_guesses`. So ambiguous rows are wrong more often than the noise matrix says. Nothing
    but the true labels of such rows could tell `guessed`; see `guessed_share`.
    """
    logs = np.log(before + 1e-300)
    if not guessed:
        return np.asarray(softmax(logs + csr_array(votes) @ np.log(noise + 1e-300).T, axis=1))
    entries = coo_array(votes)
    rows, said = entries.coords
    step = max(1, _AT_ONCE // before.shape[1])
    for at in range(0, len(rows), step):
        part = slice(at, at + step)
        looks = before[rows[part], said[part] % before.shape[1]]
        likely = with_guesses(noise[:, said[part]].T, looks, guessed)
        np.add.at(logs, rows[part], entries.data[part, None] * np.log(likely + 1e-300))
    return np.asarray(softmax(logs, axis=1))


def log_likelihood(before: FloatMatrix, noise: FloatMatrix, votes: Votes) -> FloatVector:
    """That of the votes on each row, (m,), by a belief (m, K) that does not know them."""
    said = coo_array(votes)
    row, column = said.coords
    likely = np.einsum("ic,ci->i", before[row], noise[:, column])
    return np.asarray(np.bincount(row, said.data * np.log(likely + 1e-300), len(before)), dtype=np.float64)


def common_noise(noise: FloatMatrix, votes: Votes) -> FloatMatrix:
    """The noise matrix (K, K) of a vote drawn at random, by the matrices of all annotators, (K, A·K)."""
    n_classes = len(noise)
    each = noise.reshape(n_classes, -1, n_classes)
    if each.shape[1] == 1:
        return noise
    drawn = np.asarray(votes.sum(axis=0)).reshape(-1, n_classes).sum(axis=1)
    return np.asarray(np.einsum("a,cag->cg", drawn / drawn.sum(), each))


def with_guesses(column: FloatMatrix, looks: FloatMatrix, guessed: float | np.float32) -> FloatMatrix:
    """P(what each row was called | true class), (m, K) = (1 - guessed) · noise[c, g] + guessed · before[row, g].

    column (m, K): the noise[c, g] of what each row was called; looks (m,): its before[row, g]. The second term is for
    annotators who do not know: they say what rows like this one usually are, whatever this one is.
    """
    return np.asarray((1 - guessed) * column + guessed * looks[:, None])


def guessed_share(n_classes: int) -> float:
    """The share of labels taken to be guessed: 0 for two classes, .10 for ten, .13 for a hundred.

    A prior, chosen on the study's sets and on pictures of clothes with labels that another kind of model would confuse.
    With instance-dependent noise, more would be better still; with class-conditional noise, none would be.
    """
    return _GUESSED * (1 - 1 / float(np.log2(max(n_classes, 2))))


def _symmetric(rate: float, n_classes: int) -> FloatMatrix:
    return np.asarray((1 - rate) * np.eye(n_classes) + rate / (n_classes - 1) * (1 - np.eye(n_classes)))


def _gold_counts(
    short: Shortlist, trusted: FloatMatrix, votes: FloatMatrix, noisy: int, start: FloatVector
) -> FloatMatrix:
    """Row c: the noisy-label model's probabilities summed over the clean rows of class c, (K, K).

    trusted: scores (learners, rows, K) of the clean rows, which come after the noisy ones.
    """
    learners, rows, n_classes = trusted.shape
    if not rows:
        return np.zeros((n_classes, n_classes))
    training = short.take(slice(noisy))
    fitted = cross_entropy_fit(training, training.of_rows(votes[:noisy]), start, start)
    predicted = softmax(_logits(fitted[:learners], fitted[learners:], trusted), axis=1)
    return np.asarray(votes[noisy : noisy + rows].T @ predicted)


def _prior_matrix(counts: FloatMatrix, gold: FloatMatrix, trusted: FloatVector) -> FloatMatrix:
    """The noise matrix before any counts but for their error rate: symmetric, and as `gold` counts."""
    n_classes = len(trusted)
    rate = float(np.clip(1 - np.trace(counts) / counts.sum(), LEAST_NOISE, 0.49 if n_classes == 2 else 0.6))
    prior = (gold + _SYMMETRIC_PRIOR * _symmetric(rate, n_classes)) / (trusted + _SYMMETRIC_PRIOR)[:, None]
    return np.asarray(prior, dtype=np.float64)


def _shrunk(counts: FloatMatrix, prior: FloatMatrix) -> FloatMatrix:
    """(counts + strength · prior), with rows that sum to 1."""
    strength = _strength(len(prior))
    return np.asarray((counts + strength * prior) / (counts.sum(axis=1, keepdims=True) + strength))


def _strength(n_classes: int) -> float:
    """The pseudo-counts per class.

    With K > 10 classes they grow with (K - 1)^(2/3): each class has many others that it may be called, and would
    otherwise be taken to be called often what it was called once.
    """
    return float(_MATRIX_PRIOR * max(1.0, ((n_classes - 1) / 9) ** (2 / 3)))


def noise_matrices(seen: FloatMatrix, gold: FloatMatrix, trusted: FloatVector) -> FloatMatrix:
    """The noise matrix of each annotator by the expected counts (K, A·K), side by side.

    Each is shrunk towards that of all others, with its errors scaled to the annotator's own error rate. Somebody with
    few votes so differs from the others by the rate alone. Without others it is shrunk towards the prior.
    """
    n_classes = len(trusted)
    each = seen.reshape(n_classes, -1, n_classes)
    together = each.sum(axis=1)
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
