"""A review folder that is open: the source, the ranking, and what was decided so far."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cleaning.errors import InvalidInput, Place, bounded
from evaluation.files.progress import Reporter
from evaluation.files.whole import sha256_file
from evaluation.labels.decisions import DecisionLog, Entry
from evaluation.labels.review_folder import (
    AGAIN,
    DECISIONS,
    SOURCE,
    Description,
    read_description,
    read_ranking,
    reopen,
)
from evaluation.labels.source import Source


@dataclass(frozen=True, eq=False)
class Review:
    """What a review folder is about. rows: the number of the row with each id."""

    folder: Path
    description: Description
    source: Source
    trusted: Source | None
    log: DecisionLog
    rows: dict[str, int]

    @cached_property
    def ranking(self) -> list[dict[str, str]]:
        """The rows of ranking.csv, in order, as text."""
        return read_ranking(self.folder)

    @property
    def name(self) -> str:
        """The name of the review: that of the folder without `_review`."""
        full = self.folder.resolve().name
        return full.removesuffix("_review") or full

    def problem_with(self, entry: Entry) -> tuple[str, str] | None:
        """Why a decision is not about a row of the source as it is now, and what to do; None if it is."""
        return _problem_with(self.source, self.rows, entry)

    def placed(self, entries: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
        """The decisions about rows of the source as it is now, and the others; see `placed`."""
        return placed(self.source, self.rows, entries)


def placed(source: Source, rows: Mapping[str, int], entries: Iterable[Entry]) -> tuple[list[Entry], list[Entry]]:
    """The decisions about rows of a source as it is now, with the numbers that these rows have now, and all others.

    rows: the number of the row with each id.
    """
    fitting, lost = list[Entry](), list[Entry]()
    for entry in entries:
        if _problem_with(source, rows, entry) is not None:
            lost.append(entry)
        elif entry.row == rows[entry.id]:
            fitting.append(entry)
        else:
            fitting.append(entry.model_copy(update={"row": rows[entry.id]}))
    return fitting, lost


def _problem_with(source: Source, rows: Mapping[str, int], entry: Entry) -> tuple[str, str] | None:
    row = rows.get(entry.id)
    if row is None:
        return f"there is no row {entry.id!r} in {source.path}", "restore it, or remove the line"
    if source.hashes[row] != entry.hash:
        problem = f"row {entry.id!r} of {source.path} has changed since it was looked at"
        return problem, "restore it, or remove the line and look at the row again"
    return None


def said_of_lost(lost: Sequence[Entry]) -> str:
    """That decisions do not count, with one of them as an example."""
    count = "1 decision does" if len(lost) == 1 else f"{len(lost)} decisions do"
    example = f"row {bounded(lost[0].id)!r}" if len(lost) == 1 else f"for example row {bounded(lost[0].id)!r}"
    return f"{count} not count, because the row is gone or has changed since ({example})"


def open_review(folder: Path, reporter: Reporter | None = None) -> Review:
    """Opens a review folder. Raises InvalidInput if the folder or the source cannot be read, or a file has changed."""
    if not folder.is_dir():
        raise InvalidInput(folder, "there is no such folder", "make it with `fixfirst rank SOURCE`")
    description = read_description(folder)
    _refuse_changed(folder, description)
    reporter = reporter or Reporter()
    source, trusted = reopen(folder, reporter)
    log = DecisionLog(folder / DECISIONS).mended(reporter.warn)
    return Review(folder, description, source, trusted, log, {name: row for row, name in enumerate(source.ids)})


def _refuse_changed(folder: Path, description: Description) -> None:
    """Raises InvalidInput if a file of the source is gone or has other content than when it was ranked."""
    for name, digest in description.files.items():
        path = folder / name
        if not path.is_file():
            raise InvalidInput(Place(folder / SOURCE), f"the source {path} is gone", "put it back")
        if sha256_file(path) != digest:
            raise InvalidInput(path, "the file has changed since it was ranked", f"restore it, or {AGAIN}")
