"""Show a task's public, private or overall leaderboard, from the submission log."""

import argparse

from evaluation.commands._shared import add_places, add_task, folders_of, task_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the paths to read and write, the task and the board."""
    add_places(parser, "parameters_file", "results_folder")
    add_task(parser)
    parser.add_argument("--board", choices=("public", "private", "all"), default="all", help="default: all")


def run(options: argparse.Namespace) -> int:
    """Prints the board and writes it as csv and markdown."""
    from evaluation.contest.boards import write_board
    from evaluation.contract.loading import load_parameters
    from evaluation.files.progress import Reporter

    folders = folders_of(options)
    parameters = load_parameters(folders.parameters_file)
    write_board(folders, task_of(options, parameters), options.board, parameters, Reporter())
    return 0
