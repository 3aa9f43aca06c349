"""From decisions to corrections: what becomes of each row, and the log of the changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cleaning.errors import InvalidInput, Place, first_three, suggest
from evaluation.files.csv import csv_text
from evaluation.labels.apply.corrections import Corrections
from evaluation.labels.decided import renamed
from evaluation.labels.decisions import Entry
from evaluation.labels.opened import Review
from evaluation.labels.placing import Lost, columns_back, said_of_lost
from evaluation.labels.verdicts import Rule, Verdicts

CHANGES = ("id", "row", "change", "given_label", "new_label", "by", "at")
"""The columns of the list of changes."""


@dataclass(frozen=True, eq=False)
class Planned:
    """The corrections, the decisions behind the changes, by row, and those about rows that are gone or have changed."""

    corrections: Corrections
    changes: Sequence[Entry]
    looked: int
    lost: Sequence[Lost]

    def log(self) -> str:
        """The changes as csv."""
        given, label = self.corrections.given, self.corrections.label
        rows = [
            (
                entry.id,
                entry.row,
                entry.verdict,
                given[entry.row] or "",
                "" if entry.verdict == "drop" else label[entry.row],
                entry.by,
                entry.model_dump(mode="json")["at"],
            )
            for entry in self.changes
        ]
        return csv_text(CHANGES, rows)


def plan(review: Review, *, new_labels: bool = False, resolve: Rule | None = None) -> Planned:
    """What the decisions of a review change.

    Raises InvalidInput if all decisions are about rows that are gone or have changed, for a label that does not exist
    (unless new_labels), and for rows on which reviewers disagree, unless a rule resolves them.
    """
    fitting, lost = review.places.split(review.log.entries)
    if lost and not fitting:
        back = columns_back(review.description.features_before, review.source)
        fix = f"restore the rows of {review.source.path}" if back is None else f"{back}; then run `fixfirst rank` again"
        raise InvalidInput(review.log.path, said_of_lost(lost, other_columns=back is not None), fix)
    verdicts = Verdicts(fitting)
    standing = {row: _decided(review, verdicts, row, resolve) for row in sorted(verdicts.rows)}
    if not new_labels:
        _refuse_new_labels(review, standing.values())
    given, label = review.opened.given, review.source.given
    for row, entry in standing.items():
        label[row] = entry.label if entry.verdict == "label" else label[row]
    dropped = frozenset(row for row, entry in standing.items() if entry.verdict == "drop")
    last = {entry.row: entry for entry in fitting} | standing
    changes = [last[row] for row in sorted(last) if row in dropped or label[row] != given[row]]
    return Planned(Corrections(given, label, dropped), changes, len(standing), lost)


def _decided(review: Review, verdicts: Verdicts, row: int, resolve: Rule | None) -> Entry:
    found = verdicts.standing(row, resolve or "latest")
    if found is not None and (resolve is not None or not verdicts.disagree(row)):
        return found
    said = "; ".join(f"{entry.by}: {entry.label or entry.verdict}" for entry in verdicts.of(row))
    rows = verdicts.disagreements()
    problem = f"reviewers disagree ({said}); such rows: {first_three([review.source.ids[one] for one in rows])}"
    tie = "there is no majority; " if resolve == "majority" else ""
    fix = "decide once more, or pass --resolve=latest" + ("" if tie else " or --resolve=majority")
    raise InvalidInput(Place(review.log.path, row=review.source.ids[row]), tie + problem, fix)


def _refuse_new_labels(review: Review, entries: Iterable[Entry]) -> None:
    known, before = set(review.source.classes), review.description.classes_before
    for entry in entries:
        if entry.label is not None and entry.label not in known:
            again = renamed(review.folder)
            new = f"pass --new-labels if it is meant, or decide again ({suggest(entry.label, known)[:300]})"
            place = Place(review.log.path, row=entry.id)
            raise InvalidInput(place, f"no row has the label {entry.label!r}", again if entry.label in before else new)
