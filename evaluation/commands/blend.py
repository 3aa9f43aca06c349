"""Average probability files, or take the majority vote of label files."""

import argparse
from pathlib import Path
from typing import Literal


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the files to blend, the output and the weights."""
    parser.add_argument("files", nargs="+", type=Path, metavar="CSV")
    parser.add_argument("--output", type=Path, required=True, metavar="CSV")
    parser.add_argument("--weights", type=float, nargs="+", help="one number per file; default: equal weights")
    parser.add_argument(
        "--categories", action="store_true", help="write file,category instead of the mean probabilities"
    )


def run(options: argparse.Namespace) -> int:
    """Writes the blended file."""
    from cleaning.errors import count_of
    from evaluation.files.progress import Reporter
    from evaluation.submissions.blend import blend

    form: Literal["same", "categories"] = "categories" if options.categories else "same"
    rows = blend(options.files, options.output, weights=options.weights, form=form)
    Reporter().say(f"{options.output}: {count_of(rows, 'row')} from {count_of(len(options.files), 'file')}")
    return 0
