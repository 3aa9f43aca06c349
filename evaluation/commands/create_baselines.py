"""Rank every data set with every ranker, and predict the sister tasks with every predictor."""

import argparse

from evaluation.commands._shared import add_places, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the paths to read and write, and --only."""
    add_places(parser, "parameters_file", "embedding_folder", "ranker_folder", "submission_folder")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="run only this ranker or predictor; may be repeated"
    )


def run(options: argparse.Namespace) -> int:
    """Writes the submissions that are missing or out of date; the exit status is 1 if any failed."""
    from evaluation.files.progress import Reporter
    from evaluation.harness.produce import create_baselines

    return 1 if create_baselines(folders_of(options), Reporter(), only=options.only) else 0
