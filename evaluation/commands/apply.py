"""Write the data of a review with the corrected labels, in the form they came in."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the review, the output and what to do where the decisions are not clear."""
    parser.add_argument("review", type=Path, metavar="NAME_review", help="the folder made by `fixfirst rank`")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="DIR|FILE", help="a folder, or a file of the source's format"
    )
    parser.add_argument("--link", action="store_true", help="hard links to the pictures instead of copies")
    parser.add_argument("--new-labels", action="store_true", help="allow labels that no row had")
    parser.add_argument(
        "--resolve", choices=("latest", "majority"), help="whose decision counts where reviewers disagree"
    )


def run(options: argparse.Namespace) -> int:
    """Writes the corrected data and a list of the changes beside them."""
    from evaluation.files.progress import Reporter
    from evaluation.labels.apply.write import Job, apply

    job = Job(options.review, options.output, options.link, options.new_labels, options.resolve)
    apply(job, Reporter())
    return 0
