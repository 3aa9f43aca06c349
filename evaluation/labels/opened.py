"""A review folder that is open: the source, the ranking, and what was decided so far."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cleaning.errors import InvalidInput, Place
from evaluation.files.progress import Reporter
from evaluation.files.whole import sha256_file
from evaluation.labels.before import before_review
from evaluation.labels.decisions import DecisionLog
from evaluation.labels.placing import Places
from evaluation.labels.review_folder import (
    AGAIN,
    DECISIONS,
    SOURCE,
    Description,
    read_description,
    read_ranking,
    refuse_gone,
    reopen,
)
from evaluation.labels.source import Source


@dataclass(frozen=True, eq=False)
class Review:
    """What a review folder is about.

    source: its rows with the labels that they had before they were looked at, and opened: with those that they have
    now, which differ where corrected data were put in place of the source.
    """

    folder: Path
    description: Description
    source: Source
    opened: Source
    trusted: Source | None
    log: DecisionLog
    places: Places

    @property
    def rows(self) -> dict[str, int]:
        """The number of the row with each id."""
        return self.places.rows

    @cached_property
    def ranking(self) -> list[dict[str, str]]:
        """The rows of ranking.csv, in order, as text."""
        return read_ranking(self.folder)

    @property
    def name(self) -> str:
        """The name of the review: that of the folder without `_review`."""
        full = self.folder.resolve().name
        return full.removesuffix("_review") or full


def open_review(folder: Path, reporter: Reporter | None = None) -> Review:
    """Opens a review folder. Raises InvalidInput if the folder or the source cannot be read, or a file has changed."""
    if not folder.is_dir():
        raise InvalidInput(folder, "there is no such folder", "make it with `fixfirst rank SOURCE`")
    description = read_description(folder)
    refuse_gone(folder, description)
    _refuse_changed(folder, description)
    reporter = reporter or Reporter()
    opened, trusted = reopen(folder, reporter)
    log = DecisionLog(folder / DECISIONS).mended(reporter.warn)
    places = Places(opened)
    source = before_review(opened, places.split(log.entries)[0])
    return Review(folder, description, source, opened, trusted, log, places)


def _refuse_changed(folder: Path, description: Description) -> None:
    """Raises InvalidInput if a file of the source is gone or has other content than when it was ranked."""
    for name, digest in description.files.items():
        path = folder / name
        if not path.is_file():
            raise InvalidInput(Place(folder / SOURCE), f"the source {path} is gone", "put it back")
        if sha256_file(path) != digest:
            raise InvalidInput(path, "the file has changed since it was ranked", f"restore it, or {AGAIN}")
