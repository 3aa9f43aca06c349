"""Posterior probabilities of the true labels of a noisy training set, and the noise that was estimated with them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cleaning.belief.base_learners import Evidence, dense_scores, standardised
from cleaning.belief.caveats import Caveat, Unused, caveats_of, independent_rows
from cleaning.belief.copies import copy_groups
from cleaning.belief.count import Count, Judged, count_wrong
from cleaning.belief.forward_learner import forward_scores
from cleaning.belief.outliers import far_rows
from cleaning.belief.primal_learners import primal_scores
from cleaning.belief.stacking import Stack, fit_stack
from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.errors import InvalidInput

# The dense learners are used up to so many rows.
_DENSE_ROWS = 2500
# Above that, the stack is fitted on a sample of up to this many noisy and this many clean rows. On average 8,000 are
# enough; with 16,000 the result depends less on which rows were drawn.
_STACKED_ROWS = 16_000
# Trusted rows are left out if the training labels are predicted better without them by so many standard errors.
_SURELY_WORSE = 2.0
# The forward learner is used up to so many rows × columns × classes; more take minutes.
_FORWARD_ENTRIES = 5_000_000_000


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
    basis: "Basis"

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

    @cached_property
    def caveats(self) -> tuple[Caveat, ...]:
        """What the data cannot tell, or what seems to be wrong with them; empty where nothing was noticed."""
        basis = self.basis
        given = 0 if basis.validation is None else len(basis.validation)
        unused = Unused(shared=given - len(basis.kept) - basis.misleading, misleading=basis.misleading, every=given)
        return caveats_of(basis.train, basis.distinct, basis.trusted, unused)

    @cached_property
    def near_duplicate_of(self) -> IntVector:
        """The row that each row repeats, exactly or nearly, shape (n,): the first by id; -1: it repeats none."""
        order = self.basis.order
        first = order[np.unique(self.group[order], return_index=True)[1]][self.group]
        return np.where(first == np.arange(len(first)), -1, first)

    @cached_property
    def outlier(self) -> NDArray[np.bool_]:
        """Whether a row is far from all others, shape (n,): it may belong to no class at all. Flags few rows."""
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


@dataclass(frozen=True, eq=False)
class Basis:
    """What a posterior rests on: the rows as they were given, and the stack that judged them.

    classes (K,): the numbers of the classes that the rows have, in increasing order. distinct and trusted: one row per
    group of copies among the training rows and among the validation rows `kept` (see `independent_rows`), with the
    label that most of the group has. misleading: how many trusted rows are not used since the training labels are
    predicted better without them. scores (learners, m, K) and votes (m, K): of both, in this order. stack: fitted on
    the rows numbered `fitted`, in increasing order. group (n,) and labels (n,): the group and the compact label of each
    training row, in the order of `order`. checked_group: the group of each kept row.
    """

    train: Split
    validation: Split | None
    order: IntVector
    kept: IntVector
    classes: IntVector
    distinct: Split
    trusted: Split | None
    stack: Stack
    scores: FloatMatrix
    votes: FloatMatrix
    fitted: IntVector
    group: IntVector
    labels: IntVector
    checked_group: IntVector
    misleading: int = 0

    def predicted(self) -> FloatVector:
        """The log-likelihood of each group's labels, (groups,), by a belief that does not know them."""
        groups = len(self.distinct)
        noisy = self.stack.before_label(self.scores[:, :groups]) @ self.stack.noise
        return np.asarray((self.votes[:groups] * np.log(noisy + 1e-300)).sum(axis=1), dtype=np.float64)

    @cached_property
    def gold(self) -> Stack:
        """A stack with gold correction, fitted on the same rows."""
        noisy = int(np.count_nonzero(self.fitted < len(self.distinct)))
        return fit_stack(self.scores[:, self.fitted], self.votes[self.fitted], noisy, gold=True)

    def judged(self, *, gold: bool = False) -> Judged:
        """What the stack says of all rows, or what the one with gold correction says."""
        stack = self.gold if gold else self.stack
        return Judged(stack.logits(self.scores), self.votes, len(self.distinct), stack.noise, self.group, self.labels)


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
    kept = np.empty(0, dtype=np.int64) if validation is None else independent_rows(train, validation)
    basis = _basis(train, validation, kept, rng)
    if len(kept) and len(basis.votes) > _DENSE_ROWS:
        alone = _basis(train, validation, kept[:0], rng)
        gain = alone.predicted() - basis.predicted()
        if gain.mean() > _SURELY_WORSE * gain.std() / np.sqrt(len(gain)):
            basis = replace(alone, misleading=len(kept))
    return _as_given(basis)


