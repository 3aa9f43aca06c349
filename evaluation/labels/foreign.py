"""Orders made by other tools: a csv with an id and a score, however its columns are called, or FiftyOne's export.

Source of FiftyOne's format: https://docs.voxel51.com/user_guide/export_datasets.html, FiftyOneDataset.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatVector, IntVector
from cleaning.errors import InvalidInput, Place, count_of, listed, suggest
from evaluation.files.csv import csv_lines
from evaluation.files.json import read_json
from evaluation.labels.review_folder import COLUMNS, RANKING, decided_at_the_end
from evaluation.submissions.ranking_lines import read_ranking

End = Literal["lowest", "highest"]
_SCORES: Mapping[str, End] = {
    "place": "lowest",
    "rank": "lowest",
    "label_quality": "lowest",
    "label_score": "lowest",
    "label_quality_score": "lowest",
    "self_confidence": "lowest",
    "mistakenness": "highest",
    "suspicion": "highest",
}
"""The columns whose meaning is known, and which end of them is the most suspicious; the first one found is taken."""
_IDS = ("id", "ids", "filepath", "path", "filename", "file", "image", "sample_id", "row", "index", "")
"""Names of columns with ids; pandas writes its index without a name."""
_FLAG = "is_label_issue"
_SAMPLES = "samples.json"
"""The file with the rows in the folder that FiftyOne exports."""
# A column holds ids if one of so many lines names a row.
_SAMPLE = 50
_TRUE, _FALSE = ("True", "true", "1"), ("False", "false", "0")


@dataclass(frozen=True)
class Choice:
    """Which columns to read. What is None is guessed. first: which end of the score is the most suspicious."""

    score: str | None = None
    id: str | None = None
    first: End | None = None


@dataclass(frozen=True)
class _Line:
    """Where a row of a file is, as text for a message, and its cells."""

    place: Place
    said: str
    cells: list[str]


@dataclass(frozen=True, eq=False)
class Foreign:
    """order: every row once, the most suspicious in front. listed: how many of them the file lists. said: how read.

    decided: the rows that a ranking of ours has at its end because they had been decided.
    """

    order: IntVector
    listed: int
    said: str
    decided: IntVector = field(default_factory=lambda: np.empty(0, dtype=np.int64))


def read_order(path: Path, ids: Sequence[str], choice: Choice) -> Foreign:
    """The order of these rows in a file: a csv, row numbers, one per line (.txt), a review folder, or the folder or
    samples.json that FiftyOne exports.

    Rows that are flagged as issues come first, where a column says so, then the order is by score; rows that the file
    leaves out come last. Equal scores keep the order of the rows. Raises InvalidInput with the line for an unknown or
    repeated id, for a score that is not a number, and for columns whose meaning is not clear.
    """
    if path.suffix == ".txt":
        _refuse_useless(choice)
        return Foreign(read_ranking(path, len(ids)).order, len(ids), "row numbers, one per line")
    path = _file_in(path) if path.is_dir() else path
    is_json = path.suffix == ".json"
    header, lines = _samples(path) if is_json else _table(path)
    score, first = _score(header, choice, Place(path, line=None if is_json else 1))
    lines = [line for line in lines if line.cells[score] or not is_json]
    column, rows = _rows(path, header, lines, ids, choice)
    scores = _numbers(header[score], lines, score)
    flagged = None
    if _FLAG in header and choice.score is None:
        flagged = np.array([_flag(line.place, line.cells[header.index(_FLAG)]) for line in lines])
    order = _sorted(rows, scores if first == "lowest" else -scores, flagged, len(ids))
    named = "row numbers" if column is None else f"ids from {header[column] or 'the first column'}"
    ahead = f"rows flagged in {_FLAG} first, then " if flagged is not None else ""
    decided = rows[len(rows) - _decided(header, lines) :]
    said = f"{named}; {ahead}{header[score]}, {first} first"
    if len(decided):
        were = f"{count_of(len(decided), 'row')} {'was' if len(decided) == 1 else 'were'} decided before"
        said += f"; {were} and left out, since the ranking has them at its end"
    return Foreign(order, len(rows), said, decided)


def _file_in(folder: Path) -> Path:
    """The file with the order in a review folder, or in one that FiftyOne exports."""
    found = next((folder / name for name in (RANKING, _SAMPLES) if (folder / name).is_file()), None)
    if found is None:
        fix = "give a folder of `fixfirst rank`, one that FiftyOne exports, or a file"
        raise InvalidInput(folder, f"there is neither {RANKING} nor {_SAMPLES} in it", fix)
    return found


def _decided(header: Sequence[str], lines: Sequence[_Line]) -> int:
    """How many rows a ranking of ours has at its end because they had been decided."""
    if not set(COLUMNS) <= set(header):
        return 0
    return decided_at_the_end([line.cells[header.index("decision")] for line in lines])


def _refuse_useless(choice: Choice) -> None:
    given = {"--score-column": choice.score, "--id-column": choice.id, "--first": choice.first}
    option = next((option for option, value in given.items() if value is not None), None)
    if option is not None:
        raise InvalidInput(option, "it is for a table, and a txt file has row numbers alone", "leave it out")


def _table(path: Path) -> tuple[list[str], list[_Line]]:
    """The header and the lines of a csv."""
    found = csv_lines(path)
    _, header = next(found, (1, list[str]()))
    if not header:
        raise InvalidInput(path, "the file is empty", "write a csv with an id and a score")
    return header, [_Line(Place(path, line=line), f"on line {line}", cells) for line, cells in found]


def _samples(path: Path) -> tuple[list[str], list[_Line]]:
    """The fields of FiftyOne's samples that hold one value, and the samples; what a sample lacks is empty."""
    content = read_json(path)
    samples = content.get("samples") if isinstance(content, dict) else None
    if not isinstance(samples, list) or not samples or not all(isinstance(one, dict) for one in samples):
        raise InvalidInput(path, "there is no list of samples in it", f"export a FiftyOneDataset, which has {_SAMPLES}")
    fields = [{name: value for name, value in one.items() if _is_plain(name, value)} for one in samples]
    header = list(dict.fromkeys(name for one in fields for name in one))
    return header, [
        _Line(Place(path, row=row), f"in row {row}", [str(one.get(name, "")) for name in header])
        for row, one in enumerate(fields)
    ]


