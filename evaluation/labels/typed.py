"""Decisions that somebody typed into a table with a row's id or number and what is right for it, or into a ranking."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cleaning.errors import InvalidInput, Place, bounded, listed
from evaluation.files.csv import csv_columns, csv_lines
from evaluation.files.names import composed
from evaluation.files.whole import plain_errors
from evaluation.labels.decisions import Entry
from evaluation.labels.forms.tables import SUFFIXES, delimiter_of
from evaluation.labels.review_folder import COLUMNS, DECISIONS, RANKING, described
from evaluation.labels.verdicts import Verdicts

_BY = {"id": "id", "row": "number"}
_FIX = {
    "id": "correct it; if a spreadsheet has changed the ids, format their column as text",
    "row": "write whole numbers, from 0",
}
_SAID = ("label", "decision")
_VERDICTS = ("keep", "drop", "unsure")
_AS_LABEL = "label: "
_HEAD = 4096
_SPREADSHEETS = (".xlsx", ".xls", ".ods")

Column = Literal["label", "decision"]
Opinion = tuple[str, str | None]
"""What a decision says: the verdict, and the label if the verdict is `label`."""


@dataclass(frozen=True)
class Typed:
    """What a line of the file says about a row: a verdict, and the label if the verdict is `label`."""

    line: int
    row: int
    verdict: str
    label: str | None


def is_typed(path: Path) -> bool:
    """Whether a file of decisions is a table; a log may have such a name too. Raises InvalidInput for a spreadsheet."""
    if path.suffix.lower() in _SPREADSHEETS:
        raise InvalidInput(path, "this is a spreadsheet", "save it as csv, with the columns id and label")
    if SUFFIXES.get(path.suffix.lower()) not in ("csv", "tsv"):
        return False
    with plain_errors(path, "read the file"), path.open("rb") as file:
        head = file.read(_HEAD)
    return not head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def read_typed(
    path: Path, ids: Sequence[str], given: Sequence[str | None], classes: Sequence[str]
) -> tuple[Column, list[Typed]]:
    """The decisions in a csv (or tsv) file about rows with these ids, given labels and classes, and their column.

    Rows are named by the column `id`, or else `row`. The column `label` has the right label of the row, or `drop`,
    unless a class has that name; without this column, `decision` says what it says in a ranking: `keep`, `drop`,
    `unsure` or `label: NAME`. An empty cell is not a decision. Raises InvalidInput with the line for a row that is not
    there or is decided twice.
    """
    lines = csv_lines(path, delimiter_of(path, SUFFIXES[path.suffix.lower()]))
    number, cells = next(lines, (1, list[str]()))
    header = list(map(composed, cells))
    row_at, said_at = (_column(Place(path, line=number), header, names) for names in (_BY, _SAID))
    by, column = header[row_at], header[said_at]
    rows = {composed(name) if by == "id" else str(row): row for row, name in enumerate(ids)}
    names = {composed(name): name for name in classes}
    found, lines_of = list[Typed](), dict[int, int]()
    for line, name, said in _said(lines, row_at, said_at):
        row = rows.get(composed(name))
        if row is None:
            raise InvalidInput(Place(path, line=line), f"no row has the {_BY[by]} {bounded(name)!r}", _FIX[by])
        if row in lines_of:
            raise InvalidInput(
                Place(path, line=line), f"row {name!r} is on line {lines_of[row]} too", "keep one of them"
            )
        lines_of[row] = line
        verdict, label = _meant(said, names, column, given[row])
        if verdict == "keep" and given[row] is None:
            raise InvalidInput(Place(path, line=line), f"row {name!r} has no label to keep", "write a label")
        found.append(Typed(line, row, verdict, label))
    return ("label" if column == "label" else "decision"), found


def _column(place: Place, header: Sequence[str], wanted: Iterable[str]) -> int:
    name = next((name for name in wanted if name in header), None)
    if name is None:
        problem = f"there is no column {' or '.join(wanted)} (columns: {listed(header)})"
        raise InvalidInput(place, problem, "begin the file with the line id,label")
    if header.count(name) > 1:
        raise InvalidInput(place, f"two columns are called {name!r}", "rename or remove one of them")
    return header.index(name)


def _said(lines: Iterator[tuple[int, list[str]]], row: int, said: int) -> Iterator[tuple[int, str, str]]:
    """(line, name of the row, what is said of it) of every line that says something."""
    for line, cells in lines:
        if cells[said].strip():
            yield line, cells[row].strip(), cells[said].strip()


def _meant(said: str, names: Mapping[str, str], column: str, given: str | None) -> tuple[str, str | None]:
    """The verdict that a cell stands for, and the label if it is another than the given one.

    names: those of the classes, by their composed form.
    """
    said = composed(said)
    if column == "decision" and said in _VERDICTS:
        return said, None
    name = said.removeprefix(_AS_LABEL) if column == "decision" else said
    if name == "drop" and name not in names:
        return "drop", None
    label = names.get(name, name)
    return ("keep", None) if label == given else ("label", label)


def written(verdict: str, label: str | None) -> str:
    """A decision as the ranking shows it."""
    return verdict if label is None else f"{_AS_LABEL}{label}"


def opinion_of(cell: str) -> Opinion:
    """What a decision in a ranking says."""
    return ("label", cell.removeprefix(_AS_LABEL)) if cell.startswith(_AS_LABEL) else (cell, None)


def refuse_typed(folder: Path, entries: Sequence[Entry]) -> None:
    """Raises InvalidInput if somebody has typed decisions into the ranking of a review folder: nobody reads them there.

    A ranking that cannot be read has none. entries: the decisions in the log.
    """
    path, known = folder / RANKING, _not_typed(folder, entries)
    try:
        lines = csv_columns(path, ("id", "given_label", "decision"), COLUMNS) if path.is_file() else ()
        typed = [name for _, (name, given, cell) in lines if _is_new(cell, given, known.get(composed(name), ()))]
    except InvalidInput:
        return
    if typed:
        place = Place(path, column="decision", row=typed[0])
        count = "a decision was" if len(typed) == 1 else f"{len(typed)} decisions were"
        fix = f"take them in with `fixfirst decisions {path} --review={folder}`, or empty these cells"
        raise InvalidInput(place, f"{count} typed into this file, but they are kept in {DECISIONS}", fix)


def _not_typed(folder: Path, entries: Sequence[Entry]) -> Mapping[str, Collection[str]]:
    """What the ranking may say about each row, by its id, without anything new: what it said when it was written, and
    any decision that stands now or was made since, since it may have been taken in from there.
    """
    before = described(folder)
    heard, decided = (0, {}) if before is None else (before.decisions, before.decided)
    row = {name: number for number, name in enumerate(dict.fromkeys(composed(entry.id) for entry in entries))}
    numbered = [entry.model_copy(update={"row": row[composed(entry.id)]}) for entry in entries]
    now, said = Verdicts(numbered), defaultdict[str, set[str]](set)
    for entry in [*numbered[heard:], *(one for number in row.values() for one in now.of(number))]:
        said[composed(entry.id)].add(composed(written(entry.verdict, entry.label)).strip())
    for name, cell in decided.items():
        said[composed(name)].add(composed(cell).strip())
    return said


def _is_new(cell: str, given: str, known: Collection[str]) -> bool:
    """Whether a cell says something about its row that none of the known decisions says. given: the row's label."""
    cell = composed(cell.strip())
    if not cell or cell in known:
        return False
    said = written(*_meant(cell, {}, "decision", composed(given) or None))
    return said not in known and not (said == "keep" and written("label", composed(given)) in known)
