"""Turn a folder of pictures into a parquet of embeddings."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The pictures, the output, and how they are embedded."""
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="pictures: jpg, png, gif, ico and svg, at any depth"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="PARQUET")
    parser.add_argument(
        "--encoder", default="classical", metavar="NAME", help="an encoder, or PATH.onnx; default: classical"
    )
    parser.add_argument("--jobs", type=int, default=1, help="pictures decoded at the same time; -1: one per core")
    parser.add_argument(
        "--on-undecodable",
        choices=("error", "skip"),
        default="error",
        help="what to do about files that are not a whole picture; default: error",
    )


def run(options: argparse.Namespace) -> int:
    """Embeds what is new or has changed."""
    from cleaning.errors import InvalidInput
    from evaluation.embedding.embed import Request, embed
    from evaluation.files.progress import Reporter

    if options.jobs < -1 or options.jobs == 0:
        raise InvalidInput("--jobs", f"it is {options.jobs}", "give a number from 1, or -1 for one per core")
    reporter = Reporter()
    request = Request(options.folder, options.output, options.encoder, options.jobs, options.on_undecodable)
    reporter.say(f"{options.output}: {embed(request, reporter)} pictures")
    return 0
