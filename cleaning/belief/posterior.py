"""Posterior probabilities of the true labels of a noisy training set, and the noise that was estimated with them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleaning.belief.ballots import vote_matrix
from cleaning.belief.basis import After, Basis, basis_of, seems_misled, surely_worse, with_model
from cleaning.belief.caveats import Caveat, Unused, caveats_of, independent_rows, of_agreement
from cleaning.belief.count import Count, count_wrong
from cleaning.belief.in_sample import contradicted, refuse_in_sample
from cleaning.belief.outliers import far_rows
from cleaning.belief.stacking import common_noise, guessed_share
from cleaning.belief.told import Checked, Told, probability_matrix
from cleaning.data import FloatMatrix, FloatVector, IntVector, Split, class_count, refuse_other_width
from cleaning.errors import InvalidInput, count_of

# With so few rows, all learners are fitted anew in a tenth of a second. With more rows or numbers than that, what would
# have to be remembered takes too much memory: 4 kB per row, and the features twice.
_FITTED_ANEW, _MOST_UPDATED, _MOST_ENTRIES = 500, 100_000, 50_000_000


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
        Row c, column g: P(given label g | true label c). Rows sum to 1. With more than two classes, the suspicion of
        single rows uses its structure only as far as the labels show it, so it does not follow from this matrix.
    before_label : array of shape (n, K)
        The same belief before the row's own label is taken into account (leave-one-out).
    validation : array of shape (m, K)
        That leave-one-out belief about the validation rows.
    group : array of int, shape (n,)
        The number of the group of copies that a row belongs to, from 0; a row without copies is a group of its own.
    basis : Basis
        What the beliefs rest on; `wrong_labels` and `caveats` are computed from it when they are first asked for.
    """

    given: IntVector
    probabilities: FloatMatrix
    noise_matrix: FloatMatrix
    before_label: FloatMatrix
    validation: FloatMatrix
    group: IntVector
    basis: Basis

    @property
    def quality(self) -> FloatVector:
        """P(the given label is right), shape (n,), in [0, 1]: a label-quality score, low where it is suspicious."""
        return np.asarray(self.probabilities[np.arange(len(self.given)), self.given], dtype=np.float64)

    @property
    def suspicion(self) -> FloatVector:
        """P(the given label is wrong), shape (n,), in [0, 1].

        With more than two classes, it allows for some labels of ambiguous rows that were guessed, and sums to somewhat
        more than the expected number of `wrong_labels`, which does not.
        """
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

    @cached_property
    def caveats(self) -> tuple[Caveat, ...]:
        """What the data cannot tell, or what seems to be wrong with them; empty where nothing was noticed."""
        basis = self.basis
        if basis.after is not None:
            return tuple(caveat for caveat in basis.after.caveats if caveat.kind != "all agree")
        given = 0 if basis.told.validation is None else len(basis.told.validation)
        unused = Unused(shared=given - len(basis.kept) - basis.misleading, misleading=basis.misleading, every=given)
        predicted = self._predicted()
        found = caveats_of(basis.told.train.labels, self._before_checks(), basis.trusted, unused, predicted)
        sure = predicted is not None and basis.told.checked is None and not contradicted(basis)
        return (*found, of_agreement(len(self.given))) if sure else found

    def _predicted(self) -> FloatMatrix | None:
        """The scores of the user's model for each group of copies, if they say anything."""
        model = self.basis.model
        return None if model is None or not model.any() else model[0, : len(self.basis.distinct)]

    def _before_checks(self) -> Split:
        """One row per group of copies, and the checked rows with the labels they had."""
        one, checked = self.basis.distinct, self.basis.told.checked
        if checked is None:
            return one
        features = np.vstack([one.features, checked.rows.features])
        return Split.from_arrays(features, np.concatenate([one.labels, checked.given]))

    @cached_property
    def near_duplicate_of(self) -> IntVector:
        """The row that each row repeats, exactly or nearly, shape (n,): the first by id; -1: it repeats none."""
        order = self.basis.order
        first = order[np.unique(self.group[order], return_index=True)[1]][self.group]
        return np.where(first == np.arange(len(first)), -1, first)

    @cached_property
    def outlier(self) -> NDArray[np.bool_]:
        """Whether a row is far from all others, shape (n,): it may belong to no class at all. Flags few rows."""
        if self.basis.told.alone:
            return np.zeros(len(self.given), dtype=np.bool_)
        return far_rows(self.basis.distinct.features)[self.group]

    @cached_property
    def _count(self) -> Count:
        if any(caveat.hides_count for caveat in self.caveats):
            return Count(float("nan"), 0.0, float(len(self.given)))
        return count_wrong(self.basis.judged(), None if self.basis.trusted is None else self.basis.judged(gold=True))

    def wrong_labels(self) -> Count:
        """Say how many of the given labels are wrong.

        Returns
        -------
        expected, low, high : float
            Numbers of rows; low and high are a 90% interval. Where one of the `caveats` hides the count, expected is
            NaN, low is 0 and high is n.

        Notes
        -----
        The interval is that of the noise model, widened to cover errors that the model misses. How far depends on the
        errors of the posterior on the validation rows; without any, on how often the training rows contradict each
        other. The ranking study reports how often the interval contains the true number, by kind of noise.
        """
        return self._count


