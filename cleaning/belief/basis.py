"""What beliefs about labels rest on: groups of copies, the scores of the base learners, and the stack."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from cleaning.belief.ballots import ballots_of, shares_of
from cleaning.belief.base_learners import Evidence, dense_scores, standardised
from cleaning.belief.caveats import Caveat
from cleaning.belief.copies import copy_groups
from cleaning.belief.count import Judged
from cleaning.belief.forward_learner import Forward, forward_scores
from cleaning.belief.kept_learners import FewRows, ManyRows, Placed
from cleaning.belief.model_learner import log_scores
from cleaning.belief.primal_learners import primal_scores
from cleaning.belief.stacking import Stack, fit_stack, log_likelihood
from cleaning.belief.told import Told
from cleaning.data import FloatMatrix, FloatVector, IntVector, Split

# The dense learners are used up to so many rows.
DENSE_ROWS = 2500
# Above that, the stack is fitted on a sample of up to this many noisy and this many clean rows. On average 8,000 are
# enough; with 16,000 the result depends less on which rows were drawn.
STACKED_ROWS = 16_000
# Trusted rows are left out if the training labels are predicted better without them by so many standard errors. This is
# tested in full only if the learners that are fitted soonest show the second number.
_SURELY_WORSE, _SEEMS_WORSE = 2.0, 1.0
# The forward learner is used up to so many rows × columns × classes; more take minutes.
_FORWARD_ENTRIES = 5_000_000_000


@dataclass(frozen=True, eq=False)
class Basis:
    """What a posterior rests on: the rows as they were given, and the stack that judged them.

    told: what `label_posterior` was told. classes (K,): the numbers of the classes that the rows have, in increasing
    order. distinct and trusted: one row per group of copies among the training rows and among the validation rows
    `kept` (see `independent_rows`), with the label that most of the group has. misleading: how many trusted rows are
    not used since the training labels are predicted better without them. evidence: of both, in this order, and of the
    checked rows; scores (learners, m, K): of the same rows. stack: fitted on the rows numbered `fitted`, in increasing
    order. group (n,) and labels (n,): the group and the compact label of each training row, in the order of `order`.
    kept_group: the group of each kept row. model (1, m, K): the scores of the user's own model for the rows of the
    evidence; None without one. first: the stack without the forward learner, where there is one. rng: as it was before
    anything was drawn. after: the review since the beliefs that these were updated from; None if the stack was fitted
    from nothing.
    """

    told: Told
    order: IntVector
    kept: IntVector
    classes: IntVector
    distinct: Split
    trusted: Split | None
    evidence: Evidence
    stack: Stack
    scores: FloatMatrix
    fitted: IntVector
    group: IntVector
    labels: IntVector
    kept_group: IntVector
    rng: np.random.Generator
    model: FloatMatrix | None = None
    misleading: int = 0
    first: Stack | None = None
    after: "After | None" = None

    @property
    def large(self) -> bool:
        """Whether the learners for many rows were used."""
        return len(self.evidence) > DENSE_ROWS

    def predicted(self) -> FloatVector:
        """The log-likelihood of each group's labels, (groups,), by a belief that does not know them."""
        return _predicted(self.evidence, self.stack, self.scores)

    @cached_property
    def gold(self) -> Stack:
        """A stack with gold correction, fitted on the same rows."""
        if self.evidence.n_classes == 1:
            return self.stack
        earlier = None if self.after is None else self.after.before.gold
        return _stack(self.evidence, self.scores, self.fitted, gold=True, earlier=earlier)

    @cached_property
    def learners(self) -> tuple[FewRows | ManyRows, Forward | None]:
        """The base learners, to be updated when rows have been checked."""
        evidence, rng = self.evidence, deepcopy(self.rng)
        if not self.large:
            return FewRows.of(evidence), None
        _drawn(evidence, rng)
        many = ManyRows.of(evidence, rng)
        return many, None if _too_large(evidence) else Forward.of(evidence, self.stack.noise, rng)

    def judged(self, *, gold: bool = False) -> Judged:
        """What the stack says of training and trusted rows, or what the one with gold correction says."""
        stack, drawn = self.gold if gold else self.stack, len(self.evidence) - self.evidence.checked
        scores, votes, ballots = self.scores[:, :drawn], self.evidence.votes[:drawn], self.evidence.ballots
        return Judged(
            scores, stack.logits(scores), votes, len(self.distinct), stack.noise, self.group, self.labels, ballots
        )


