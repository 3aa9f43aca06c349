"""What `fixfirst rank` says: how many labels are wrong, what the next looks should find, and when to stop."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np

from cleaning import Count
from cleaning.errors import bounded, count_of, printable
from cleaning.labels.advice import advice, between, is_wide
from cleaning.labels.classes import NUMBER
from cleaning.labels.ranked import Listed
from cleaning.review import checked_labels
from evaluation.files.csv import is_formula
from evaluation.files.progress import Reporter
from evaluation.labels.decided import Decided
from evaluation.labels.placing import columns_back, said_of_lost
from evaluation.labels.source import Source

# The drawn rows are worth a word if they should leave at most this share of the interval's width.
_WORTH = 0.75
_LOOKS = (20, 50, 100)


def said_of_formulas(source: Source) -> list[str]:
    """What to say if names of the user's data, which are written as they are, look like formulas to spreadsheets."""
    named = (*source.classes, *source.ids, *(() if source.votes is None else source.votes.annotators))
    found = next((name for name in named if is_formula(name) and not NUMBER.fullmatch(name)), None)
    if found is None:
        return []
    shown = printable(bounded(found))
    instead = "import the columns of the ranking as text instead of opening the file"
    return [f"a spreadsheet takes '{shown}' for a formula: {instead}"]


def report_decided(decided: Decided, source: Source, folder: Path, reporter: Reporter) -> None:
    """Says how many rows have been looked at, and which decisions do not count. folder: of the review."""
    if decided.shown:
        were = "was" if decided.wrong == 1 else "were"
        looked = f"looked at: {len(decided.shown)}, of which {decided.wrong} {were} wrong"
        reporter.say(f"{looked} (at the end of the list)")
    if decided.lost:
        back = columns_back(decided.features_before, source)
        said = said_of_lost(decided.lost, other_columns=back is not None)
        reporter.warn(said if back is None else f"{said}. Fix: {back}")
    for line in decided.said_of_classes(folder):
        reporter.warn(line)


def report_count(found: Listed, reporter: Reporter, doubtful: Sequence[str], *, trusted: bool) -> None:
    """Says how many labels are probably wrong, what the next looks should find, and when to stop.

    doubtful: columns that may be other labels, and then hide wrong ones.
    """
    left, bare = found.round.left, int(np.count_nonzero(np.isnan(found.suspicion)))
    if left is not None:
        first, *more = _how_many(left, found, trusted=trusted)
        unless = " or ".join(f"`{printable(bounded(name))}`" for name in doubtful)
        reporter.say(first + (f", unless {unless} is another label" if doubtful else ""))
        for line in more:
            reporter.say(line)
        if found.round.deviations is not None:
            reporter.say(_ahead(found))
    order = found.round.order
    reporter.say(advice(found.round.suspicion[order], left, checked_labels(found.round.suspicion, order)))
    if bare:
        reporter.say(f"at the end, with a suggestion: {count_of(bare, 'row')} without a label")


def _how_many(left: Count, found: Listed, *, trusted: bool) -> list[str]:
    """How many labels are wrong. Where the interval is wide, it is said without a number that would look precise.

    trusted: whether there are trusted rows.
    """
    them = "them" if len(found.round.order) == len(found.labelled) else f"the other {len(found.round.order)}"
    if not is_wide(left):
        number = round(left.expected)
        about = f"about {number} of {them} {'is' if number == 1 else 'are'}" if number else f"hardly any of {them} is"
        said = [f"{about} wrong ({between(left.low, left.high)} with 90% confidence)"]
        if not trusted and them == "them":
            said.append("errors that all rows of a kind share are not counted: only rows that you check can show them")
        return said
    said = [f"{between(left.low, left.high)} of {them} are wrong (90% confidence)"]
    if not trusted:
        said.append(
            "for a better number: --trusted=SOURCE with rows whose labels you have checked, 30 or more per class"
        )
    return said


def report_next(found: Listed, decided: Decided | None, folder: Path, reporter: Reporter) -> None:
    """Says what to type next, and what the drawn rows would tell."""
    first = _first_looks(found, {} if decided is None else decided.shown)
    reporter.say(f"next: fixfirst review {folder}" + ("" if first is None else f" --first-looks; {first}"))


def _first_looks(found: Listed, decided: Collection[int]) -> str | None:
    """What looking at the drawn rows would tell; None where they do not tell much more, or have been looked at."""
    rows, left = found.drawn.tolist(), found.round.left
    if found.first_looks is None or all(row in decided for row in rows):
        return None
    width = found.first_looks.width
    if left is not None and width > _WORTH * (left.high - left.low):
        return None
    told = f"the number should be known to about ± {np.ceil(width / 2):.0f} (more if the beliefs are wrong)"
    return f"after a look at {len(rows)} drawn rows, {told}"


def _ahead(found: Listed) -> str:
    """What the next looks should find."""
    parts = []
    for looks in [one for one in _LOOKS if one <= len(found.round.order)] or [len(found.round.order)]:
        ahead = found.round.forecast(looks)
        if ahead is not None:
            parts.append(f"{between(ahead.low, ahead.high)} in the next {'look' if looks == 1 else f'{looks} looks'}")
    return f"wrong labels to expect: {', '.join(parts)} (90% confidence)"
