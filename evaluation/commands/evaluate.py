"""Score every submission that does not have a score yet."""

import argparse

from evaluation.commands._shared import add_places, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the paths to read and write, and --lenient."""
    add_places(
        parser, "parameters_file", "embedding_folder", "groundtruth_folder", "submission_folder", "results_folder"
    )
    parser.add_argument(
        "--lenient", action="store_true", help="count a missing answer as wrong instead of refusing the submission"
    )


def run(options: argparse.Namespace) -> int:
    """Simulates the cleaning or scores the answers; the exit status is 1 if any submission failed."""
    from evaluation.files.progress import Reporter
    from evaluation.harness.evaluate import evaluate

    return 1 if evaluate(folders_of(options), Reporter(), lenient=options.lenient) else 0