@dataclass(frozen=True, eq=False)
class After:
    """A review: the basis before it, the numbers of the training rows that are still open, and of the checked ones.

    caveats: what was noticed before the review.
    """

    before: Basis
    still: IntVector
    checked: IntVector
    caveats: tuple[Caveat, ...]

    def groups(self, order: IntVector) -> list[IntVector]:
        """The groups of the open rows in this order, of the kept rows and of the checked rows, as they were before."""
        before = self.before
        group = before.group[np.argsort(before.order)]
        parts = [group[self.still][order], before.kept_group + len(before.distinct), group[self.checked]]
        return [part for part in parts if len(part)]


def basis_of(told: Told, kept: IntVector, rng: np.random.Generator, after: After | None = None) -> Basis:
    """The stack and its scores for training rows, for the validation rows `kept`, and for checked rows.

    The rows are judged by their features. Probabilities count only where they are all that is known; otherwise see
    `with_model`. after: what to update, in place of fitting anew.
    """
    train, validation, checked = told.train, told.validation, told.checked
    order = train.order_by_id()
    kept = kept if validation is None else kept[validation.take(kept).order_by_id()]
    sure = None if validation is None or not len(kept) else validation.take(kept)
    others = [*([] if sure is None else [sure]), *([] if checked is None else [checked.rows])]
    classes = _classes(told, others) if after is None else after.before.classes
    rows = [train.take(order), *others]
    place, groups = _places(after.groups(order)) if after is not None else (None, _groups(rows, told))
    merged = [_merged(part, group, classes) for part, group in zip(rows, groups, strict=True)]
    ballots, earlier = _ballots(told, order, merged, classes)
    if ballots is not None:
        merged[0] = replace(merged[0], votes=shares_of(ballots, len(classes)))
    evidence = _evidence_of(merged, earlier, ballots)
    predicted = told.predictions(order, kept)
    model = None if predicted is None else log_scores(_averaged(predicted, merged, classes))
    began = deepcopy(rng)
    if after is None or place is None:
        first, stack, scores, fitted = _believe(evidence, rng, model if told.alone else None)
    else:
        first, stack, scores, fitted = None, *_updated(after.before, evidence, place)
    return Basis(
        told=told,
        order=order,
        kept=kept,
        classes=classes,
        distinct=merged[0].distinct,
        trusted=None if sure is None else merged[1].distinct,
        evidence=evidence,
        stack=stack,
        scores=scores,
        fitted=fitted,
        group=merged[0].group,
        labels=np.searchsorted(classes, train.labels[order]),
        kept_group=kept if sure is None else merged[1].group,
        rng=began,
        model=model,
        first=first,
        after=after,
    )


def _classes(told: Told, others: Sequence[Split]) -> IntVector:
    """The numbers of the classes that rows have, had or were said to have, in increasing order."""
    before = [] if told.checked is None else [told.checked.given]
    return np.unique(np.concatenate([told.train.labels, *(part.labels for part in others), *before, told.voted()]))


def _evidence_of(merged: "Sequence[_Merged]", before: FloatMatrix, ballots: csr_array | None) -> Evidence:
    features, votes = [one.distinct.features for one in merged], [one.votes for one in merged]
    rows = features[0] if len(features) == 1 else np.vstack(features)
    return Evidence(rows, np.vstack(votes), len(merged[0].distinct), before, ballots)


def _groups(parts: Sequence[Split], told: Told) -> list[IntVector]:
    return [np.arange(len(part)) if told.alone else copy_groups(part.features) for part in parts]


def _places(groups: Sequence[IntVector]) -> tuple[IntVector, list[IntVector]]:
    """The number of each group that some rows have, and the rows' groups counted from 0 in each part."""
    found = [np.unique(group, return_inverse=True) for group in groups]
    return np.concatenate([place for place, _ in found]), [group for _, group in found]


