"""Noise-aware stacking: EM combines leave-one-out scores into posteriors over the true labels."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.special import gammaln, softmax

from cleaning.data import FloatMatrix, FloatVector, IntVector

Votes = FloatMatrix | csr_array

_ROUNDS, _ROUNDS_AGAIN = 40, 8
_SETTLED = 1e-3
# The prior of the stack: the sum of its weights, and how strongly weights and offsets are pulled to their prior means.
_WEIGHT_SUM, _WEIGHT_PULL, _OFFSET_PULL = 1.5, 10.0, 2.0
# Pseudo-counts per class: of the prior noise matrix for up to ten classes, and of symmetric noise within that prior.
_MATRIX_PRIOR, _SYMMETRIC_PRIOR = 20.0, 10.0
# The noise matrix takes at least this share of the labels to be wrong, to begin with.
LEAST_NOISE = 0.01
# Pseudo-counts per class of the Dirichlet priors by which the class mix of the trusted rows is shrunk towards that of
# the other rows.
_MIX_PRIORS = 2.0 ** np.arange(2, 8)
# Pseudo-votes of the common error rate in that of one annotator.
_RATE_PRIOR = 10.0
_GUESSED = 0.15
# The power of `_sureness`, and up to how many noisy rows per class it is 0. Chosen with seven kinds of noise on 2,400
# to 50,000 pictures of clothes in ten classes, and with five kinds on pairs of these classes.
_MOST_SURE, _TOO_FEW = 3.0, 500
_VOTES_AT_ONCE = 8192
# Fewer votes than this are rounding.
_NOBODY = 1e-6
# With more classes than this, each row is fitted with its most probable classes and a sample of the others.
_ALL_CLASSES, _LEADING, _SAMPLED = 64, 24, 8
_BLOCK = 1024


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
        found = np.empty(scores.shape[1:])
        for at in range(0, len(found), _BLOCK):  # scores in single precision would be copied in double
            found[at : at + _BLOCK] = _logits(self.weights, self.offset, scores[:, at : at + _BLOCK])
        return found

    def before_label(self, scores: FloatMatrix) -> FloatMatrix:
        """P(true label | features and other rows), (m, K), for (learners, m, K) leave-one-out scores."""
        return np.asarray(softmax(self.logits(scores), axis=1))

    def posterior(self, scores: FloatMatrix, votes: Votes, guessed: float = 0.0) -> FloatMatrix:
        """P(true label | features and given labels), (m, K); see `given_votes`."""
        return given_votes(self.before_label(scores), self.noise, votes, guessed)


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
    overlap of clean classes for noise, so it only serves as an upper view.

    earlier: where EM begins, if rows have been checked since this stack was fitted; a few turns are then enough.
    """
    learners, rows, n_classes = scores.shape
    drawn = rows - len(before)
    start = np.concatenate([np.full(learners, _WEIGHT_SUM / learners), np.zeros(n_classes)])
    short = _Shortlist.of(scores, votes, start)
    counts: FloatMatrix = np.zeros((n_classes, n_classes))
    trusted: FloatVector = np.zeros(n_classes)
    if gold:
        counts = _gold_counts(short, scores[:, noisy:drawn], votes, noisy, start)
        trusted = np.asarray(votes[noisy:drawn].sum(axis=0), dtype=np.float64)
    parameters, turns = start, _ROUNDS
    prior = counts + _SYMMETRIC_PRIOR * _symmetric(0.2, n_classes)
    said: Votes = votes[:noisy] if ballots is None else ballots
    first = prior / (trusted + _SYMMETRIC_PRIOR)[:, None]
    noise: FloatMatrix = np.tile(first, said.shape[1] // n_classes)
    if earlier is not None:
        parameters, turns = np.concatenate([earlier.weights, earlier.offset]), _ROUNDS_AGAIN
        noise = earlier.noise
    targets, training, ballot = short.of_rows(votes), short.take(slice(noisy)), csr_array(said)
    for turn in range(turns):
        believed = np.asarray(softmax(training.logits(parameters) + training.heard(ballot, noise), axis=1))
        targets[:noisy] = believed
        fitted = _cross_entropy_fit(short, targets, parameters, start, slice(noisy, drawn))
        sure = _sureness(short, parameters, noisy)
        seen = np.asarray(training.counted(believed * sure[:noisy], ballot) + (votes[drawn:] * sure[drawn:]).T @ before)
        noise = noise_matrices(seen, counts, trusted)
        settled = np.abs(fitted[:learners] - parameters[:learners]).max() < _SETTLED and turn > 4
        parameters = fitted
        if settled:
            break
    return Stack(parameters[:learners], parameters[learners:], noise)


def _sureness(short: "_Shortlist", parameters: FloatVector, noisy: int) -> FloatMatrix:
    """How much each row's belief in each class counts in the noise matrix, (m, C): P(class | features)^power.

    Where the noise depends on the true class alone, weights that depend on features and true class leave the estimate
    right; rows whose class is sure are hardly misjudged. The power is 0 for up to 500 noisy rows per class, since such
    rows are fewer, and grows to 3.
    """
    per_class = noisy / short.n_classes
    if per_class <= _TOO_FEW or short.classes is not None:
        return np.ones((short.scores.shape[1], 1))
    power = _MOST_SURE * (1 - _TOO_FEW / per_class)
    return np.asarray(softmax(short.logits(parameters), axis=1) ** power)


def classes_fitted(n_classes: int) -> int:
    """With how many classes each row is fitted."""
    return n_classes if n_classes <= _ALL_CLASSES else _LEADING + _SAMPLED


@dataclass(frozen=True, eq=False)
class _Shortlist:
    """The scores of rows for the classes that each of them may have; the sampled ones stand for the others.

    scores (learners, m, C); classes (m, C), or None for all K classes in their order; several (m, C): the logarithm of
    the number of classes that each one stands for.
    """

    scores: FloatMatrix
    n_classes: int
    classes: IntVector | None = None
    several: FloatMatrix | None = None

    @classmethod
    def of(cls, scores: FloatMatrix, votes: FloatMatrix, start: FloatVector) -> "_Shortlist":
        learners, rows, n_classes = scores.shape
        if classes_fitted(n_classes) == n_classes:
            return cls(np.ascontiguousarray(scores), n_classes)
        # another sample for each row; the callers order their rows by id, so it does not depend on the rows' order
        rng, blocks = np.random.default_rng(0), [slice(at, at + _BLOCK) for at in range(0, rows, _BLOCK)]
        likely = (np.tensordot(start[:learners].astype(scores.dtype), scores[:, block], 1) for block in blocks)
        classes = np.vstack([_chosen(rough, votes[block], rng) for rough, block in zip(likely, blocks, strict=True)])
        several = np.zeros(classes.shape)
        several[:, _LEADING:] = np.log((n_classes - _LEADING) / _SAMPLED)
        return cls(np.take_along_axis(scores, classes[None], axis=2).astype(np.float64), n_classes, classes, several)

    def take(self, rows: slice) -> "_Shortlist":
        classes = None if self.classes is None else self.classes[rows]
        several = None if self.several is None else self.several[rows]
        return _Shortlist(np.ascontiguousarray(self.scores[:, rows]), self.n_classes, classes, several)

    def logits(self, parameters: FloatVector) -> FloatMatrix:
        weights, offset = parameters[: len(self.scores)], parameters[len(self.scores) :]
        if self.classes is None or self.several is None:
            return _logits(weights, offset, self.scores)
        return _logits(weights, self.of_class(offset), self.scores) + self.several

    def of_class(self, values: FloatVector) -> FloatVector:
        """The (K,) values for each row's classes: (m, C), or (K,) if every row has all classes."""
        return values if self.classes is None else values[self.classes]

    def of_rows(self, values: FloatMatrix) -> FloatMatrix:
        """The (m, K) values of each row's classes, (m, C)."""
        return values.copy() if self.classes is None else np.take_along_axis(values, self.classes, axis=1)

    def by_class(self, values: FloatMatrix) -> FloatVector:
        """The sum of (m, C) values over the rows, (K,)."""
        if self.classes is None:
            return np.asarray(np.ones(len(values)) @ values)
        return np.asarray(np.bincount(self.classes.ravel(), values.ravel(), self.n_classes), dtype=np.float64)

    def heard(self, ballot: csr_array, noise: FloatMatrix) -> FloatMatrix:
        """The logarithm of P(what each row was called | its class), (m, C)."""
        logs = np.log(noise + 1e-300)
        if self.classes is None:
            return np.asarray(ballot @ logs.T)
        row = np.repeat(np.arange(len(self.classes)), np.diff(ballot.indptr))
        each = ballot.data[:, None] * logs[self.classes[row], ballot.indices[:, None]]
        return np.add.reduceat(each, ballot.indptr[:-1], axis=0)

    def counted(self, believed: FloatMatrix, ballot: csr_array) -> FloatMatrix:
        """The expected number of votes by true class, (K, A·K)."""
        if self.classes is None:
            return np.asarray(believed.T @ ballot)
        start = np.arange(0, believed.size + 1, believed.shape[1])
        wide = csr_array((believed.ravel(), self.classes.ravel(), start), shape=(len(believed), self.n_classes))
        return np.asarray((wide.T @ ballot).toarray())


def _chosen(likely: FloatMatrix, votes: FloatMatrix, rng: np.random.Generator) -> IntVector:
    """For each row _LEADING classes, what it is called and the most probable ones, then a sample of the others."""
    likely[votes > 0] = np.inf
    leading = np.argpartition(-likely, _LEADING, axis=1)[:, :_LEADING]
    lottery = rng.random(likely.shape, dtype=np.float32)
    np.put_along_axis(lottery, leading, 2, axis=1)
    return np.concatenate([leading, np.argpartition(lottery, _SAMPLED, axis=1)[:, :_SAMPLED]], axis=1)


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
    for at in range(0, len(rows), _VOTES_AT_ONCE):
        part = slice(at, at + _VOTES_AT_ONCE)
        looks = before[rows[part], said[part] % before.shape[1]]
        likely = with_guesses(noise[:, said[part]].T, looks, guessed)
        np.add.at(logs, rows[part], entries.data[part, None] * np.log(likely + 1e-300))
    return np.asarray(softmax(logs, axis=1))


def with_guesses(column: FloatMatrix, looks: FloatVector, guessed: float | np.float32) -> FloatMatrix:
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


def _cross_entropy_fit(
    short: _Shortlist, targets: FloatMatrix, parameters: FloatVector, centre: FloatVector, trusted: slice = slice(0)
) -> FloatVector:
    """Weights and offset (learners + K,) of least cross-entropy to soft targets (m, C), pulled gently to `centre`.

    trusted: the rows that may have another class mix than the others.
    """
    from scipy.optimize import minimize  # a command that needs none of it starts sooner

    learners = len(short.scores)
    pull = np.concatenate([np.full(learners, _WEIGHT_PULL), np.full(short.n_classes, _OFFSET_PULL)])
    many, mix = targets.sum(axis=1), _more_frequent(short, targets, trusted)

    def loss(point: FloatVector) -> tuple[float, FloatVector]:
        logits = short.logits(point)
        logits[trusted] += mix
        logits -= logits.max(axis=1)[:, None]
        share = np.exp(logits)
        total = share @ np.ones(share.shape[1])
        value = float((many * np.log(total)).sum() - np.vdot(targets, logits))
        share *= (many / total)[:, None]
        share -= targets
        moved = point - centre
        gradient = np.concatenate([np.tensordot(short.scores, share, ([1, 2], [0, 1])), short.by_class(share)])
        return value + 0.5 * float((pull * moved**2).sum()), gradient + pull * moved

    bounds = [(0.0, None)] * learners + [(None, None)] * short.n_classes
    found = minimize(loss, parameters, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 30})
    return np.asarray(found.x, dtype=np.float64)


