"""Posterior probabilities of the true labels of a noisy training set, and the noise that was estimated with them."""

from dataclasses import dataclass

import numpy as np

from cleaning.belief.base_learners import Evidence, dense_scores
from cleaning.belief.primal_learners import primal_scores
from cleaning.belief.stacking import fit_stack
from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.errors import InvalidInput

# The dense learners are used up to so many rows.
_DENSE_ROWS = 2500
# Above that, the stack is fitted on a sample of up to this many noisy and this many clean rows.
_STACKED_ROWS = 8000
# Deviations, in logits, of a misjudgement that all rows share: towards too much suspicion, and towards too much trust.
# True: with _VALIDATION_ROWS_PER_CLASS validation rows; False: without any. Chosen on the study's data sets so that
# nine of ten 90% intervals contain the true number.
_COMMON_DEVIATIONS = {True: (0.5, 1.5), False: (1.0, 2.5)}
_VALIDATION_ROWS_PER_CLASS = 50

_Beliefs = tuple[FloatMatrix, FloatMatrix, FloatMatrix]


@dataclass(frozen=True, eq=False)
class Posterior:
    """What `label_posterior` believes about the true labels of n training rows in K classes.

    Attributes
    ----------
    given : array of int, shape (n,)
        The labels as they are.
    probabilities : array of shape (n, K)
        P(true label | features, given label, validation rows). Rows sum to 1.
    noise_matrix : array of shape (K, K)
        Row c, column g: P(given label g | true label c). Rows sum to 1.
    before_label : array of shape (n, K)
        The same belief before the row's own label is taken into account (leave-one-out).
    validation : array of shape (m, K)
        That leave-one-out belief about the validation rows.
    """

    given: IntVector
    probabilities: FloatMatrix
    noise_matrix: FloatMatrix
    before_label: FloatMatrix
    validation: FloatMatrix

    @property
    def quality(self) -> FloatVector:
        """P(the given label is right), shape (n,), in [0, 1]: a label-quality score, low where it is suspicious."""
        return np.asarray(self.probabilities[np.arange(len(self.given)), self.given], dtype=np.float64)

    @property
    def suspicion(self) -> FloatVector:
        """P(the given label is wrong), shape (n,), in [0, 1]."""
        return 1.0 - self.quality

    @property
    def suggestion(self) -> IntVector:
        """The most probable label of each row, shape (n,): the given one unless another is more probable."""
        best = self.probabilities.argmax(axis=1)
        beaten = self.probabilities.max(axis=1) > self.quality
        return np.where(beaten, best, self.given)

    @property
    def suggestion_probability(self) -> FloatVector:
        """P(the suggestion is right), shape (n,), in [0, 1]."""
        return np.asarray(self.probabilities.max(axis=1), dtype=np.float64)

    def wrong_labels(self, deviations: float = 1.645) -> tuple[float, float, float]:
        """Estimate how many of the given labels are wrong.

        Parameters
        ----------
        deviations : float, default 1.645
            Half the width of the interval in standard deviations; the default gives 90%.

        Returns
        -------
        expected, low, high : float
            Numbers of rows.

        Notes
        -----
        The variance on either side is the sum of two terms: that of independent rows, Σ q(1 - q), and that of an error
        common to all logits, (deviation · Σ q(1 - q))². Errors on exactly the rows that look like another class are
        undercounted, so the deviation is larger above than below. It is larger still with few or no validation rows
        per class, because their class frequencies would reveal such errors. The ranking study reports how often the
        interval contains the true number, by kind of noise.
        """
        wrong = self.suspicion
        spread = float((wrong * (1 - wrong)).sum())
        below, above = (
            deviations * float(np.sqrt(spread + (common * spread) ** 2)) for common in self._common_deviations()
        )
        expected = float(wrong.sum())
        return expected, max(expected - below, 0.0), min(expected + above, float(len(wrong)))

    def _common_deviations(self) -> tuple[float, float]:
        """Below and above. They grow with the root of the shortage of validation rows, up to the values without any."""
        few = _VALIDATION_ROWS_PER_CLASS * self.probabilities.shape[1] / max(len(self.validation), 1)
        below, above = (
            min(float(np.sqrt(max(few, 1.0))) * known, unknown)
            for known, unknown in zip(_COMMON_DEVIATIONS[True], _COMMON_DEVIATIONS[False], strict=True)
        )
        return below, above