def _ballots(
    told: Told, order: IntVector, merged: "list[_Merged]", classes: IntVector
) -> tuple[csr_array | None, FloatMatrix]:
    """The annotators' votes about the groups of training rows, if there are several; and the votes, or shares of the
    labels, that the groups of checked rows had before.
    """
    checked = told.checked
    group = np.empty(0, dtype=np.int64) if checked is None else merged[-1].group
    given = group[:0] if checked is None else np.searchsorted(classes, checked.given)
    if told.votes is None:
        return None, _shares(group, given, len(classes))
    rows = told.votes[:0] if checked is None or checked.votes is None else checked.votes
    ballots = ballots_of(told.votes[order], merged[0].group, classes)
    return ballots, ballots_of(rows, group, classes).toarray()


def surely_worse(predicted: FloatVector, alone: FloatVector, errors: float = _SURELY_WORSE) -> bool:
    """Whether the training labels are predicted worse with trusted rows than without: these are then left out.

    predicted and alone (n,): the log-likelihood of each noisy label with and without the trusted rows. True if the mean
    gain of leaving them out exceeds so many standard errors.
    """
    gain = alone - predicted
    return bool(gain.mean() > errors * gain.std() / np.sqrt(len(gain)))


def seems_misled(basis: Basis, rng: np.random.Generator) -> bool:
    """Whether trusted rows seem to make the training labels harder to predict, without the forward learner.

    That takes a fraction of what it takes to fit everything without them, unless no learner is fitted. basis: with many
    rows. rng: as it was when that was fitted.
    """
    evidence = basis.evidence
    if basis.told.alone or evidence.n_classes == 1:
        return basis.told.alone
    others = np.delete(np.arange(len(evidence)), np.s_[evidence.noisy : len(evidence) - evidence.checked])
    alone = replace(evidence, features=evidence.features[others], votes=evidence.votes[others])
    scores, first = primal_scores(alone, deepcopy(rng)), basis.first or basis.stack
    stack = _stack(alone, scores, np.flatnonzero(np.isin(others, basis.fitted)), earlier=first)
    known = basis.scores[: len(first.weights)]
    return surely_worse(_predicted(evidence, first, known), _predicted(alone, stack, scores), _SEEMS_WORSE)


def _predicted(evidence: Evidence, stack: Stack, scores: FloatMatrix) -> FloatVector:
    """The log-likelihood of the labels of each noisy row, by a belief that does not know them."""
    return log_likelihood(stack.before_label(scores[:, : evidence.noisy]), stack.noise, evidence.said)


def with_model(basis: Basis) -> Basis:
    """The same with the probabilities of the user's model as one more learner, unless they say nothing or all."""
    if basis.model is None or not basis.model.any() or basis.told.alone:
        return basis
    scores, earlier = np.concatenate([basis.scores, basis.model]), None if basis.after is None else basis.after.before
    stack = _stack(basis.evidence, scores, basis.fitted, earlier=None if earlier is None else earlier.stack)
    return replace(basis, scores=scores, stack=stack)


@dataclass(frozen=True, eq=False)
class _Merged:
    """The group of copies of each row (n,), one row per group with the label most of it has, the groups' votes."""

    group: IntVector
    distinct: Split
    votes: FloatMatrix


def _merged(rows: Split, group: IntVector, classes: IntVector) -> _Merged:
    votes = _shares(group, np.searchsorted(classes, rows.labels), len(classes))
    first = np.unique(group, return_index=True)[1]
    chosen = rows if len(first) == len(rows) else rows.take(first)
    return _Merged(group, Split(chosen.features, classes[votes.argmax(axis=1)], chosen.ids), votes)


def _averaged(predicted: Sequence[FloatMatrix], merged: Sequence[_Merged], classes: IntVector) -> FloatMatrix:
    """The mean probabilities of each group of all parts, (m, K), for the classes that the rows have."""
    means = []
    for part, one in zip(predicted, merged, strict=True):
        total = np.zeros((len(one.votes), len(classes)))
        np.add.at(total, one.group, part[:, classes])
        means.append(total / np.bincount(one.group)[:, None])
    return np.vstack(means)


