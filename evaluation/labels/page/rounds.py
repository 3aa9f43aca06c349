"""Rounds of a review: after each batch of decisions, the order and the beliefs are computed anew."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cleaning import Count
from cleaning.data import FloatVector, IntVector
from cleaning.errors import InvalidInput
from cleaning.labels.advice import advice
from cleaning.labels.ranked import Ranked
from cleaning.labels.rounds import renewed
from cleaning.review import found_ahead
from evaluation.labels.opened import Review
from evaluation.labels.review_folder import RANKING


@dataclass(frozen=True, eq=False)
class Round:
    """What is believed at one point of a review.

    number: 0 for the ranking as it was made. looks: how many rows had been looked at. order (n,): all rows, the one to
    look at next first; those already decided last. unchecked: how many were open. suspicion (n,): P(the given label is
    wrong), NaN without a label. suggestion (n,): index of a class. probability (n,): P(the suggestion is right). left:
    wrong labels among the rows that were open, and deviations: of their suspicion, see `found_ahead`; None where the
    data cannot tell.
    """

    number: int
    looks: int
    order: IntVector
    unchecked: int
    suspicion: FloatVector
    suggestion: IntVector
    probability: FloatVector
    left: Count | None
    deviations: tuple[float, float] | None
    advice: str

    def forecast(self, looks: int, after: int = 0) -> Count | None:
        """How many wrong labels so many looks should find, after others; None where the data cannot tell."""
        if self.deviations is None or self.left is None:
            return None
        rows = self.order[: self.unchecked][after:][:looks]
        return found_ahead(np.nan_to_num(self.suspicion[rows]), self.deviations, self.left)


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
        raise InvalidInput(review.folder / RANKING, problem, "run `fixfirst rank` again") from error
    if len(set(rows)) != n or len(rows) != n:
        problem = f"it has {len(set(rows))} of the {n} rows of {review.source.path}"
        raise InvalidInput(review.folder / RANKING, problem, "run `fixfirst rank` again")
    counted = review.description.count
    left = None if counted is None else Count(counted.expected, counted.low, counted.high)
    deviations = None if counted is None else counted.deviations
    decided = [line for line in lines if line["decision"]]
    open_rows = n - len(decided)
    state = _State(0, 0, order, n, _without(first, order[open_rows:].tolist()))
    found_at_first = _round(state, suspicion, suggestion, probability, left, deviations)
    if left is None or not decided:
        return found_at_first
    # the count is that of all labels, before any was looked at; the advice is about the rows that are still open
    found = sum(line["decision"] not in ("keep", "unsure", f"label: {line['given_label']}") for line in decided)
    still = Count(*(max(value - found, 0.0) for value in left))
    return replace(found_at_first, advice=advice(np.nan_to_num(suspicion[order[:open_rows]]), still))


def next_round(
    before: Round,
    ranked: Ranked,
    checked: Mapping[int, int],
    left_out: frozenset[int],
    first: Sequence[int] = (),
) -> Round:
    """The round after decisions. ranked: before any. checked: the right class of each checked row. left_out: rows
    dropped or unsure. first: rows to look at before all others, until they are decided.
    """
    now = renewed(ranked, checked, left_out)
    bare = np.flatnonzero(np.isnan(ranked.suspicion))
    unchecked = len(now.round.order) + len(np.setdiff1d(bare, [*checked, *left_out]))
    decided = {*checked, *left_out}
    state = _State(before.number + 1, len(decided), now.order, unchecked, _without(first, decided))
    return _round(state, now.suspicion, now.suggestion, now.probability, now.round.left, now.round.deviations)


def _without(rows: Sequence[int], others: Collection[int]) -> IntVector:
    closed = set(others)
    return np.array([row for row in rows if row not in closed], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _State:
    number: int
    looks: int
    order: IntVector
    unchecked: int
    first: IntVector


def _round(
    state: _State,
    suspicion: FloatVector,
    suggestion: IntVector,
    probability: FloatVector,
    left: Count | None,
    deviations: tuple[float, float] | None,
) -> Round:
    order = np.concatenate([state.first, state.order[~np.isin(state.order, state.first)]])
    return Round(
        number=state.number,
        looks=state.looks,
        order=order,
        unchecked=state.unchecked,
        suspicion=suspicion,
        suggestion=suggestion,
        probability=probability,
        left=left,
        deviations=deviations,
        # whether to go on depends on the most suspicious rows, not on the drawn ones
        advice=advice(np.nan_to_num(suspicion[state.order[: state.unchecked]]), left),
    )