def _more_frequent(short: _Shortlist, targets: FloatMatrix, trusted: slice) -> FloatVector:
    """The logarithm of how much more frequent each class is among the trusted rows than among the others, by row.

    targets (m, C): the beliefs about all rows. If each class was drawn in the same way but with another frequency
    (label shift), this is what the logits of trusted rows have in addition: (rows, C), or (K,) if every row has all
    classes. It is the mean over several Dirichlet priors around the frequencies of the other rows, and over no
    difference at all; each counts by its marginal likelihood. So rows that may have been drawn alike are taken to be.
    """
    clean = short.take(trusted)
    known = clean.by_class(targets[trusted])
    others = short.by_class(targets) - known + 0.5
    share, rows = others / others.sum(), known.sum()
    more = _MIX_PRIORS[:, None] * short.n_classes
    seen = gammaln(known + more * share) - gammaln(more * share)
    likely = np.append(seen.sum(axis=1) + (gammaln(more) - gammaln(more + rows))[:, 0], known @ np.log(share))
    ratio = np.log((known + more * share) / ((rows + more) * share))
    return clean.of_class(softmax(likely)[:-1] @ ratio)


def _gold_counts(
    short: _Shortlist, trusted: FloatMatrix, votes: FloatMatrix, noisy: int, start: FloatVector
) -> FloatMatrix:
    """Row c: the noisy-label model's probabilities summed over the clean rows of class c, (K, K).

    trusted: scores (learners, rows, K) of the clean rows, which come after the noisy ones.
    """
    learners, rows, n_classes = trusted.shape
    if not rows:
        return np.zeros((n_classes, n_classes))
    training = short.take(slice(noisy))
    fitted = _cross_entropy_fit(training, training.of_rows(votes[:noisy]), start, start)
    predicted = softmax(_logits(fitted[:learners], fitted[learners:], trusted), axis=1)
    return np.asarray(votes[noisy : noisy + rows].T @ predicted)


