"""Hand in a team's file: it is checked, kept under its number, and scored at once."""

import argparse
from pathlib import Path

from evaluation.commands._shared import add_places, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the file, the team, the task, the inbox and the paths to read and write."""
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="DATAID_ANYTHING with the suffix of its task"
    )
    parser.add_argument("--team", help="the team that hands it in")
    parser.add_argument("--task", help="default: the task of the data id in the name of the file")
    parser.add_argument(
        "--from-inbox",
        type=Path,
        metavar="FOLDER",
        help="take every file of this folder instead, the oldest first: TEAM/FILE, or DATAID_TEAM with its suffix",
    )
    add_places(
        parser, "parameters_file", "embedding_folder", "groundtruth_folder", "submission_folder", "results_folder"
    )


def run(options: argparse.Namespace) -> int:
    """Says what became of each file and when the next may come; the exit status is 1 if any is without a score."""
    from cleaning.errors import InvalidInput
    from evaluation.files.progress import Reporter
    from evaluation.harness.submit import submit, submit_inbox

    folders, reporter = folders_of(options), Reporter()
    if options.from_inbox is not None:
        if options.file is not None or options.team is not None:
            raise InvalidInput("--from-inbox", "it takes neither a FILE nor --team", "leave them out")
        return 0 if submit_inbox(options.from_inbox, folders, reporter, task=options.task) else 1
    if options.file is None or options.team is None:
        raise InvalidInput(
            "submit", "FILE and --team=TEAM are needed", "name both, or a folder with --from-inbox=FOLDER"
        )
    return 0 if submit(options.file, options.team, folders, reporter, task=options.task) else 1
