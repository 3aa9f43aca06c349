"""Write the nearest references of every query as a submission."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the two tables of vectors, the output, the similarity metric and the depth."""
    parser.add_argument(
        "queries", type=Path, metavar="QUERY", help="columns filename and encoding, or NAME.npy with ids in NAME.txt"
    )
    parser.add_argument("references", type=Path, metavar="REFERENCE", help="in the same format")
    parser.add_argument(
        "--output", type=Path, required=True, metavar="FILE", help="DATAID_METHOD.json, or .npz (smaller and faster)"
    )
    parser.add_argument(
        "--metric", choices=("cosine", "inner_product", "euclidean"), default="cosine", help="default: cosine"
    )
    parser.add_argument("--depth", type=int, default=1000, help="references per query; default: 1000")


def run(options: argparse.Namespace) -> int:
    """Writes the lists and the number of seconds the search took."""
    from cleaning.errors import count_of
    from evaluation.embedding.retrieve import Request, retrieve
    from evaluation.files.progress import Reporter

    reporter = Reporter()
    request = Request(options.queries, options.references, options.output, options.metric, options.depth)
    queries, references = retrieve(request, reporter)
    reporter.say(f"{options.output}: {count_of(queries, 'query')}, {count_of(references, 'reference')}")
    return 0
