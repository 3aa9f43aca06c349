"""The last three lines of `fixfirst run`: what was found, where to look, and how to rank your own labels next."""

import shutil
import sys

from evaluation.contest.standings import Row, leaderboard
from evaluation.contract import registry
from evaluation.contract.loading import load_parameters
from evaluation.contract.record import latest, read_records
from evaluation.settings.folders import Folders


def closing_lines(folders: Folders) -> list[str]:
    """The three lines to print, based on the records and parameters.yaml."""
    command = "fixfirst" if shutil.which("fixfirst") else sys.argv[0]
    return [
        f"Found: {_found(folders)}",
        f"Look:  {folders.results_folder / 'report.html'}",
        f"Next:  {command} rank SOURCE   # your own labels, the one to fix first on top; README, “Your labels”",
    ]


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
    best, others = rows[0], {row.method: row for row in rows[1:]}
    against = f", against {others['random'].mean:.1%} in random order" if "random" in others else ""
    return (
        f"in the order of {best.method}, inspecting {best.mean:.1%} of the labels brings a model to {target:.0%} "
        f"of its accuracy on clean labels{against} (mean over {_sets(best)})"
    )


def _sets(row: Row) -> str:
    return f"{row.n_datasets} data set{'s' if row.n_datasets > 1 else ''}"
