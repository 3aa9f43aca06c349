"""What was decided about the rows of a source so far, for the next round."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cleaning.errors import bounded, count_of
from evaluation.labels.before import before_review
from evaluation.labels.decisions import Entry
from evaluation.labels.placing import Lost, Places
from evaluation.labels.review_folder import DECISIONS, Description, described
from evaluation.labels.source import Source
from evaluation.labels.typed import written
from evaluation.labels.verdicts import Verdicts, is_error


@dataclass(frozen=True, eq=False)
class Decided:
    """Decisions about the rows of a source.

    names: the classes of the source, then those that only decisions name. checked: the right class of each row for
    which it was decided. left_out: the other decided rows. shown: each decision in words, by row. wrong: how many of
    these rows had a wrong label. decisions: how many lines there are in all. lost: the decisions that do not count.
    features_before: the columns by which the table was judged when decisions were made that do not count.
    classes_before: the classes of an earlier ranking that decisions name and no row has.
    """

    names: Sequence[str]
    checked: dict[int, int]
    left_out: frozenset[int]
    shown: dict[int, str]
    wrong: int
    decisions: int
    lost: Sequence[Lost]
    features_before: list[str] | None
    classes_before: list[str]

    def said_of_classes(self, folder: Path) -> list[str]:
        """That decisions name classes which no row has any more, and what to do. folder: of the review."""
        said = Counter(self.shown.values())
        counts = [(name, said[written("label", name)]) for name in self.classes_before]
        return [
            f"{count_of(count, 'decision')} say{'s' * (count == 1)} {bounded(name)!r}, which no row has any more. "
            f"Fix: {renamed(folder)}"
            for name, count in counts
        ]


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
    standing = verdicts.counting
    wrong = [row for row, entry in standing.items() if is_error(entry, int(source.labels[row]), code)]
    shown = {row: written(entry.verdict, entry.label) for row, entry in standing.items()}
    before = described(folder)
    unknown = [name for name in names[len(source.classes) :] if written("label", name) in shown.values()]
    classes = set[str]() if before is None else {*before.classes, *before.classes_before}
    return source, Decided(
        names,
        checked,
        left_out,
        shown,
        len(wrong),
        len(entries),
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