def _is_plain(name: str, value: object) -> bool:
    return not name.startswith("_") and isinstance(value, str | int | float)


def _sorted(rows: IntVector, keys: FloatVector, flagged: NDArray[np.bool_] | None, count: int) -> IntVector:
    places = np.full(count, np.inf)
    places[rows] = keys
    group = np.full(count, 2)
    group[rows] = 0 if flagged is None else np.where(flagged, 0, 1)
    return np.lexsort((np.arange(count), places, group))


def _score(header: Sequence[str], choice: Choice, place: Place) -> tuple[int, End]:
    """The column of the score, and which of its ends is in front."""
    fix = f"pass --score-column=NAME; columns: {listed(header)}"
    if choice.score is not None and choice.score not in header:
        raise InvalidInput(
            place, f"there is no column {choice.score!r} for --score-column", suggest(choice.score, header)
        )
    name = choice.score if choice.score is not None else next((one for one in _SCORES if one in header), None)
    if name is None:
        others = [one for one in header if one not in _IDS]
        if len(others) != 1:
            raise InvalidInput(place, "no column is known to be a score", fix)
        name = others[0]
    first = choice.first or _SCORES.get(name)
    if first is None:
        raise InvalidInput(
            place, f"the column {name!r} does not say which end is suspicious", "pass --first=lowest or --first=highest"
        )
    return header.index(name), first


def _rows(
    path: Path, header: Sequence[str], lines: Sequence[_Line], ids: Sequence[str], choice: Choice
) -> tuple[int | None, IntVector]:
    """The column of the ids (None: the lines are the rows, in their order) and the row that each line is about."""
    if choice.id is not None and choice.id not in header:
        problem = f"there is no column {choice.id!r} for --id-column"
        raise InvalidInput(Place(path, line=1), problem, suggest(choice.id, header))
    columns = [header.index(name) for name in ((choice.id,) if choice.id is not None else _IDS) if name in header]
    known = _Names(ids)
    for column in columns:
        if choice.id is not None or any(known.row(line.cells[column]) is not None for line in lines[:_SAMPLE]):
            return column, _matched(path, header[column], lines, column, known)
    if len(lines) != len(ids):
        raise InvalidInput(
            path,
            f"no column has the ids of the data, and there are {count_of(len(lines), 'line')} for {len(ids)} rows",
            "pass --id-column",
        )
    return None, np.arange(len(ids))


class _Names:
    """Finds rows by id, by the end of a path, by the name of a file where all are different, or by row number where no
    id is a number.
    """

    def __init__(self, ids: Sequence[str]) -> None:
        self._rows = {name: row for row, name in enumerate(ids)}
        self._numbers = len(ids) if not any(name.isdecimal() for name in ids) else 0
        files = {PurePosixPath(name).name: row for row, name in enumerate(ids)}
        self._files = files if len(files) == len(ids) else {}

    def row(self, text: str) -> int | None:
        """The row that a cell is about; None if it is about none."""
        if text in self._rows:
            return self._rows[text]
        if text.isascii() and text.isdecimal() and len(text) < 12:
            return int(text) if int(text) < self._numbers else None
        parts = PurePosixPath(text.replace("\\", "/")).parts
        ends = ("/".join(parts[place:]) for place in range(1, len(parts)))
        row = next((self._rows[end] for end in ends if end in self._rows), None)
        return self._files.get(parts[-1]) if row is None and len(parts) > 1 else row


def _matched(path: Path, name: str, lines: Sequence[_Line], column: int, known: _Names) -> IntVector:
    first: dict[int, _Line] = {}
    for line in lines:
        text = line.cells[column]
        row = known.row(text)
        place = replace(line.place, column=name or None)
        if row is None:
            raise InvalidInput(place, f"no row of the data has the id {text[:60]!r}", "rank the data that you score")
        if row in first:
            raise InvalidInput(place, f"{text[:60]!r} already appears {first[row].said}", "keep one of them")
        first[row] = line
    if not first:
        raise InvalidInput(path, "it lists no row", "write one line per row")
    return np.array(list(first), dtype=np.int64)


def _numbers(name: str, lines: Sequence[_Line], column: int) -> FloatVector:
    found = np.empty(len(lines))
    for number, line in enumerate(lines):
        try:
            found[number] = float(line.cells[column])
        except ValueError:
            found[number] = math.nan
        if not math.isfinite(found[number]):
            place = replace(line.place, column=name)
            raise InvalidInput(place, f"{line.cells[column][:40]!r} is not a number", "give a number")
    return found


def _flag(place: Place, text: str) -> bool:
    if text not in (*_TRUE, *_FALSE):
        raise InvalidInput(
            replace(place, column=_FLAG), f"{text[:40]!r} is neither True nor False", "write True or False"
        )
    return text in _TRUE
