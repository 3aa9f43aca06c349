"""Cleaning in rounds: after every few fixes the ranker is asked again, and told what was found."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from cleaning.data import GroundTruth, IntVector
from cleaning.errors import InvalidInput
from cleaning.ranking import Ranking

Ask = Callable[[Mapping[int, int]], Ranking]
"""The order of all rows, given the right label of every row that is fixed. Fixed rows may be anywhere in it."""


def clean_in_rounds(ask: Ask, truth: GroundTruth, every: int, fixed: Sequence[int] = ()) -> Iterator[IntVector]:
    """The rows that each round fixes, until all rows are fixed: `every` of them, and the rest in the last round.

    fixed: the rows that earlier rounds have fixed, to go on from there. A fixed row never comes back. With `every` at
    least the number of rows there is one round, which is the plain ranking. No other label than those of fixed rows
    reaches `ask`. Raises InvalidInput for an order of another number of rows.
    """
    rows = len(truth.labels)
    done = np.zeros(rows, dtype=bool)
    done[list(fixed)] = True
    while not done.all():
        ranking = ask({int(row): int(truth.labels[row]) for row in np.flatnonzero(done)})
        if len(ranking) != rows:
            raise InvalidInput("ranking", f"it has {len(ranking)} rows, not {rows}", "rank all rows in every round")
        chosen = ranking.order[~done[ranking.order]][:every]
        done[chosen] = True
        yield chosen
