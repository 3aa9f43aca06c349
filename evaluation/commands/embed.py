"""Turn a folder of images into a parquet file of embeddings."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the image folder, the output and the embedding options."""
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help="images (jpg, png, gif, ico or svg), searched recursively"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="PARQUET")
    parser.add_argument(
        "--encoder",
        metavar="NAME",
        help="an encoder, or PATH.onnx; default: efficientnet_lite0 with the extra `images`, else classical",
    )
    parser.add_argument("--jobs", type=int, default=1, help="images decoded in parallel; -1: one per core; default: 1")
    parser.add_argument(
        "--on-undecodable",
        choices=("error", "skip"),
        default="error",
        help="what to do with files that cannot be decoded; default: error",
    )


def run(options: argparse.Namespace) -> int:
    """Embeds the images that are new or have changed."""
    from cleaning.errors import InvalidInput
    from evaluation.embedding.embed import Request, default_encoder, embed
    from evaluation.files.progress import Reporter

    if options.jobs < -1 or options.jobs == 0:
        raise InvalidInput("--jobs", f"it is {options.jobs}", "use a number from 1, or -1 for one per core")
    reporter = Reporter()
    encoder = options.encoder or default_encoder(reporter)
    request = Request(options.folder, options.output, encoder, options.jobs, options.on_undecodable)
    reporter.say(f"{options.output}: {embed(request, reporter)} images")
    return 0
