"""Try an algorithm on open data in the sandbox of the closed division."""

import argparse

from evaluation.commands._shared import add_places, add_task, folders_of, task_of
from evaluation.commands.judge import ENTRY


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the algorithm, the paths to read and the task."""
    parser.add_argument("entry", metavar="ENTRY", help=ENTRY)
    add_places(parser, "parameters_file", "embedding_folder", "groundtruth_folder")
    add_task(parser)
    parser.add_argument("--trust", action="store_true", help="run your own code without a sandbox")


def run(options: argparse.Namespace) -> int:
    """Prints what was seen of each run; the exit status is 1 unless every verdict is ok."""
    from evaluation.contract.loading import load_parameters
    from evaluation.files.progress import Reporter
    from evaluation.harness.judging.rehearse import rehearse

    folders = folders_of(options)
    parameters = load_parameters(folders.parameters_file)
    task = task_of(options, parameters)
    return 0 if rehearse(options.entry, folders, parameters, task, Reporter(), trust=options.trust) else 1
