"""The plot task: figures, leaderboard and a report page, from records alone. It fits no model and reads no data."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from cleaning.errors import FixfirstError
from evaluation.contest.standings import (
    Row,
    apart,
    as_cells,
    as_csv,
    leaderboard,
    markdown_table,
    reversed_warning,
    text_table,
)
from evaluation.contract import registry
from evaluation.contract.record import Record, latest, read_records
from evaluation.files.lock import sweep
from evaluation.files.progress import Reporter
from evaluation.files.whole import write_text, write_whole
from evaluation.settings.folders import Folders

_SEPARATORS = re.compile(r"[/\\\0]")
"""What a data id may not have in the name of a file; results.jsonl may come from somebody else."""


def plot(folders: Folders, reporter: Reporter) -> None:
    """Writes leaderboard.csv/.md, the overview and per-data-set figures (PNG and SVG), and report.html.

    Raises FixfirstError if there are no scores to draw.
    """
    sweep(folders.results_folder)
    records = scored_records(folders)
    boards, count = draw(records, folders.results_folder, reporter)
    for title, rows in (table for name, board in boards.items() for table in apart(name, board)):
        reporter.say(f"\n{title}\n{text_table(*as_cells(rows))}\n")
    for row in (row for rows in boards.values() for row in rows if row.reversed):
        reporter.warn(reversed_warning(row))
    folder = folders.results_folder
    reporter.say(f"{folder}: leaderboard.csv, leaderboard.md, {count} figures (png and svg)\n{folder / 'report.html'}")


def scored_records(folders: Folders) -> list[Record]:
    """The newest records. Raises FixfirstError if none has a score."""
    records = latest(read_records(folders.results_file))
    if not any(record.status == "ok" for record in records):
        raise FixfirstError(
            f"{folders.results_file}: there are no scores yet. "
            "Fix: run `fixfirst evaluate` and correct what it reports."
        )
    return records


def draw(records: Sequence[Record], folder: Path, reporter: Reporter) -> tuple[dict[str, list[Row]], int]:
    """Writes tables, figures and report.html; returns the rows of each task, cleaning first, and counts the figures."""
    boards: dict[str, list[Row]] = {}
    pictures: dict[str, list[str]] = {}
    good = [record for record in records if record.status == "ok"]
    own = {name: [record for record in good if record.task == name] for name in {record.task for record in good}}
    names = sorted(own, key=lambda name: (name != "cleaning", name))
    total = sum(len({record.dataset for record in own[name]}) + 1 for name in names)
    with reporter.track("plot", "figures") as progress:
        for name in names:
            boards[name] = leaderboard(records, registry.task(name))
            pictures[name] = _pictures(name, boards[name], own[name], folder)
            progress(sum(map(len, pictures.values())), total)
    write_text(folder / "leaderboard.csv", as_csv([boards[name] for name in names]))
    write_text(
        folder / "leaderboard.md",
        "\n".join(
            f"## {title}\n\n{markdown_table(*as_cells(rows))}"
            for name in names
            for title, rows in apart(name, boards[name])
        ),
    )
    failed = [record for record in records if record.status == "failed"]
    write_text(folder / "report.html", _page(boards, own, pictures, folder, failed))
    return boards, sum(map(len, pictures.values()))


def _pictures(name: str, board: Sequence[Row], records: Sequence[Record], folder: Path) -> list[str]:
    """Draws and writes the figures of a task and returns their names, the overview first."""
    from evaluation.figures.canvas import render
    from evaluation.figures.overview import overview_figure

    stem = "overview" if name == "cleaning" else f"{name}_overview"
    written = []
    (_, first), *_ = apart(name, board)
    for named, figure in [(stem, overview_figure(first)), *registry.task(name).figures(records)]:
        title = _SEPARATORS.sub("_", named)
        for kind in ("png", "svg"):
            write_whole(folder / f"{title}.{kind}", render(figure, kind))
        written.append(title)
    return written


def _page(
    boards: Mapping[str, Sequence[Row]],
    records: Mapping[str, Sequence[Record]],
    pictures: Mapping[str, Sequence[str]],
    folder: Path,
    failed: Sequence[Record],
) -> str:
    """The page, with the pictures of all tasks but those that it draws itself: overviews and cleaning curves."""
    from evaluation.figures.page.content import section
    from evaluation.figures.page.markup import picture_addresses, report_html

    wanted = {name: [] if any(one.curve for one in records[name]) else pictures[name][1:] for name in boards}
    known = iter(picture_addresses([title for titles in wanted.values() for title in titles], folder))
    inside = {name: [next(known) for _ in titles] for name, titles in wanted.items()}
    sections = [section(name, rows, records[name], inside[name]) for name, rows in boards.items()]
    return report_html(sections, failed, [one for own in records.values() for one in own])
