"""Rounds of a review: after each batch of decisions, the order and the beliefs are computed anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cleaning import Count, Split, inspection_order, label_posterior
from cleaning.data import FloatVector, IntVector
from cleaning.errors import InvalidInput
from evaluation.labels.opened import Review
from evaluation.labels.review_folder import RANKING

Forecast = Callable[[int], Count | None]

_DEVIATIONS = 1.645
_TURN = 20


@dataclass(frozen=True, eq=False)
class Round:
    """What is believed at one point of a review.

    number: 0 for the ranking as it was made. looks: how many rows had been looked at. order (n,): all rows, the one to
    look at next first; those already decided last. suspicion (n,): P(the given label is wrong), NaN without a label.
    suggestion (n,): index of a class. probability (n,): P(the suggestion is right). left: wrong labels among the rows
    that were open, None where the data cannot tell. forecast: how many of them a number of looks should find.
    """

    number: int
    looks: int
    order: IntVector
    suspicion: FloatVector
    suggestion: IntVector
    probability: FloatVector
    left: Count | None
    forecast: Forecast
    advice: str


def first_round(review: Review, classes: Sequence[str]) -> Round:
    """The ranking of the review folder. Raises InvalidInput if it is not about the rows of the source.

    classes: the names that suggestions are indices of.
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
    return _round(0, 0, order, suspicion, suggestion, probability, left, n)


def next_round(
    review: Review, before: Round, checked: Mapping[int, int], left_out: frozenset[int], found: int
) -> Round:
    """The round after decisions. checked: the right class of each checked row. left_out: rows dropped or unsure.

    found: how many of the labels were wrong.
    """
    source, trusted = review.source, review.trusted
    labelled = np.flatnonzero(source.labels >= 0)
    decided = np.asarray(sorted({*checked, *left_out}), dtype=np.int64)
    rows = np.setdiff1d(labelled, decided)
    suspicion, suggestion = before.suspicion.copy(), before.suggestion.copy()
    probability = before.probability.copy()
    order = before.order[~np.isin(before.order, decided)]
    if len(rows):
        facts = np.asarray(sorted(checked), dtype=np.int64)
        train = _split(source.features[rows], source.labels[rows], rows)
        known = _split(source.features[facts], np.asarray([checked[row] for row in facts.tolist()], np.int64), facts)
        if trusted is not None:
            sure = np.flatnonzero(trusted.labels >= 0)
            known = Split(
                np.vstack([trusted.features[sure], known.features]),
                np.concatenate([trusted.labels[sure], known.labels]),
                (*(f"trusted {row}" for row in sure.tolist()), *known.ids),
            )
        posterior = label_posterior(train, known, rng=np.random.default_rng(review.description.seed))
        ranked = rows[inspection_order(posterior, train, known).order]
        suspicion[rows], suggestion[rows] = posterior.suspicion, posterior.suggestion
        probability[rows] = posterior.suggestion_probability
        order = np.concatenate([ranked, order[~np.isin(order, rows)]])
    counted = review.description.count
    left = None
    if counted is not None:
        left = Count(*(max(value - found, 0.0) for value in (counted.expected, counted.low, counted.high)))
    return _round(
        before.number + 1,
        len(decided),
        np.concatenate([order, decided]),
        suspicion,
        suggestion,
        probability,
        left,
        len(order),
    )


def _split(features: "np.ndarray[tuple[int, ...], np.dtype[np.float32]]", labels: IntVector, rows: IntVector) -> Split:
    return Split(features, labels, tuple(f"{row:012d}" for row in rows.tolist()))


def _round(
    number: int,
    looks: int,
    order: IntVector,
    suspicion: FloatVector,
    suggestion: IntVector,
    probability: FloatVector,
    left: Count | None,
    unchecked: int,
) -> Round:
    ahead = np.nan_to_num(suspicion[order[:unchecked]])
    sums = np.concatenate([[0.0], np.cumsum(ahead)])
    variances = np.concatenate([[0.0], np.cumsum(ahead * (1 - ahead))])

    def forecast(count: int) -> Count | None:
        if left is None:
            return None
        reached = min(count, unchecked)
        half = _DEVIATIONS * float(np.sqrt(variances[reached]))
        expected = min(float(sums[reached]), left.high)
        return Count(expected, max(np.floor(expected - half), 0.0), min(np.ceil(expected + half), left.high, reached))

    return Round(
        number, looks, order, suspicion, suggestion, probability, left, forecast, _advice(ahead, left, unchecked)
    )


def _advice(ahead: FloatVector, left: Count | None, unchecked: int) -> str:
    if not unchecked:
        return "Every row has been looked at."
    if left is None:
        return "The data cannot tell how many labels are wrong. Go on while you still find some."
    turns = [float(ahead[start : start + _TURN].sum()) for start in range(0, min(unchecked, 2000), _TURN)]
    worth = next((number for number, found in enumerate(turns) if found < 1), len(turns))
    if not worth:
        return f"You may stop: the next {_TURN} looks should find less than one wrong label."
    looks = min(worth * _TURN, unchecked)
    rest = [max(value - float(ahead[:looks].sum()), 0.0) for value in left]
    return (
        f"Not yet: stop after about {looks} more looks; "
        f"then about {rest[0]:.0f} wrong labels ({rest[1]:.0f} to {rest[2]:.0f}) stay."
    )
