"""Hand in a team's file or algorithm: it is checked or run, kept under its number, and scored at once."""

import argparse
from pathlib import Path

from evaluation.commands._shared import add_places, folders_of
from evaluation.commands.judge import ENTRY


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds what is handed in, the team, the task, the inbox and the paths to read and write."""
    parser.add_argument(
        "entry",
        nargs="?",
        metavar="ENTRY",
        help=f"a file of answers, named DATAID_ANYTHING with the suffix of its task, or an algorithm: {ENTRY}",
    )
    parser.add_argument("--team", help="the team that hands it in")
    parser.add_argument(
        "--task", help="default: of a file, the task of the data id in its name; of an algorithm, as in `judge`"
    )
    parser.add_argument(
        "--from-inbox",
        type=Path,
        metavar="FOLDER",
        help="take everything in this folder instead, the oldest first: TEAM/ENTRY, or files DATAID_TEAM.SUFFIX",
    )
    add_places(
        parser, "parameters_file", "embedding_folder", "groundtruth_folder", "submission_folder", "results_folder"
    )


def run(options: argparse.Namespace) -> int:
    """Says what became of everything and when the next may come; the exit status is 1 if any is without a score."""
    from cleaning.errors import InvalidInput
    from evaluation.files.progress import Reporter
    from evaluation.harness.submit import submit, submit_inbox

    folders, reporter = folders_of(options), Reporter()
    if options.from_inbox is not None:
        if options.entry is not None or options.team is not None:
            raise InvalidInput("--from-inbox", "it takes neither an ENTRY nor --team", "leave them out")
        return 0 if submit_inbox(options.from_inbox, folders, reporter, task=options.task) else 1
    if options.entry is None or options.team is None:
        raise InvalidInput(
            "submit", "ENTRY and --team=TEAM are needed", "name both, or a folder with --from-inbox=FOLDER"
        )
    return 0 if submit(options.entry, options.team, folders, reporter, task=options.task) else 1
