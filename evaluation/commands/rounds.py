"""Let rankers clean every data set in rounds, and tell them what was found."""

import argparse

from evaluation.commands._shared import add_places, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the paths to read and write, and --only."""
    add_places(
        parser, "parameters_file", "embedding_folder", "groundtruth_folder", "ranker_folder", "submission_folder"
    )
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only this ranker; may be repeated")


def run(options: argparse.Namespace) -> int:
    """Writes the round logs that are missing or out of date; the exit status is 1 if any failed.

    The truth is in this process, and the rankers are in others.
    """
    from evaluation.files.progress import Reporter
    from evaluation.harness.rounds.make import make_rounds

    return 1 if make_rounds(folders_of(options), Reporter(), only=options.only) else 0