def with_gold(posterior: Posterior) -> Posterior:
    """The same beliefs, but with gold correction: the noise is also estimated from the trusted rows.

    It finds more of the wrong labels that features alone do not give away, such as those of ambiguous rows, but
    mistakes the overlap of clean classes for noise. So it serves the order of inspection, not the numbers. Without
    trusted rows it changes nothing.
    """
    basis = posterior.basis
    return posterior if basis.trusted is None else _as_given(replace(basis, stack=basis.gold))


def _basis(train: Split, validation: Split | None, kept: IntVector, rng: np.random.Generator) -> Basis:
    order = train.order_by_id()
    if validation is not None:
        kept = kept[validation.take(kept).order_by_id()]
    rows, checked = train.take(order), None if validation is None or not len(kept) else validation.take(kept)
    every = rows.labels if checked is None else np.concatenate([rows.labels, checked.labels])
    classes, compact = np.unique(every, return_inverse=True)
    labels = compact[: len(rows)]
    group, distinct, votes = _merged(rows, labels, classes)
    features, checked_group, trusted = distinct.features, kept, None
    if checked is not None:
        checked_group, trusted, sure = _merged(checked, compact[len(rows) :], classes)
        features, votes = np.vstack([features, trusted.features]), np.vstack([votes, sure])
    stack, scores, fitted = _believe(Evidence(features, votes, len(distinct)), rng)
    return Basis(
        train=train,
        validation=validation,
        order=order,
        kept=kept,
        classes=classes,
        distinct=distinct,
        trusted=trusted,
        stack=stack,
        scores=scores,
        votes=votes,
        fitted=fitted,
        group=group,
        labels=labels,
        checked_group=checked_group,
    )


def _merged(rows: Split, compact: IntVector, classes: IntVector) -> tuple[IntVector, Split, FloatMatrix]:
    """The group of copies of each row, one row per group with the label most of it has, and the groups' votes."""
    group = copy_groups(rows.features)
    first = np.unique(group, return_index=True)[1]
    votes = np.zeros((len(first), len(classes)))
    np.add.at(votes, (group, compact), 1 / np.bincount(group)[group])
    chosen = rows.take(first)
    return group, Split(chosen.features, classes[votes.argmax(axis=1)], chosen.ids), votes


def _believe(evidence: Evidence, rng: np.random.Generator) -> tuple[Stack, FloatMatrix, IntVector]:
    """The stack, the scores of all rows, and the numbers of the rows that the stack was fitted on."""
    rows, noisy, votes = len(evidence), evidence.noisy, evidence.votes
    if evidence.n_classes == 1:
        return Stack(np.ones(1), np.zeros(1), np.ones((1, 1))), np.zeros((1, rows, 1)), np.arange(rows)
    if rows <= _DENSE_ROWS:
        scores = dense_scores(evidence)
        return fit_stack(scores, votes, noisy), scores, np.arange(rows)
    count = min(noisy, _STACKED_ROWS)
    drawn = [rng.choice(noisy, count, replace=False), noisy + rng.permutation(rows - noisy)[:_STACKED_ROWS]]
    fitted = np.concatenate([np.sort(part) for part in drawn])
    scores = primal_scores(evidence, rng)
    stack = fit_stack(scores[:, fitted], votes[fitted], count)
    if evidence.features.size * evidence.n_classes > _FORWARD_ENTRIES:
        return stack, scores, fitted
    scores = np.concatenate([scores, standardised(forward_scores(evidence, stack.noise, rng)[None])])
    return fit_stack(scores[:, fitted], votes[fitted], count), scores, fitted


def _as_given(basis: Basis) -> Posterior:
    """Beliefs about rows and classes as the caller numbers them; classes that no row has get probability 0."""
    stack, groups, classes = basis.stack, len(basis.distinct), basis.classes
    # for a validation row that is not used, its label is all there is
    labels = np.empty(0, dtype=np.int64) if basis.validation is None else basis.validation.labels
    n_classes = max(int(classes[-1]), int(labels.max(initial=0))) + 1
    before = stack.before_label(basis.scores)
    belief = stack.posterior(basis.scores[:, :groups], basis.votes[:groups])
    noise = np.eye(n_classes)
    noise[np.ix_(classes, classes)] = stack.noise
    rows = basis.group[np.argsort(basis.order)]

    def wide(part: FloatMatrix) -> FloatMatrix:
        filled = np.zeros((len(part), n_classes))
        filled[:, classes] = part
        return filled

    checked = np.eye(n_classes)[labels]
    checked[basis.kept] = wide(before[groups:])[basis.checked_group]
    return Posterior(basis.train.labels, wide(belief)[rows], noise, wide(before[:groups])[rows], checked, rows, basis)
