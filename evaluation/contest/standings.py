"""Leaderboards: one row per task and method, with the mean over data sets and its 95% interval."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import fmean

from cleaning.errors import count_of
from cleaning.intervals import PairedDifference, mean_interval, paired_difference, paired_values
from evaluation.contract.metric import Metric
from evaluation.contract.record import Record
from evaluation.contract.task import Task
from evaluation.files.csv import csv_text, safe_cell

_MARKS = re.compile(r"[\\`*\[\]<>|&~$#@!]|(?<![^\W_])_|_(?![^\W_])|(?<=www)\.|(?<=http):|(?<=https):", re.IGNORECASE)
"""What Markdown may read as more than text. An underscore inside a word is none of it."""
COLUMNS = (
    *("task", "rank", "method", "metric", "mean", "low95", "high95", "to_best", "to_best_low95", "to_best_high95"),
    *("data_sets", "of", "seeds", "seconds", "rounds"),
)
CHANCE = "random"
"""The method that puts the rows in random order."""


@dataclass(frozen=True)
class Row:
    """A method's standing in a task.

    mean: the main metric, averaged over seeds for each data set and then over data sets.
    low, high: the 95% interval of the mean, by Student's t over data sets (over seeds if there is only one data set),
    clipped to the metric's limits; None if there is only one value.
    n_datasets, n_all: the number of data sets scored, and of all data sets. n_seeds: the number of seeds.
    rounds: after how many fixes the ranker was asked again; None for orders made at once.
    seconds: the mean ranking time. others: the means of the task's other metrics.
    bound: whether it reads the ground truth, and so is not a submission.
    to_best, to_random: this method minus the best submission, and minus random order, paired by data set (by seed if
    there is only one data set); None for that method itself, and where nothing can be paired.
    """

    task: str
    method: str
    metric: Metric
    mean: float
    low: float | None
    high: float | None
    n_datasets: int
    n_all: int
    n_seeds: int
    seconds: float | None
    others: dict[str, float]
    bound: bool = False
    rounds: int | None = None
    to_best: PairedDifference | None = None
    to_random: PairedDifference | None = None

    @property
    def reversed(self) -> bool:
        """Whether it is worse than random order beyond the interval, as scores with the wrong sign are."""
        worse = -1 if self.metric.greater_is_better else 1
        return self.to_random is not None and self.to_random.sign == worse

    @property
    def complete(self) -> bool:
        """Whether every data set of the task was scored. Incomplete rows are listed last, without a rank."""
        return self.n_datasets == self.n_all


def leaderboard(records: Iterable[Record], task: Task) -> list[Row]:
    """The rows of a task, best mean first. Methods that lack a data set come last: their means are not comparable.

    Orders made at once come first, then those in rounds, which are ranked and compared among themselves alone, for each
    number of fixes per round. `apart` separates them.

    Each mean is an exact sum, rounded once, so the order of the records cannot turn equal means into unequal ones.
    """
    kinds: dict[int, list[Record]] = defaultdict(list)
    for record in records:
        if record.task == task.name:
            kinds[record.rounds or 0].append(record)
    return [row for every in sorted(kinds) for row in _ranked(kinds[every], task)]


def apart(name: str, rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    """The rows of a leaderboard in tables with titles: orders made at once, and each kind of rounds."""
    return [
        (name if every is None else f"{name}, in rounds of {count_of(every, 'fix')}", list(own))
        for every, own in groupby(rows, key=lambda row: row.rounds)
    ]


def _ranked(chosen: Sequence[Record], task: Task) -> list[Row]:
    """The rows of records that may be compared."""
    n_all = len({record.dataset for record in chosen})
    methods: dict[str, list[Record]] = defaultdict(list)
    for record in chosen:
        if record.status == "ok":
            methods[record.method].append(record)
    rows = [_row(task, method, own, n_all) for method, own in methods.items()]
    sign = -1.0 if task.main.greater_is_better else 1.0
    rows.sort(key=lambda row: (not row.complete, sign * row.mean, row.method))
    return compared(rows, chosen, task, best_row(rows).method) if rows else []


def compared(rows: Iterable[Row], records: Iterable[Record], task: Task, best: str) -> list[Row]:
    """The rows with their paired differences to the method `best`, and to random order."""
    values: dict[str, dict[tuple[str, int], float]] = defaultdict(dict)
    for record in records:
        if record.status == "ok":
            values[record.method][record.dataset, record.seed] = record.metrics[task.main.name]
    return [
        replace(row, to_best=_gap(values, best, row.method), to_random=_gap(values, CHANCE, row.method)) for row in rows
    ]


def best_row(rows: Sequence[Row]) -> Row:
    """The first row that is not a bound; the first one if all are."""
    return next((row for row in rows if not row.bound), rows[0])


def _gap(values: dict[str, dict[tuple[str, int], float]], reference: str, method: str) -> PairedDifference | None:
    """A method minus the reference."""
    if method == reference or reference not in values:
        return None
    before, after = paired_values(values[reference], values[method])
    return paired_difference(before, after) if before else None


def reversed_warning(row: Row) -> str:
    """What to say about a method that is worse than random order beyond its interval."""
    return (
        f"{row.method} is worse than random order ({signed(row.to_random)}): its scores seem to be the wrong way "
        "round. Fix: return low scores for suspicious labels, or reverse the order"
    )


def signed(gap: PairedDifference | None) -> str:
    """A difference with its interval, in a few characters; empty for None."""
    if gap is None:
        return ""
    known = "" if gap.interval is None else f" ({gap.interval[0]:+.3f} to {gap.interval[1]:+.3f})"
    return f"{gap.mean:+.3f}{known}"


def _row(task: Task, method: str, records: Sequence[Record], n_all: int) -> Row:
    by_dataset: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        by_dataset[record.dataset].append(record)

    def means(name: str) -> list[float]:
        return [fmean(r.metrics[name] for r in own) for own in by_dataset.values()]

    values = means(task.main.name)
    spread = values if len(values) > 1 else [record.metrics[task.main.name] for record in records]
    bounds = mean_interval(spread)
    times = [record.seconds for record in records if record.seconds is not None]
    return Row(
        task=task.name,
        method=method,
        metric=task.main,
        mean=fmean(values),
        low=None if bounds is None else task.main.clip(bounds[0]),
        high=None if bounds is None else task.main.clip(bounds[1]),
        n_datasets=len(by_dataset),
        n_all=n_all,
        n_seeds=len({record.seed for record in records}),
        rounds=records[0].rounds,
        seconds=fmean(times) if times else None,
        others={
            metric.name: fmean(means(metric.name))
            for metric in task.others
            if all(metric.name in record.metrics for record in records)
        },
        bound=any(record.settings.get("bound") for record in records),
    )


def gap_cells(gap: PairedDifference | None) -> list[float | None]:
    """A difference and the ends of its interval, for a table at full precision."""
    return [None, None, None] if gap is None else [gap.mean, *(gap.interval or (None, None))]


def as_csv(boards: Sequence[Sequence[Row]]) -> str:
    """The rows of each task at full precision, ranked within the task. The last columns are the other metrics."""
    others = list(dict.fromkeys(name for rows in boards for row in rows for name in row.others))
    lines = []
    for place, row in ((place, row) for rows in boards for place, row in zip(places(rows), rows, strict=True)):
        head = [row.task, place, safe_cell(row.method), row.metric.name, row.mean, row.low, row.high]
        head += gap_cells(row.to_best)
        tail = [row.n_datasets, row.n_all, row.n_seeds, row.seconds, row.rounds]
        lines.append([*head, *tail, *(row.others.get(name) for name in others)])
    return csv_text([*COLUMNS, *others], lines)


def as_cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Header and cells of a human-readable table."""
    header = ["", "method", f"{rows[0].metric.name} ({rows[0].metric.direction})" if rows else "score", "95% interval"]
    names = list(dict.fromkeys(name for row in rows for name in row.others))
    header += ["minus the best, paired", "data sets", "seconds", *names]
    cells = []
    for place, row in zip(places(rows), rows, strict=True):
        bounds = "" if row.low is None or row.high is None else f"{row.low:.3f} to {row.high:.3f}"
        sets = f"{row.n_datasets}" if row.complete else f"{row.n_datasets} of {row.n_all}"
        seconds = "" if row.seconds is None else f"{row.seconds:.3g}"
        others = [f"{row.others[name]:.4g}" if name in row.others else "" for name in names]
        cells.append([place, row.method, f"{row.mean:.6f}", bounds, signed(row.to_best), sets, seconds, *others])
    return header, cells


def markdown_table(header: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """A Markdown table. Whatever a cell contains is shown as it is: no link, no tag, no emphasis."""
    safe = [[_MARKS.sub(r"\\\g<0>", cell) for cell in line] for line in cells]
    lines = [header, ["---"] * len(header), *safe]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def text_table(header: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    """A table with aligned columns, for the terminal."""
    widths = [max(len(line[column]) for line in [header, *cells]) for column in range(len(header))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in [header, *cells]
    )
    return "\n".join(line.rstrip() for line in lines)


def places(rows: Sequence[Row]) -> list[str]:
    """1, 2, … for complete rows (equal means share a place) and an empty string for the others.

    Each kind of rounds has its own places.
    """
    found: list[str] = []
    for _, own in apart("", rows):
        for number, row in enumerate(own):
            tied = number > 0 and own[number - 1].complete and row.mean == own[number - 1].mean
            found.append("" if not row.complete else found[-1] if tied else str(number + 1))
    return found
