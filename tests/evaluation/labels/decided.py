"""Reviews that are decided without a page."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from evaluation.labels.decisions import Entry, Shown
from evaluation.labels.opened import Review, open_review

START = datetime(2026, 1, 1, tzinfo=UTC)


def decide(folder: Path, decisions: dict[int, str | None], by: str = "ann", second: int = 0) -> Review:
    """Decides rows by number: a verdict, or `=NAME` for a label."""
    review = open_review(folder)
    entries = [entry_of(review, row, said, by, second + place) for place, (row, said) in enumerate(decisions.items())]
    review.log.append(lambda: entries)
    return review


def entry_of(review: Review, row: int, said: str, by: str = "ann", second: int = 0) -> Entry:
    label = said[1:] if said.startswith("=") else None
    return Entry(
        id=review.source.ids[row],
        row=row,
        hash=review.source.hashes[row],
        verdict="label" if label else said,
        label=label,
        by=by,
        at=START + timedelta(seconds=second),
        shown=Shown(given=review.source.given[row]),
    )
