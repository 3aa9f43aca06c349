"""What the report page shows of each task: a table, the points of the overview, and the curves of each data id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from cleaning.errors import count_of
from evaluation.contest.standings import CHANCE, Row, apart, as_cells, best_row, places, reversed_warning
from evaluation.contract.metric import Metric
from evaluation.contract.record import Record
from evaluation.figures.drawn import Drawn, picture, roles, saved

_POINTS = 600
_SCALE = 10_000
"""Accuracies are stored as whole numbers of this part, which is finer than any test set resolves in a picture."""


@dataclass(frozen=True)
class Cell:
    """The text of a cell, and what a column is sorted by (empty texts come last)."""

    text: str
    key: str


@dataclass(frozen=True)
class Line:
    """A method in the table. number: its place among all methods of the task. bar: the ends and the middle of its
    interval, from 0 to 100. best: where the mean of the best of its table is.
    """

    number: int
    method: str
    kind: str
    place: str
    mean: Cell
    bar: tuple[float, float, float]
    best: float
    cells: tuple[Cell, ...]
    warning: str


@dataclass(frozen=True)
class Section:
    """A task. header: the columns after the interval. tables: of orders made at once and of each kind of rounds, with
    their titles.
    """

    name: str
    metric: Metric
    header: tuple[str, ...]
    tables: tuple[tuple[str, tuple[Line, ...]], ...]
    said: str
    notes: tuple[str, ...]
    data: Mapping[str, Any]
    pictures: tuple[Mapping[str, str], ...]


def section(
    name: str, rows: Sequence[Row], records: Sequence[Record], pictures: Sequence[Mapping[str, str]]
) -> Section:
    """A task's part of the page. records: the good ones of the task. pictures: name and address of each figure."""
    kinds, header, chance = roles(rows), as_cells(rows)[0], _chance(rows)
    ends = [value for row in rows for value in (row.mean, row.low, row.high) if value is not None]
    low, width = min(ends), (max(ends) - min(ends)) or 1.0

    def along(value: float | None, usual: float) -> float:
        return round(100 * ((usual if value is None else value) - low) / width, 2)

    tables = apart(name, rows)
    best = {row.method: along(best_row(own).mean, low) for _, own in tables for row in own}
    lines = tuple(
        Line(
            number,
            row.method,
            kinds[row.method],
            place,
            Cell(f"{row.mean:.3f}", repr(row.mean)),
            (along(row.low, row.mean), along(row.mean, row.mean), along(row.high, row.mean)),
            best[row.method],
            tuple(_cells(row, told, chance)),
            reversed_warning(row) if row.reversed else "",
        )
        for number, (row, place, told) in enumerate(zip(rows, places(rows), as_cells(rows)[1], strict=True))
    )
    following = iter(lines)
    return Section(
        name,
        rows[0].metric,
        ("95% interval", "minus the best, paired", *(["against random"] if chance else []), *header[5:]),
        tuple((title, tuple(islice(following, len(own)))) for title, own in tables),
        headline(rows),
        tuple(line.warning for line in lines if line.warning),
        _data(name, rows, kinds, records),
        tuple(pictures),
    )


def _chance(rows: Sequence[Row]) -> Row | None:
    return next((row for row in rows if row.method == CHANCE), None)


def _data(name: str, rows: Sequence[Row], kinds: Mapping[str, str], records: Sequence[Record]) -> dict[str, Any]:
    """What the script draws, as JSON values."""
    return {
        "name": name,
        "metric": f"{rows[0].metric.name} ({rows[0].metric.direction})",
        "methods": [_point(row, kinds[row.method]) for row in rows],
        "sets": _sets(records, [row.method for row in rows]),
    }


def headline(rows: Sequence[Row]) -> str:
    """The best method of a task with its mean, and random order beside it, in a sentence."""
    (_, first), *_ = apart("", rows)
    best = best_row(first)
    known = "" if best.low is None or best.high is None else f" (95% interval {best.low:.3f} to {best.high:.3f})"
    sets = count_of(best.n_datasets, "data set")
    chance = _chance(rows)
    against = "" if chance is None or chance is best else f"; random order has {chance.mean:.3f}"
    count, ties = sum(not row.bound for row in first), [row.method for row in first if _ties(row, best)]
    place = f"is first of {count}"
    if len(ties) > 1:
        place = f"and {count_of(len(ties) - 1, 'other')} share the first place of {count}"
    return f"{best.method} {place}: {best.metric.name} {best.mean:.3f}{known} over {sets}{against}."


def _ties(row: Row, best: Row) -> bool:
    return row.mean == best.mean and row.complete == best.complete and row.bound == best.bound


def _cells(row: Row, told: Sequence[str], chance: Row | None) -> list[Cell]:
    """The cells after the interval's picture: the interval, the paired difference, random, then the table's own."""
    _, _, _, bounds, gap, sets, seconds, *others = told
    found = [
        Cell(bounds, "" if row.low is None else repr(row.low)),
        Cell(gap or ("the best" if row.complete else ""), "0" if row.to_best is None else repr(row.to_best.mean)),
    ]
    if chance is not None:
        found.append(_against(row, chance))
    found += [Cell(sets, str(row.n_datasets)), Cell(seconds, "" if row.seconds is None else repr(row.seconds))]
    return found + [Cell(text, text) for text in others]


def _against(row: Row, chance: Row) -> Cell:
    if row is chance or row.to_random is None or not row.complete or not chance.mean:
        return Cell("", "")
    share = row.mean / chance.mean - 1
    word = "less" if share < 0 else "more"
    return Cell(f"{abs(share):.0%} {word}" if round(share, 2) else "the same", repr(share))


def _point(row: Row, kind: str) -> dict[str, Any]:
    return {
        "name": row.method,
        "kind": kind,
        "mean": row.mean,
        "low": row.low,
        "high": row.high,
        "seconds": row.seconds,
    }


def _sets(records: Sequence[Record], methods: Sequence[str]) -> list[dict[str, Any]]:
    shown = [picture(name, records) for name in sorted({one.dataset for one in records if one.curve is not None})]
    return [
        {
            "name": one.data_id,
            "said": saved(one),
            "rows": one.rows,
            "dirty": one.dirty,
            "level": one.level,
            "goal": f"{one.target:.0%} of clean",
            "curves": [_curve(curve, methods.index(curve.method)) for curve in one.curves],
        }
        for one in shown
    ]


def _curve(drawn: Drawn, number: int) -> dict[str, Any]:
    """A curve as whole numbers; one with very many points is thinned evenly. `fixes` is left out if it is 0, 1, 2, …"""
    kept = np.unique(np.linspace(0, len(drawn.fixes) - 1, min(_POINTS, len(drawn.fixes))).astype(np.int64))
    fixes = drawn.fixes[kept]
    found: dict[str, Any] = {
        "method": number,
        "score": drawn.score,
        "needed": drawn.needed,
        "accuracy": _whole(drawn.accuracy[kept]),
    }
    if not np.array_equal(fixes, np.arange(len(fixes))):
        found["fixes"] = fixes.tolist()
    if drawn.seeds > 1:
        found |= {"low": _whole(drawn.low[kept]), "high": _whole(drawn.high[kept])}
    if len(drawn.order) >= int(fixes[-1]) > 0:
        found["order"] = [drawn.order[fix - 1] if fix else -1 for fix in fixes.tolist()]
    return found


def _whole(values: Any) -> list[int]:
    return [int(value) for value in np.rint(np.asarray(values) * _SCALE)]
