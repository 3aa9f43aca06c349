"""The cleaning curves of one data id as they are drawn, and what they save in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from evaluation.contest.standings import CHANCE, Row
from evaluation.contract.record import Curve, Record

BEST = 5
"""How many methods are drawn in a colour of their own."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """The curve of a method: its mean over seeds and their range, at each number of fixes, (k,).

    needed: the fixes to reach the target, the mean over seeds. order: the rows as the first seed fixes them, or none.
    """

    method: str
    score: float
    needed: float
    fixes: Any
    accuracy: Any
    low: Any
    high: Any
    order: tuple[int, ...]
    seeds: int
    bound: bool
    rounds: int | None


@dataclass(frozen=True, eq=False)
class Picture:
    """What is drawn of one data id, the best method in front. rows: how many labels there are to look at."""

    data_id: str
    curves: tuple[Drawn, ...]
    dirty: float
    clean: float
    target: float
    rows: int

    @property
    def level(self) -> float:
        """The accuracy to reach."""
        return self.target * self.clean


def picture(data_id: str, records: Sequence[Record]) -> Picture:
    """The curves of a data id. Raises ValueError if no record has one."""
    own = [(record, record.curve) for record in records if record.dataset == data_id and record.curve is not None]
    if not own:
        raise ValueError(data_id)
    methods: dict[str, list[tuple[Record, Curve]]] = {}
    for record, curve in own:
        methods.setdefault(record.method, []).append((record, curve))
    curves = [_drawn(method, pairs) for method, pairs in methods.items()]
    first, known = own[0]
    return Picture(
        data_id,
        tuple(sorted(curves, key=lambda one: (one.score, one.method))),
        known.dirty,
        known.clean,
        float(first.settings.get("target", 0.95)),
        max(known.fixes),
    )


def _drawn(method: str, pairs: Sequence[tuple[Record, Curve]]) -> Drawn:
    pairs = sorted(pairs, key=lambda pair: pair[0].seed)
    first = pairs[0][0]
    fixes = np.asarray(pairs[0][1].fixes)
    accuracy = np.asarray([np.interp(fixes, curve.fixes, curve.accuracy) for _, curve in pairs])
    return Drawn(
        method,
        fmean(record.metrics["score"] for record, _ in pairs),
        fmean(record.metrics["fixes_needed"] for record, _ in pairs),
        fixes,
        accuracy.mean(axis=0),
        accuracy.min(axis=0),
        accuracy.max(axis=0),
        tuple(first.details.get("order", ())),
        len(pairs),
        bool(first.settings.get("bound")),
        first.rounds,
    )


def roles(rows: Sequence[Row]) -> dict[str, str]:
    """How each method is drawn: `best0` to `best4` (in colour), `random`, `bound`, `rounds`, or `rest` (grey)."""
    found = {CHANCE: "random"} | {row.method: "bound" for row in rows if row.bound}
    found |= {row.method: "rounds" for row in rows if row.rounds is not None}
    best = [row.method for row in rows if row.method not in found][:BEST]
    found |= {method: f"best{number}" for number, method in enumerate(best)}
    return {row.method: found.get(row.method, "rest") for row in rows}


def saved(shown: Picture) -> str:
    """What the best order made at once saves against random order, in one sentence."""
    best = next((one for one in shown.curves if not one.bound and one.rounds is None), shown.curves[0])
    share = f"{shown.target:.0%} of the clean accuracy"
    text = f"{best.method} reaches {share} after {_count(best.needed)} of {shown.rows} fixes"
    chance = next((one for one in shown.curves if one.method == CHANCE), None)
    if chance is None or chance is best or chance.needed <= 0:
        return f"{text}."
    less = chance.needed - best.needed
    return (
        f"{text}, random order after {_count(chance.needed)}: {_count(less)} fixes saved ({less / chance.needed:.0%})."
    )


def _count(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
