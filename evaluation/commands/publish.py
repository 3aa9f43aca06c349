"""Write the results as a static site: leaderboards, records, and how to make each number again."""

import argparse
from pathlib import Path

from evaluation.commands._shared import add_places, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the paths to read, and the folder to write."""
    add_places(parser, "parameters_file", "results_folder")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("site"),
        metavar="DIR",
        help="a new folder or an earlier site; default: site",
    )


def run(options: argparse.Namespace) -> int:
    """Writes the site; only the public part of what is split."""
    from evaluation.contract.loading import load_parameters
    from evaluation.figures.site import publish
    from evaluation.files.progress import Reporter

    folders = folders_of(options)
    publish(folders, load_parameters(folders.parameters_file), options.output, Reporter())
    return 0
