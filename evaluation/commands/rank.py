"""Rank the labels of one file, the one to inspect first on top."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the file of labels to inspect, the rows whose labels are known to be right, the output and the seed."""
    parser.add_argument(
        "embeddings", type=Path, metavar="PARQUET", help="labels to inspect: columns filename, encoding and label"
    )
    parser.add_argument(
        "--validation", type=Path, metavar="PARQUET", help="rows whose labels are known to be right (optional)"
    )
    parser.add_argument("--output", type=Path, metavar="CSV", help="default: NAME_ranking.csv beside NAME.parquet")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")


def run(options: argparse.Namespace) -> int:
    """Writes the list and reports how many labels are probably wrong."""
    from evaluation.files.progress import Reporter
    from evaluation.labels.shortlist import write_shortlist

    output = options.output or options.embeddings.parent / f"{options.embeddings.stem}_ranking.csv"
    write_shortlist(options.embeddings, options.validation, output, options.seed, Reporter())
    return 0
