"""Rounds of a review: after each batch of decisions, the order and the beliefs are computed anew."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaning import Count
from cleaning.data import FloatVector, IntVector
from cleaning.errors import InvalidInput
from cleaning.labels.advice import advice
from cleaning.labels.ranked import Ranked
from cleaning.labels.rounds import renewed
from cleaning.review import TESTED, checked_labels, found_ahead
from evaluation.labels.opened import Review
from evaluation.labels.review_folder import AGAIN, RANKING


@dataclass(frozen=True, eq=False)
class Round:
    """What is believed at one point of a review.

    number: 0 for the ranking as it was made. looks: how many rows had been looked at. found: how many of them had a
    wrong label. order (n,): all rows, the one to look at next first; those already decided last. ahead: those that were
    open, in the same order, but without the drawn rows in front. suspicion (n,): P(the given label is wrong), NaN
    without a label. suggestion (n,): index of a class. probability (n,): P(the suggestion is right). left: wrong labels
    among the rows that were open, and deviations: of their suspicion, see `found_ahead`; None where the data cannot
    tell.
    """

    number: int
    looks: int
    found: int
    order: IntVector
    ahead: IntVector
    suspicion: FloatVector
    suggestion: IntVector
    probability: FloatVector
    left: Count | None
    deviations: tuple[float, float] | None

    def advice(self, closed: NDArray[np.bool_], left: Count | None) -> str:
        """Whether to go on. closed (n,): whether a row has been decided. left: wrong labels among the others.

        It depends on the most suspicious rows, not on the drawn ones. Looks since this round have not tested
        its beliefs.
        """
        looked = int(np.count_nonzero(closed & ~np.isnan(self.suspicion)))
        checked = looked if looked < TESTED else checked_labels(self.suspicion, self.ahead)
        return advice(np.nan_to_num(self.suspicion[self.ahead[~closed[self.ahead]]]), left, checked)

    def forecast(self, rows: IntVector) -> Count | None:
        """How many wrong labels a look at these rows should find; None where the data cannot tell."""
        if self.deviations is None or self.left is None:
            return None
        others = np.setdiff1d(self.order[: len(self.order) - self.looks], rows)
        ahead, behind = (np.nan_to_num(self.suspicion[part]) for part in (rows, others))
        return found_ahead(ahead, behind, self.deviations, self.left, checked_labels(self.suspicion, self.ahead))


def first_round(review: Review, classes: Sequence[str], first: Sequence[int] = ()) -> Round:
    """The ranking of the review folder. Raises InvalidInput if it is not about the rows of the source.

    classes: the names that suggestions are indices of. first: rows to look at before all others.
    """
    n = len(review.source)
    place = {name: number for number, name in enumerate(classes)}
    order, suspicion = np.full(n, -1), np.full(n, np.nan)
    suggestion, probability = np.zeros(n, dtype=np.int64), np.zeros(n)
    lines = review.ranking
    try:
        rows = [review.rows[line["id"]] for line in lines]
        order = np.asarray(rows, dtype=np.int64)
        suggestion[order] = [place[line["suggested_label"]] for line in lines]
        probability[order] = [float(line["probability"] or "nan") for line in lines]
        suspicion[order] = [float(line["suspicion"] or "nan") for line in lines]
    except (KeyError, ValueError) as error:
        problem = f"it is not about the rows of {review.source.path} as they are now ({error})"
        raise InvalidInput(review.folder / RANKING, problem, AGAIN) from error
    if len(set(rows)) != n or len(rows) != n:
        problem = f"it has {len(set(rows))} of the {n} rows of {review.source.path}"
        raise InvalidInput(review.folder / RANKING, problem, AGAIN)
    counted = review.description.count
    decided = [line for line in lines if line["decision"]]
    found = sum(map(_was_wrong, decided))
    left = None if counted is None else Count(counted.expected, counted.low, counted.high)
    deviations = None if counted is None else counted.deviations
    open_rows = n - len(decided)
    return Round(
        number=0,
        looks=len(decided),
        found=found,
        order=_in_front(first, order, order[open_rows:].tolist()),
        ahead=order[:open_rows],
        suspicion=suspicion,
        suggestion=suggestion,
        probability=probability,
        left=left,
        deviations=deviations,
    )


def _was_wrong(line: Mapping[str, str]) -> bool:
    """Whether a look at the row of a ranking has found a wrong label."""
    given = line["given_label"]
    return bool(given) and line["decision"] not in ("keep", "unsure", f"label: {given}")


def next_round(
    before: Round,
    ranked: Ranked,
    checked: Mapping[int, int],
    left_out: frozenset[int],
    found: int,
    first: Sequence[int] = (),
) -> Round:
    """The round after decisions. ranked: before any. checked: the right class of each checked row. left_out: rows
    dropped or unsure. found: how many of all these had a wrong label. first: rows to look at before all others, until
    they are decided.
    """
    now = renewed(ranked, checked, left_out)
    bare = np.flatnonzero(np.isnan(ranked.suspicion))
    unchecked = len(now.round.order) + len(np.setdiff1d(bare, [*checked, *left_out]))
    decided = {*checked, *left_out}
    return Round(
        number=before.number + 1,
        looks=len(decided),
        found=found,
        order=_in_front(first, now.order, decided),
        ahead=now.order[:unchecked],
        suspicion=now.suspicion,
        suggestion=now.suggestion,
        probability=now.probability,
        left=now.round.left,
        deviations=now.round.deviations,
    )


def _in_front(first: Sequence[int], order: IntVector, decided: Collection[int]) -> IntVector:
    """The order with those of the first rows in front that are not decided."""
    closed = set(decided)
    wanted = np.array([row for row in first if row not in closed], dtype=np.int64)
    return np.concatenate([wanted, order[~np.isin(order, wanted)]])
