"""What was decided about the rows of a source so far, for the next round."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.labels.decisions import Entry
from evaluation.labels.opened import placed
from evaluation.labels.source import Source
from evaluation.labels.typed import written
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
    shown = {row: written(entry.verdict, entry.label) for row, entry in standing.items()}
    return Decided(names, checked, left_out, shown, len(wrong), lost)