def label_posterior(
    train: Split,
    validation: Split | None = None,
    *,
    checked: Checked | None = None,
    probabilities: ArrayLike | None = None,
    validation_probabilities: ArrayLike | None = None,
    votes: ArrayLike | None = None,
    rng: np.random.Generator | None = None,
) -> Posterior:
    """Estimate the true labels of noisy training rows.

    Parameters
    ----------
    train : Split
        Rows with noisy labels. Their order does not matter.
    validation : Split, optional
        Rows whose labels are known to be right. They help a lot; without them the noisy labels are the only evidence.
    checked : Checked, optional
        Training rows that have been looked at and are not in `train` any more. They are facts for the learners and for
        the estimate of the noise, but not a random sample.
    probabilities : array-like of shape (n, K), optional
        What a model of your own predicts for the training rows, each of them out of sample (from cross-validation).
        It is one more learner. If the features of `train` are these probabilities, it is the only one.
    validation_probabilities : array-like of shape (m, K), optional
        What the same model predicts for the validation rows. Only with `probabilities`.
    votes : array-like of int, shape (n, A), optional
        Several labels per row: the class that each of A annotators named, -1 where there is none. They are judged in
        place of the labels of `train`, which should be what most annotators said. See `consensus`.
    rng : numpy.random.Generator, optional
        Draws landmarks and samples if there are more than a few thousand rows. Default: a fixed seed.

    Returns
    -------
    Posterior
        Beliefs about every training row, in the order of `train`.

    Raises
    ------
    InvalidInput
        For no training rows, for embeddings of different widths, for probabilities that are none, for those of rows
        that the model was fitted on, and for rows without any vote.

    Notes
    -----
    Closed-form learners predict every row from the others (leave-one-out). A model of the annotators' noise stacks
    these predictions, and those of your own model, with the given label by expectation maximisation.

    Examples
    --------
    >>> import fixfirst
    >>> from sklearn.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> labels = y[:300].copy()
    >>> labels[[3, 250]] = 8  # two wrong labels
    >>> train = fixfirst.Split.from_arrays(X[:300], labels)
    >>> validation = fixfirst.Split.from_arrays(X[300:500], y[300:500])
    >>> posterior = fixfirst.label_posterior(train, validation)
    >>> fixfirst.inspection_order(posterior, train, validation).order[:2].tolist()
    [3, 250]
    >>> posterior.suggestion[[3, 250]].tolist()
    [3, 4]
    """
    rng = np.random.default_rng(0) if rng is None else rng
    validation = None if validation is None or not len(validation) else validation
    if not len(train):
        raise InvalidInput("train", "there are no rows", "give at least one sample")
    checked = None if checked is None or not len(checked.rows) else checked
    for name, rows in (("validation", validation), ("checked", None if checked is None else checked.rows)):
        if rows is not None:
            refuse_other_width(name, rows.features, train.features.shape[1])
    said = None if votes is None else vote_matrix(votes, len(train), "votes")
    told = _with_model(Told(train, validation, checked, votes=said), probabilities, validation_probabilities)
    return as_given(_basis_of(told, rng))


