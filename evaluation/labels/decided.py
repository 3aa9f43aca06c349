"""What was decided about the rows of a source so far, for the next round."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleaning.errors import InvalidInput, Place
from evaluation.files.csv import csv_columns
from evaluation.files.names import composed
from evaluation.labels.decisions import Entry
from evaluation.labels.opened import placed
from evaluation.labels.review_folder import COLUMNS, DECISIONS, RANKING, read_description
from evaluation.labels.source import Source
from evaluation.labels.typed import meant
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
    """What the ranking may say about each row, by its id, without anything new: the decision that stood when it was
    written, and any that stands now or was made since, since it may have been taken in from there.
    """
    try:
        written = read_description(folder).decisions
    except InvalidInput:
        written = 0
    row = {name: number for number, name in enumerate(dict.fromkeys(composed(entry.id) for entry in entries))}
    numbered = [entry.model_copy(update={"row": row[composed(entry.id)]}) for entry in entries]
    before, now, since = Verdicts(numbered[:written]), Verdicts(numbered), defaultdict[int, list[Entry]](list)
    for entry in numbered[written:]:
        since[entry.row].append(entry)
    said = {name: [before.standing(number), *now.of(number), *since[number]] for name, number in row.items()}
    return {
        name: {composed(_words(one.verdict, one.label)).strip() for one in every if one is not None}
        for name, every in said.items()
    }


def _is_new(cell: str, given: str, known: Collection[str]) -> bool:
    """Whether a cell says something about its row that none of the known decisions says. given: the row's label."""
    cell = composed(cell.strip())
    if not cell or cell in known:
        return False
    said = _words(*meant(cell, {}, "decision", composed(given) or None))
    return said not in known and not (said == "keep" and _words("label", composed(given)) in known)


def _words(verdict: str, label: str | None) -> str:
    """A decision as the ranking shows it."""
    return verdict if label is None else f"label: {label}"


def decided_so_far(entries: Sequence[Entry], source: Source) -> Decided:
    """What these decisions say about the rows of a source."""
    rows = {name: row for row, name in enumerate(source.ids)}
    fitting, lost = placed(source, rows, entries)
    names = list(dict.fromkeys([*source.classes, *(entry.label for entry in fitting if entry.label is not None)]))
    verdicts = Verdicts(fitting)
    code = {name: number for number, name in enumerate(names)}
    checked, left_out = verdicts.facts(source.labels, code)
    standing = verdicts.counting
    wrong = [row for row, entry in standing.items() if is_error(entry, int(source.labels[row]), code)]
    shown = {row: _words(entry.verdict, entry.label) for row, entry in standing.items()}
    return Decided(names, checked, left_out, shown, len(wrong), lost)
