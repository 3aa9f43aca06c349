"""Write a ranking in the form that another tool reads."""

import argparse
from pathlib import Path

from evaluation.commands._shared import refuse_given

_NAMES = {"cleanlab": "cleanlab.csv", "label-studio": "label_studio.json", "csv": "labels.csv"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the review folder, the tool and the output."""
    parser.add_argument("review", type=Path, metavar="NAME_review", help="a folder written by `fixfirst rank`")
    parser.add_argument(
        "--to",
        choices=tuple(_NAMES),
        required=True,
        help="cleanlab: csv as Datalab's label issues; label-studio: json tasks and their labelling configuration",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: NAME_TOOL beside the review folder")
    parser.add_argument(
        "--prefix", metavar="URL", help="where Label Studio finds the pictures; default: its local files, in NAME/"
    )


def run(options: argparse.Namespace) -> int:
    """Writes the file, or for Label Studio two files."""
    from evaluation.files.progress import Reporter
    from evaluation.labels.export import export

    if options.to != "label-studio":
        refuse_given(options, {"--prefix": None}, "it is for pictures in Label Studio", "leave it out")
    folder = options.review.resolve()
    name = f"{folder.name.removesuffix('_review')}_{_NAMES[options.to]}"
    output = options.output or options.review.parent / name
    for path in export(options.review, options.to, output, options.prefix):
        Reporter().say(f"written: {path}")
    return 0
