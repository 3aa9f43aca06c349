"""`fixfirst blend`: the mean of probability files or the majority vote of label files, matched by name, not position.

A probability file is a CSV file with a name column (`file` or `filename`) and one numeric column per class. A label
file is a CSV file with the columns `file,category`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cleaning.errors import InvalidInput, Place, first_three
from evaluation.files.csv import csv_rows, csv_text, numbers
from evaluation.files.outputs import refuse_output
from evaluation.files.whole import write_text

Form = Literal["same", "categories"]

_NAME_COLUMNS = ("file", "filename")


@dataclass(frozen=True, eq=False)
class _Table:
    """One file: its name column, its rows by name, and its other columns in order."""

    path: Path
    key: str
    columns: tuple[str, ...]
    rows: dict[str, list[str]]

    @property
    def has_labels(self) -> bool:
        return self.columns == ("category",)


def blend(paths: Sequence[Path], output: Path, *, weights: Sequence[float] | None = None, form: Form = "same") -> int:
    """Writes the blend of at least two files, with the first one's order of rows and columns; returns its row count.

    Probabilities are averaged in float64, weighted by `weights`, whose sum may be any number above 0. With form
    `categories` the most likely class is written; ties go to the first class. Labels are put to a vote in which each
    file has its weight; ties go to the label of the earliest file. Raises InvalidInput if names or columns differ.
    """
    if len(paths) < 2:
        raise InvalidInput("blend", f"the number of files is {len(paths)}", "name at least two")
    refuse_output(output, [".csv"], paths)
    share = _shares(weights, len(paths))
    tables = [_read(path) for path in paths]
    first = tables[0]
    for table in tables[1:]:
        _compare(first, table)
    if first.has_labels:
        header, lines = [first.key, "category"], _voted(tables, share)
    elif form == "categories":
        best = np.argmax(_mean(tables, share), axis=1)
        header = [first.key, "category"]
        lines = [[name, first.columns[place]] for name, place in zip(first.rows, best, strict=True)]
    else:
        header = [first.key, *first.columns]
        lines = [[name, *map(repr, row)] for name, row in zip(first.rows, _mean(tables, share).tolist(), strict=True)]
    write_text(output, csv_text(header, lines))
    return len(lines)


def _shares(weights: Sequence[float] | None, count: int) -> NDArray[np.float64]:
    share = np.ones(count) if weights is None else np.asarray(weights, dtype=np.float64)
    if len(share) != count or not np.isfinite(share).all() or (share < 0).any() or share.sum() <= 0:
        raise InvalidInput(
            "--weights", f"{share.tolist()} for {count} files", "give one number per file, none below 0 and not all 0"
        )
    return np.asarray(share / share.sum())


def _mean(tables: Sequence[_Table], share: NDArray[np.float64]) -> NDArray[np.float64]:
    first = tables[0]
    total = np.zeros((len(first.rows), len(first.columns)))
    for table, weight in zip(tables, share, strict=True):
        order = [table.columns.index(name) for name in first.columns]
        for place, name in enumerate(first.rows):
            total[place] += weight * _numbers(table, name)[order]
    return total


def _voted(tables: Sequence[_Table], share: NDArray[np.float64]) -> list[list[str]]:
    lines = []
    for name in tables[0].rows:
        votes: Counter[str] = Counter()
        for table, weight in zip(tables, share, strict=True):
            votes[table.rows[name][0]] += float(weight)  # type: ignore[assignment]  # a Counter holds any number
        most = max(votes.values())
        lines.append([name, next(label for label, count in votes.items() if count >= most - 1e-12)])
    return lines


def _numbers(table: _Table, name: str) -> NDArray[np.float64]:
    try:
        values = np.array(numbers(table.rows[name]))
    except ValueError as error:
        raise InvalidInput(Place(table.path, row=name), f"a cell is not a number ({error})", "write numbers") from error
    if not ((values >= 0) & (values <= 1)).all():
        raise InvalidInput(Place(table.path, row=name), "a probability is outside 0 … 1", "write probabilities")
    return values


def _compare(first: _Table, table: _Table) -> None:
    """Raises InvalidInput if the files do not have the same names and classes."""
    for what, ours, theirs in (
        ("names", set(first.rows), set(table.rows)),
        ("columns", {first.key, *first.columns}, {table.key, *table.columns}),
    ):
        odd = sorted(ours ^ theirs)
        if odd:
            raise InvalidInput(
                table.path,
                f"some {what} are not in both this file and {first.path} ({first_three(odd)})",
                "blend files with the same rows and classes",
            )


def _read(path: Path) -> _Table:
    if not path.is_file():
        raise InvalidInput(path, "there is no such file", "check the path")
    (key, *columns), lines = csv_rows(path, _NAME_COLUMNS)
    if not columns:
        raise InvalidInput(
            Place(path, line=1), f"there is no column besides {key}", "write file,category, or one column per class"
        )
    rows = dict(lines)
    if not rows:
        raise InvalidInput(path, "there are no rows", "write one row per file")
    return _Table(path, key, tuple(columns), rows)