def _shares(group: IntVector, compact: IntVector, n_classes: int) -> FloatMatrix:
    """The share of each label among the rows of each group, (groups, K)."""
    size = np.bincount(group)
    votes = np.zeros((len(size), n_classes))
    np.add.at(votes, (group, compact), 1 / size[group])
    return votes


def _believe(
    evidence: Evidence, rng: np.random.Generator, known: FloatMatrix | None
) -> tuple[Stack | None, Stack, FloatMatrix, IntVector]:
    """The stack before the forward learner if there is one, the stack, the scores of all rows, and the numbers of the
    rows that it was fitted on.

    known: scores (1, m, K) that are used in place of those of the base learners.
    """
    rows = len(evidence)
    if evidence.n_classes == 1:
        certain = np.ones((1, evidence.said.shape[1]))
        return None, Stack(np.ones(1), np.zeros(1), certain, certain), np.zeros((1, rows, 1)), np.arange(rows)
    if rows <= DENSE_ROWS:
        scores, every = dense_scores(evidence) if known is None else known, np.arange(rows)
        return None, _stack(evidence, scores, every), scores, every
    fitted = _drawn(evidence, rng)
    scores = primal_scores(evidence, rng) if known is None else known
    first = _stack(evidence, scores, fitted)
    if known is not None or _too_large(evidence):
        return None, first, scores, fitted
    scores = np.concatenate([scores, standardised(forward_scores(evidence, first.noise, rng)[None])])
    return first, _stack(evidence, scores, fitted), scores, fitted


def _drawn(evidence: Evidence, rng: np.random.Generator) -> IntVector:
    """The numbers of the rows that a stack of many rows is fitted on, in increasing order."""
    rows, noisy = len(evidence), evidence.noisy
    sure = rows - noisy - evidence.checked
    drawn = [
        np.sort(rng.choice(noisy, min(noisy, STACKED_ROWS), replace=False)),
        noisy + np.sort(rng.permutation(sure)[:STACKED_ROWS]),
        np.arange(rows - evidence.checked, rows),
    ]
    return np.concatenate(drawn)


def _too_large(evidence: Evidence) -> bool:
    return evidence.features.size * evidence.n_classes > _FORWARD_ENTRIES


def _updated(before: Basis, evidence: Evidence, place: IntVector) -> tuple[Stack, FloatMatrix, IntVector]:
    """What `_believe` finds, from the learners of an earlier basis. place (m,): where the rows are in its evidence."""
    placed, (learners, forward) = Placed(evidence, place, len(before.evidence)), before.learners
    drawn = np.isin(place, before.fitted)
    drawn[len(place) - evidence.checked :] = True
    fitted, scores = np.flatnonzero(drawn), learners.scores(placed)
    if forward is None:
        return _stack(evidence, scores, fitted, earlier=before.stack), scores, fitted
    with_last = np.concatenate([scores, before.scores[len(scores) : len(scores) + 1, place]])
    noise = _stack(evidence, with_last, fitted, earlier=before.stack).noise
    more = forward.renewed(place, evidence, noise)
    scores = np.concatenate([scores, standardised(more[None])])
    return _stack(evidence, scores, fitted, earlier=before.stack), scores, fitted


def _stack(
    evidence: Evidence, scores: FloatMatrix, fitted: IntVector, *, gold: bool = False, earlier: Stack | None = None
) -> Stack:
    noisy = int(np.count_nonzero(fitted < evidence.noisy))
    ballots = None if evidence.ballots is None else evidence.ballots[fitted[:noisy]]
    votes = evidence.votes[fitted]
    votes[len(votes) - evidence.checked :] *= noisy / max(evidence.noisy, 1)  # all of them, beside a sample
    if earlier is not None:
        earlier = replace(earlier, weights=earlier.weights[: len(scores)])
    return fit_stack(
        scores[:, fitted], votes, noisy, before=evidence.before, gold=gold, ballots=ballots, earlier=earlier
    )
