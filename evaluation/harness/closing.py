"""The last lines of `run` and `evaluate`: what was found, where to look, and what to type next."""

import shutil
import sys
from collections.abc import Sequence

from cleaning.errors import count_of
from evaluation.contest.standings import Row, apart, as_cells, best_row, leaderboard, reversed_warning, text_table
from evaluation.contract import registry
from evaluation.contract.loading import load_parameters
from evaluation.contract.record import latest, read_records
from evaluation.settings.folders import Folders

_FIRST = 5
_COLUMNS = 5
"""The rank, the method, its score, the interval, and the difference to the best."""


def closing_lines(folders: Folders) -> list[str]:
    """The three lines to print, based on the records and parameters.yaml."""
    command = "fixfirst" if shutil.which("fixfirst") else sys.argv[0]
    return [
        f"Found: {_found(folders)}",
        f"Look:  {folders.results_folder / 'report.html'}",
        f"Next:  {command} rank SOURCE   # your own labels, the one to fix first on top; README, “Your labels”",
    ]


def score_lines(folders: Folders, tasks: Sequence[str], plot: str) -> list[str]:
    """The first places of each task, then the command that draws them. plot: that command's arguments."""
    records = latest(read_records(folders.results_file))
    boards = [table for name in tasks for table in apart(name, leaderboard(records, registry.task(name)))]
    lines = []
    for name, rows in boards:
        if rows:
            header, cells = as_cells(rows)
            table = text_table(header[:_COLUMNS], [line[:_COLUMNS] for line in cells[:_FIRST]])
            more = f"\n… and {len(rows) - _FIRST} more" if len(rows) > _FIRST else ""
            lines.append(f"\n{name}\n{table}{more}")
    command = "fixfirst" if shutil.which("fixfirst") else sys.argv[0]
    return [*lines, f"\nNext: {command} plot{plot}   # the curves, and all tables on one page"] if lines else []


def reversed_lines(folders: Folders, tasks: Sequence[str]) -> list[str]:
    """One warning for each ranker that is worse than random order beyond its interval."""
    records = latest(read_records(folders.results_file))
    rows = [row for name in tasks for row in leaderboard(records, registry.task(name))]
    return [reversed_warning(row) for row in rows if row.reversed]


def _found(folders: Folders) -> str:
    records = latest(read_records(folders.results_file))
    scored = {record.task for record in records if record.status == "ok"}
    if not scored:
        return "nothing, because no submission was scored"
    if "cleaning" in scored:
        return _cleaning(
            leaderboard(records, registry.task("cleaning")), load_parameters(folders.parameters_file).target
        )
    best = leaderboard(records, registry.task(min(scored)))[0]
    return f"{best.method} is the best method of {best.task}: {best.metric.name} {best.mean:.4g} on {_sets(best)}"


def _cleaning(rows: list[Row], target: float) -> str:
    best = best_row(rows)
    others = {row.method: row for row in rows if row is not best}
    against = f", against {others['random'].mean:.1%} in random order" if "random" in others else ""
    return (
        f"in the order of {best.method}, fixing {best.mean:.1%} of the labels brings a model to {target:.0%} "
        f"of its accuracy on clean labels{against} (mean over {_sets(best)})"
    )


def _sets(row: Row) -> str:
    return count_of(row.n_datasets, "data id")