def label_posterior(
    train: Split, validation: Split | None = None, *, rng: np.random.Generator | None = None
) -> Posterior:
    """Estimate the true labels of noisy training rows.

    Parameters
    ----------
    train : Split
        Rows with noisy labels. Their order does not matter.
    validation : Split, optional
        Rows whose labels are known to be right. They help a lot; without them the noisy labels are the only evidence.
    rng : numpy.random.Generator, optional
        Draws landmarks and samples if there are more than a few thousand rows. Default: a fixed seed.

    Returns
    -------
    Posterior
        Beliefs about every training row, in the order of `train`.

    Raises
    ------
    InvalidInput
        For no training rows, and for embeddings of different widths.

    Notes
    -----
    Closed-form learners predict every row from the others (leave-one-out). A model of the annotators' noise stacks
    these predictions with the given label by expectation maximisation.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    validation = None if validation is None or not len(validation) else validation
    if not len(train):
        raise InvalidInput("train", "there are no rows", "give at least one sample")
    width = train.features.shape[1]
    if validation is not None and validation.features.shape[1] != width:
        raise InvalidInput(
            "validation",
            f"embeddings have {validation.features.shape[1]} columns, training embeddings have {width}",
            "embed every split with the same network",
        )
    order = train.order_by_id()
    parts = (
        [train.take(order)] if validation is None else [train.take(order), validation.take(validation.order_by_id())]
    )
    labels = np.concatenate([part.labels for part in parts])
    classes, compact = np.unique(labels, return_inverse=True)
    if len(classes) == 1:
        beliefs: _Beliefs = np.ones((len(train), 1)), np.ones((len(labels), 1)), np.ones((1, 1))
    else:
        features = np.vstack([part.features for part in parts])
        evidence = Evidence(features, compact.astype(np.int64), len(train), len(classes))
        beliefs = _believe(evidence, rng)
    return _assembled(train, validation, order, classes, beliefs)


def _believe(evidence: Evidence, rng: np.random.Generator) -> _Beliefs:
    """The posterior of the noisy rows, the belief about all rows before their own label, and the noise matrix."""
    rows, noisy = len(evidence.labels), evidence.noisy
    dense = rows <= _DENSE_ROWS
    scores = dense_scores(evidence) if dense else primal_scores(evidence, rng)
    stacked, count = np.arange(rows), noisy
    if not dense:
        count = min(noisy, _STACKED_ROWS)
        drawn = [rng.choice(noisy, count, replace=False), noisy + rng.permutation(rows - noisy)[:_STACKED_ROWS]]
        stacked = np.concatenate([np.sort(part) for part in drawn])
    stack = fit_stack(scores[:, stacked], evidence.labels[stacked], count)
    return (
        stack.posterior(scores[:, :noisy], evidence.labels[:noisy]),
        stack.before_label(scores),
        stack.noise,
    )


def _assembled(
    train: Split,
    validation: Split | None,
    order: IntVector,
    classes: IntVector,
    beliefs: _Beliefs,
) -> Posterior:
    """Maps beliefs about compact classes and sorted rows to the caller's numbering; unseen classes get 0."""
    probabilities, before, noise = beliefs
    n_classes = int(classes[-1]) + 1
    full_noise = np.eye(n_classes)
    full_noise[np.ix_(classes, classes)] = noise
    n = len(train)

    def scattered(part: FloatMatrix, rows: IntVector) -> FloatMatrix:
        wide = np.zeros((len(part), n_classes))
        wide[rows[:, None], classes] = part
        return wide

    checked = np.zeros((0, n_classes)) if validation is None else scattered(before[n:], validation.order_by_id())
    return Posterior(train.labels, scattered(probabilities, order), full_noise, scattered(before[:n], order), checked)
