"""What was decided about the rows of a source so far, for the next round."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleaning.errors import InvalidInput, Place, bounded, count_of
from evaluation.files.csv import csv_columns
from evaluation.files.names import composed
from evaluation.labels.before import before_review
from evaluation.labels.decisions import Entry
from evaluation.labels.placing import Lost, Places
from evaluation.labels.review_folder import COLUMNS, DECISIONS, RANKING, Description, read_description
from evaluation.labels.source import Source
from evaluation.labels.typed import meant
from evaluation.labels.verdicts import Verdicts, is_error


@dataclass(frozen=True, eq=False)
class Decided:
    """Decisions about the rows of a source.

    names: the classes of the source, then those that only decisions name. checked: the right class of each row for
    which it was decided. left_out: the other decided rows. shown: each decision in words, by row. wrong: how many of
    these rows had a wrong label. lost: the decisions that do not count. features_before: the columns by which the table
    was judged when decisions were made that do not count. classes_before: the classes of an earlier ranking that
    decisions name and no row has.
    """

    names: Sequence[str]
    checked: dict[int, int]
    left_out: frozenset[int]
    shown: dict[int, str]
    wrong: int
    lost: Sequence[Lost]
    features_before: list[str] | None
    classes_before: list[str]

    def said_of_classes(self, folder: Path) -> list[str]:
        """That decisions name classes which no row has any more, and what to do. folder: of the review."""
        said = Counter(self.shown.values())
        counts = [(name, said[_words("label", name)]) for name in self.classes_before]
        return [
            f"{count_of(count, 'decision')} say{'s' * (count == 1)} {bounded(name)!r}, which no row has any more. "
            f"Fix: {renamed(folder)}"
            for name, count in counts
        ]


def refuse_typed(folder: Path, entries: Iterable[Entry]) -> None:
    """Raises InvalidInput if somebody has typed decisions into the ranking of a review folder: nobody reads them there.

    What the ranking had when it was written is not typed, and neither is what was once decided about the row. A ranking
    that cannot be read has none. entries: the decisions in the log.
    """
    path, known = folder / RANKING, defaultdict[str, set[str]](set)
    for entry in entries:
        known[composed(entry.id)].add(composed(_words(entry.verdict, entry.label)).strip())
    found = _described(folder)
    for name, said in () if found is None else found.decided.items():
        known[composed(name)].add(composed(said).strip())
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


def decided_so_far(folder: Path, entries: Sequence[Entry], opened: Source) -> tuple[Source, Decided]:
    """A source with the labels that its rows had before they were looked at, and what was decided about them.

    folder: of the review, as the ranking before has left it. entries: the decisions in its log.
    """
    fitting, lost = Places(opened).split(entries)
    source = before_review(opened, fitting)
    names = list(dict.fromkeys([*source.classes, *(entry.label for entry in fitting if entry.label is not None)]))
    verdicts = Verdicts(fitting)
    code = {name: number for number, name in enumerate(names)}
    checked, left_out = verdicts.facts(source.labels, code)
    standing = {row: entry for row in verdicts.rows if (entry := verdicts.standing(row)) is not None}
    wrong = [row for row, entry in standing.items() if is_error(entry, int(source.labels[row]), code)]
    shown = {row: _words(entry.verdict, entry.label) for row, entry in standing.items()}
    before = _described(folder)
    unknown = [name for name in names[len(source.classes) :] if _words("label", name) in shown.values()]
    classes = set[str]() if before is None else {*before.classes, *before.classes_before}
    return source, Decided(
        names,
        checked,
        left_out,
        shown,
        len(wrong),
        lost,
        features_before=None if before is None or not lost else _features(before, counting=bool(shown)),
        classes_before=[name for name in unknown if name in classes],
    )


def _features(before: Description, *, counting: bool) -> list[str] | None:
    """The columns that lost decisions may be about. counting: whether others count."""
    return before.features_before or (None if counting else before.options.get("features"))


def renamed(folder: Path) -> str:
    """What to do about decisions that name a class which no row has any more."""
    return f"if the class was renamed, rename it in {folder / DECISIONS} too; if not, decide again"


def _described(folder: Path) -> Description | None:
    """What the ranking before has left; None if that cannot be read, or there was none."""
    try:
        return read_description(folder)
    except InvalidInput:
        return None
