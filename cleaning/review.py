"""Rounds of a review: what somebody has decided about some rows, and what is believed about the others since then."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from cleaning.belief.count import Count, misjudged
from cleaning.belief.posterior import Posterior, label_posterior, updated
from cleaning.belief.shown import shift_of
from cleaning.belief.told import Checked, Told
from cleaning.belief.use import ordered
from cleaning.data import FloatVector, IntVector, Split
from cleaning.errors import InvalidInput, whole_from_0
from cleaning.intervals import DEVIATIONS_90
from cleaning.looks import FirstLooks, possible_numbers, summed_up

# No suspicion is nearer to 0 or 1 than this where its logit is needed.
_SURE = 1e-9
# Once so many rows have been looked at, what was found there has tested the beliefs.
TESTED = 20
# Open rows are wrong at most this many times as often as the rows outside the first looks were.
_MORE_OFTEN = 2.0


def found_ahead(
    suspicion: FloatVector, others: FloatVector, deviations: tuple[float, float], left: Count, looked: int
) -> Count:
    """How many of these rows have a wrong label, by their suspicion, with a 90% interval.

    others: the suspicion of the other open rows. left: what is left in all; no number is above that. looked: how many
    labels have been checked. The interval covers chance and a misjudgement that all rows share, of these deviations in
    logits: towards too much suspicion, and towards too much trust (see `misjudged`). Until some looks have tested the
    beliefs, it also covers the misjudgement by which as many labels as `left` allows would be wrong.
    """
    q = np.clip(suspicion, _SURE, 1 - _SURE)
    below, above = (DEVIATIONS_90 * deviation for deviation in deviations)
    chance = DEVIATIONS_90**2 * float((q * (1 - q)).sum())
    expected = float(q.sum())
    less = expected - float(expit(logit(q) - below).sum())
    if looked < TESTED:
        above = max(above, _misjudgement(np.concatenate([q, np.clip(others, _SURE, 1 - _SURE)]), left.high))
    more = float(expit(logit(q) + above).sum()) - expected
    low = max(expected - float(np.sqrt(chance + less**2)), 0.0)
    high = min(expected + float(np.sqrt(chance + more**2)), float(len(q)), left.high)
    expected, low = min(expected, high, left.expected), min(low, high, left.low)
    return Count(expected, float(np.floor(low)), float(np.ceil(high)))


def checked_labels(suspicion: FloatVector, order: IntVector) -> int:
    """How many labels have been checked: those of rows that are not open and have the suspicion 0 or 1."""
    closed = np.ones(len(suspicion), dtype=bool)
    closed[order] = False
    return int(np.isin(suspicion[closed], (0, 1)).sum())


def _misjudgement(q: FloatVector, wrong: float) -> float:
    """The shift of all logits by which so many of the rows would be wrong, if that is more than now."""
    if wrong <= float(q.sum()):
        return 0.0
    odds, most = logit(q), -2 * float(logit(_SURE))
    if wrong >= len(q):
        return most
    return float(brentq(lambda shift: float(expit(odds + shift).sum()) - wrong, 0.0, most, xtol=0.01))


@dataclass(frozen=True, eq=False)
class Round:
    """What is believed at one point of a review of n rows.

    Attributes
    ----------
    order : array of int
        The rows that are still open, the one to look at next first.
    suspicion : array of shape (n,)
        P(the given label is wrong), in [0, 1]; 0 or 1 for a checked row.
    suggestion : array of int, shape (n,)
        The most probable label; the right one for a checked row.
    suggestion_probability : array of shape (n,)
        P(the suggestion is right), in [0, 1].
    gain : array of shape (n,)
        By how many further right predictions, among open and trusted rows, a look at an open row should help once those
        before it are done; 0 for rows that are hardly suspicious.
    left : Count or None
        How many labels of the open rows are wrong, by the beliefs or, where that tells more, by the rows that were
        drawn; None where the data cannot tell, or where no row is open.
    posterior : Posterior or None
        The beliefs about the open rows, in ascending order of rows; None where no row is open.
    """

    order: IntVector
    suspicion: FloatVector
    suggestion: IntVector
    suggestion_probability: FloatVector
    gain: FloatVector
    left: Count | None
    posterior: Posterior | None

    def forecast(self, looks: int) -> Count | None:
        """Say how many wrong labels the next looks should find.

        Parameters
        ----------
        looks : int
            So many rows at the head of `order`; all of them if there are fewer.

        Returns
        -------
        Count or None
            The expected number and a 90% interval; None where the data cannot tell.

        Notes
        -----
        The interval covers chance and a misjudgement that all rows share, as that of `left` does. It is wide until the
        first 20 rows have been looked at, since nothing has tested the beliefs before.
        """
        looks = whole_from_0("looks", looks)
        if not len(self.order):
            return Count(0.0, 0.0, 0.0)
        if self.left is None or self.deviations is None:
            return None
        ahead, others = self.suspicion[self.order[:looks]], self.suspicion[self.order[looks:]]
        return found_ahead(ahead, others, self.deviations, self.left, checked_labels(self.suspicion, self.order))

    @property
    def deviations(self) -> tuple[float, float] | None:
        """The deviations that `forecast` uses, in logits; None where the data cannot tell."""
        if self.left is None or self.posterior is None or np.isnan(self.posterior.wrong_labels().expected):
            return None
        evidence = self.posterior.basis.evidence
        return misjudged(len(evidence) - evidence.noisy - evidence.checked, evidence.n_classes)


def next_round(
    posterior: Posterior,
    checked: Mapping[int, int],
    left_out: Collection[int] = (),
    drawn: FirstLooks | None = None,
) -> Round:
    """Compute the order and the beliefs anew, after some rows have been looked at.

    Parameters
    ----------
    posterior : Posterior
        The beliefs about all n rows before the review, from `label_posterior`.
    checked : mapping of int to int
        The right label of each row that was checked, whether or not it was wrong.
    left_out : collection of int, optional
        Rows that are closed but teach nothing: no class fits, or the reviewer could not tell.
    drawn : FirstLooks, optional
        The rows that `first_looks` drew from this posterior. Once all of them are checked or left out, wrong labels
        are counted by them if that gives the narrower interval, or contradicts what the beliefs say; other checked rows
        are not part of that sample.

    Returns
    -------
    Round
        About the same rows. Checked rows are facts: they never come back, and they teach.

    Raises
    ------
    InvalidInput
        For rows that do not exist, for negative labels, and for a row that is both checked and left out.

    Notes
    -----
    Which rows are checked depends on their features and given labels only, and the model knows both. So the noise may
    be estimated from checked and open rows together, as if all had been drawn at random. Class frequencies, gold
    correction and the bounds that need no model use the open and the trusted rows only.
    """
    told, n = posterior.basis.told, len(posterior.given)
    rows = _checked_rows(checked, left_out, n)
    right = _labels_of(rows, checked)
    suspicion, suggestion = posterior.suspicion.copy(), posterior.suggestion.copy()
    probability = posterior.suggestion_probability.copy()
    suspicion[rows], suggestion[rows], probability[rows] = right != posterior.given[rows], right, 1.0
    still = np.setdiff1d(np.arange(n), np.concatenate([rows, np.array(sorted(left_out), dtype=np.int64)]))
    if not len(still):
        return Round(still, suspicion, suggestion, probability, np.zeros(n), None, None)
    now = told if len(still) == n else _since(told, rows, right, still)
    believed = posterior if len(still) == n else updated(posterior, now, still, rows) or _fitted(now)
    shift = shift_of(believed.basis)
    suspicion[still] = believed.suspicion if shift is None else shift.of(believed.suspicion)
    suggestion[still], probability[still] = _suggestions(believed, suspicion[still])
    order, expected = ordered(believed, now.train, now.validation)
    gain = np.zeros(n)
    gain[still] = expected
    count = believed.wrong_labels()
    left = None if np.isnan(count.expected) else count
    if left is not None and shift is not None:
        left = shift.counted(believed.suspicion, left)
    if drawn is not None:
        wrong = {int(row): bool(suspicion[row]) for row in rows}
        left = by_drawn(left, drawn, wrong, left_out, posterior.suspicion, len(still))
    return Round(still[order], suspicion, suggestion, probability, gain, left, believed)


def _suggestions(believed: Posterior, suspicion: FloatVector) -> tuple[IntVector, FloatVector]:
    """The suggestions and their probabilities, (n,) each, by another suspicion; other classes keep their shares."""
    rows, given = np.arange(len(believed.given)), believed.given
    probabilities = believed.probabilities * (suspicion / np.maximum(believed.suspicion, 1e-12))[:, None]
    probabilities[rows, given] = 1 - suspicion
    most = probabilities.max(axis=1)
    return np.where(most > 1 - suspicion, probabilities.argmax(axis=1), given), most


def by_drawn(
    left: Count | None,
    drawn: FirstLooks,
    wrong: Mapping[int, bool],
    left_out: Collection[int],
    suspicion: FloatVector,
    rows: int,
) -> Count | None:
    """How many labels of so many open rows are wrong: by the drawn rows, if these are decided and tell more than
    `left` or contradict it. wrong: of the checked rows. suspicion (n,): of all rows, before the review.

    What was found is not left. The open rows are wrong at most twice as often as all rows outside the sample, since the
    more suspicious ones are looked at first.
    """
    possible = possible_numbers(drawn, wrong, left_out)
    if possible is None:
        return left
    sampled, middle = summed_up(possible), summed_up(possible, 0.25)
    found, unknown = sum(wrong.values()), suspicion[list(left_out)]
    others = int(drawn.sizes.sum()) - len(drawn.rows)
    in_sample = sum(wrong.get(row, False) for row in drawn.rows.tolist())
    often = _MORE_OFTEN * rows / max(others, 1)
    high = min(max(sampled.high - found, 0.0), often * (sampled.high - in_sample), float(rows))
    low = min(max(sampled.low - found - len(unknown), 0.0), high)
    expected = min(sampled.expected - found - unknown.sum(), often * (sampled.expected - in_sample))
    there = Count(float(np.clip(expected, low, high)), float(np.floor(low)), float(np.ceil(high)))
    if left is None or there.high - there.low < left.high - left.low:
        return there
    contradicted = left.high < middle.low - found or middle.high - found < left.low
    return there if contradicted else left


def beliefs_after(train: Split, validation: Split | None, checked: Mapping[int, int]) -> tuple[IntVector, Posterior]:
    """The rows that are not checked, in ascending order, and the beliefs about them: those of a round, fitted once.

    For whoever has no posterior from before the review. Raises InvalidInput like `next_round`, or if no row is open.
    """
    rows = _checked_rows(checked, (), len(train))
    still = np.setdiff1d(np.arange(len(train)), rows)
    return still, _fitted(_since(Told(train, validation), rows, _labels_of(rows, checked), still))


def _labels_of(rows: IntVector, checked: Mapping[int, int]) -> IntVector:
    return np.array([checked[row] for row in rows.tolist()], dtype=np.int64)


def _since(told: Told, rows: IntVector, right: IntVector, still: IntVector) -> Told:
    """What is known about the rows `still`, where the labels `right` of the rows `rows` are facts."""
    train, own, votes = told.train, told.probabilities, told.votes
    facts = None
    if len(rows):
        named = tuple(f"checked {train.ids[row]}" for row in rows.tolist())
        known = Split(train.features[rows], right, named)
        said = None if votes is None else votes[rows]
        facts = Checked(known, train.labels[rows], None if own is None else own[rows], said)
    return replace(
        told,
        train=train.take(still),
        checked=facts,
        probabilities=None if own is None else own[still],
        votes=None if votes is None else votes[still],
    )


def _fitted(told: Told) -> Posterior:
    return label_posterior(
        told.train,
        told.validation,
        checked=told.checked,
        probabilities=told.probabilities,
        validation_probabilities=told.validation_probabilities,
        votes=told.votes,
    )


def _checked_rows(checked: Mapping[int, int], left_out: Collection[int], n: int) -> IntVector:
    """The checked rows in ascending order. Raises InvalidInput as `next_round` does."""
    for name, rows in (("checked", checked), ("left_out", left_out)):
        odd = [row for row in rows if not 0 <= row < n]
        if odd:
            raise InvalidInput(name, f"there is no row {odd[0]}", f"use row numbers from 0 to {n - 1}")
    negative = [row for row, label in checked.items() if label < 0]
    if negative:
        problem = f"the label of row {negative[0]} is {checked[negative[0]]}"
        raise InvalidInput("checked", problem, "use class numbers from 0")
    both = set(checked) & set(left_out)
    if both:
        raise InvalidInput("left_out", f"row {min(both)} is also checked", "name it in one of the two")
    return np.array(sorted(checked), dtype=np.int64)
