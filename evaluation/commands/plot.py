"""Draw the curves, the overview and the leaderboard from the results."""

import argparse

from evaluation.commands._shared import add_places, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the folder to read and write."""
    add_places(parser, "results_folder")


def run(options: argparse.Namespace) -> int:
    """Writes figures, tables and report.html."""
    from evaluation.figures.report import plot
    from evaluation.files.progress import Reporter

    plot(folders_of(options), Reporter())
    return 0
