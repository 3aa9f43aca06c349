"""The labels that rows had before they were looked at, where corrected data were put in place of the source."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from cleaning.labels.columns import OLD_LABEL
from evaluation.labels.decisions import Entry
from evaluation.labels.source import Source


def before_review(source: Source, entries: Iterable[Entry]) -> Source:
    """The source with the labels that its rows had before their first decision.

    A row that carries a label which was decided for it has been corrected. Its label before is the one that was shown
    then, or the one that `fixfirst apply` has kept. What these rows teach is the same before and after the correction:
    they were looked at because their labels were doubtful, and those were wrong. A label that no row has any more is
    the last of the classes. entries: the decisions about rows of this source.
    """
    if source.votes is not None:
        return source
    said, first = defaultdict[int, set[str]](set), dict[int, Entry]()
    for entry in entries:
        if entry.label is not None:
            said[entry.row].add(entry.label)
        if entry.shown.given is not None or entry.shown.suggested is not None:
            first.setdefault(entry.row, entry)
    labels, classes = source.labels.copy(), list(source.classes)
    fixed = source.probabilities is not None or source.predicted is not None
    for row, decided in said.items():
        now = None if labels[row] < 0 else classes[labels[row]]
        if now not in decided:
            continue
        before = first[row].shown.given if row in first else source.columns(row).get(OLD_LABEL, now) or None
        if before is not None and before not in classes:
            if fixed:  # the columns of the probabilities are those of the classes
                continue
            classes.append(before)
        labels[row] = -1 if before is None else classes.index(before)
    return replace(source, labels=labels, classes=tuple(classes))
