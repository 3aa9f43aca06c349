"""What was decided about the rows of a source so far, for the next round."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleaning.errors import InvalidInput, Place
from evaluation.files.csv import csv_columns
from evaluation.labels.decisions import Entry
from evaluation.labels.opened import placed
from evaluation.labels.review_folder import COLUMNS, DECISIONS, RANKING
from evaluation.labels.source import Source
from evaluation.labels.verdicts import Verdicts, is_error


@dataclass(frozen=True, eq=False)
class Decided:
    """Decisions about the rows of a source.

    names: the classes of the source, then those that only decisions name. checked: the right class of each row for
    which it was decided. left_out: the other decided rows. shown: each decision in words, by row. wrong: how many of
    these rows had a wrong label. lost: the decisions that do not count, because the row is gone or has changed.
    """

    names: Sequence[str]
    checked: dict[int, int]
    left_out: frozenset[int]
    shown: dict[int, str]
    wrong: int
    lost: Sequence[Entry]


def refuse_typed(folder: Path, entries: Iterable[Entry]) -> None:
    """Raises InvalidInput if somebody has typed decisions into the ranking of a review folder: nobody reads them there.

    A ranking that cannot be read has none. entries: the decisions in the log.
    """
    path, known = folder / RANKING, {entry.id for entry in entries}
    try:
        lines = csv_columns(path, ("id", "decision"), COLUMNS) if path.is_file() else ()
        typed = [name for _, (name, decision) in lines if decision and name not in known]
    except InvalidInput:
        return
    if typed:
        place = Place(path, column="decision", row=typed[0])
        count = "a decision was" if len(typed) == 1 else f"{len(typed)} decisions were"
        fix = f"take them in with `fixfirst decisions {path} --review={folder}`, or empty these cells"
        raise InvalidInput(place, f"{count} typed into this file, but they are kept in {DECISIONS}", fix)


def decided_so_far(entries: Sequence[Entry], source: Source) -> Decided:
    """What these decisions say about the rows of a source."""
    rows = {name: row for row, name in enumerate(source.ids)}
    fitting, lost = placed(source, rows, entries)
    names = list(dict.fromkeys([*source.classes, *(entry.label for entry in fitting if entry.label is not None)]))
    verdicts = Verdicts(fitting)
    code = {name: number for number, name in enumerate(names)}
    checked, left_out = verdicts.facts(source.labels, code)
    standing = {row: entry for row in verdicts.rows if (entry := verdicts.standing(row)) is not None}
    wrong = [row for row, entry in standing.items() if is_error(entry, int(source.labels[row]), code)]
    shown = {row: entry.verdict if entry.label is None else f"label: {entry.label}" for row, entry in standing.items()}
    return Decided(names, checked, left_out, shown, len(wrong), lost)
