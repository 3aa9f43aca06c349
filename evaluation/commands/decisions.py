"""Take in a file of decisions that somebody made on a page of their own, or typed into a table."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the file, the review it is about, and the name of the reviewer."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="the file that the page of `review --static` gave, or a csv with the columns id and label",
    )
    parser.add_argument("--review", type=Path, required=True, metavar="NAME_review")
    parser.add_argument(
        "--as", dest="by", metavar="NAME", help="the reviewer; default: the name in the file, or your login name"
    )
    parser.add_argument("--new-labels", action="store_true", help="allow labels that no row has")


def run(options: argparse.Namespace) -> int:
    """Checks every decision and appends those that are not in the log yet."""
    from evaluation.files.progress import Reporter
    from evaluation.labels.handed_in import take_in

    take_in(options.file, options.review, options.by, Reporter(), new_labels=options.new_labels)
    return 0