def _noise_matrix(counts: FloatMatrix, gold: FloatMatrix, trusted: FloatVector) -> FloatMatrix:
    """The noise matrix by the expected counts (true class, given label), shrunk towards the prior."""
    return _shrunk(counts, _prior_matrix(counts, gold, trusted))


def _prior_matrix(counts: FloatMatrix, gold: FloatMatrix, trusted: FloatVector) -> FloatMatrix:
    n_classes = len(trusted)
    rate = float(np.clip(1 - np.trace(counts) / counts.sum(), LEAST_NOISE, 0.49 if n_classes == 2 else 0.6))
    prior = (gold + _SYMMETRIC_PRIOR * _symmetric(rate, n_classes)) / (trusted + _SYMMETRIC_PRIOR)[:, None]
    return np.asarray(prior, dtype=np.float64)


def _shrunk(counts: FloatMatrix, prior: FloatMatrix) -> FloatMatrix:
    """(counts + strength · prior), with rows that sum to 1.

    With K > 10 classes, the strength grows with (K - 1)^(2/3): each class has many others that it may be called, and
    would otherwise be taken to be called often what it was called once.
    """
    strength = _MATRIX_PRIOR * max(1.0, ((len(prior) - 1) / 9) ** (2 / 3))
    return np.asarray((counts + strength * prior) / (counts.sum(axis=1, keepdims=True) + strength))


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