def _with_model(told: Told, probabilities: ArrayLike | None, others: ArrayLike | None) -> Told:
    """The same with probabilities of the training rows and of the validation rows, both for the same classes."""
    train, validation, checked = told.train, told.validation, told.checked
    name = "validation_probabilities"
    if probabilities is None:
        if others is not None:
            raise InvalidInput(name, "there are no probabilities", "give those of the other rows as well")
        return told
    n_classes = max(class_count(train, validation), int(told.voted().max(initial=0)) + 1)
    if checked is not None:
        n_classes = max(n_classes, class_count(checked.rows, None))
    own = probability_matrix(probabilities, len(train), n_classes, "probabilities")
    if validation is None or others is None:
        return replace(told, probabilities=own)
    known = probability_matrix(others, len(validation), n_classes, name)
    if known.shape[1] != own.shape[1]:
        found = f"{count_of(known.shape[1], 'column')}, but those of train have {own.shape[1]}"
        raise InvalidInput(name, found, "give the predictions of one model")
    return replace(told, probabilities=own, validation_probabilities=known)


def _basis_of(told: Told, rng: np.random.Generator) -> Basis:
    """The basis without misleading trusted rows, and with the probabilities."""
    train, validation = told.train, told.validation
    kept = np.arange(0 if validation is None else len(validation))
    if validation is not None and not told.alone:
        kept = independent_rows(train, validation)
    basis = basis_of(told, kept, rng)
    if len(kept) and basis.large and seems_misled(basis, rng):
        alone = basis_of(told, kept[:0], rng)
        if surely_worse(basis.predicted(), alone.predicted()):
            basis = replace(alone, misleading=len(kept))
    if told.checked is None:
        refuse_in_sample(basis, lambda: as_given(replace(basis, model=None)).wrong_labels().low)
    return with_model(basis)


def updated(posterior: Posterior, told: Told, still: IntVector, checked: IntVector) -> Posterior | None:
    """The beliefs that `label_posterior` would find by what is told now, from learners that need not be fitted anew.

    posterior: what it found before some of its rows were looked at. still and checked: the numbers of the rows that are
    open, and of those that have been checked. They must have a label each. None where nothing can be updated, or where
    that would not be faster.
    """
    basis = posterior.basis
    alike = told.checked is None or np.isin(told.checked.rows.labels, basis.classes).all()
    if not alike or basis.told.alone or basis.told.checked is not None or len(basis.classes) == 1:
        return None
    if not _FITTED_ANEW < len(basis.evidence) <= _MOST_UPDATED or basis.evidence.features.size > _MOST_ENTRIES:
        return None
    after = After(basis, still, checked, posterior.caveats)
    found = basis_of(told, basis.kept, basis.rng, after)
    return as_given(with_model(replace(found, misleading=basis.misleading)))


def for_order(posterior: Posterior, *, gold: bool = True) -> Posterior:
    """The same beliefs, for the order of inspection: with gold correction (if `gold`) and without guessed labels.

    With gold correction the noise is also estimated from the trusted rows. It finds more of the wrong labels that
    features alone do not give away, such as those of ambiguous rows, but mistakes the overlap of clean classes for
    noise. So it serves the order, not the numbers. Guessed labels are those of ambiguous rows, which the learner can
    hardly be helped with.
    """
    basis = posterior.basis
    corrected = gold and basis.trusted is not None
    if not corrected and not guessed_share(len(basis.classes)):
        return posterior
    return as_given(replace(basis, stack=basis.gold) if corrected else basis, guesses=False)


def as_given(basis: Basis, *, guesses: bool = True) -> Posterior:
    """Beliefs about rows and classes as the caller numbers them; classes that no row has get probability 0."""
    stack, groups, classes = basis.stack, len(basis.distinct), basis.classes
    # for a validation row that is not used, its label is all there is
    train, validation = basis.told.train, basis.told.validation
    labels = np.empty(0, dtype=np.int64) if validation is None else validation.labels
    n_classes = max(int(classes[-1]), int(labels.max(initial=0))) + 1
    before = stack.before_label(basis.scores[:, : len(basis.evidence) - basis.evidence.checked])
    guessed = guessed_share(len(classes)) if guesses else 0.0
    belief = stack.posterior(basis.scores[:, :groups], basis.evidence.said, guessed)
    noise = np.eye(n_classes)
    noise[np.ix_(classes, classes)] = common_noise(stack.noise, basis.evidence.said)
    rows = basis.group[np.argsort(basis.order)]

    def wide(part: FloatMatrix) -> FloatMatrix:
        if len(classes) == n_classes:
            return part
        filled = np.zeros((len(part), n_classes))
        filled[:, classes] = part
        return filled

    checked = np.eye(n_classes)[labels]
    checked[basis.kept] = wide(before[groups:])[basis.kept_group]
    return Posterior(train.labels, wide(belief)[rows], noise, wide(before[:groups])[rows], checked, rows, basis)
