"""Turn a folder of images into a parquet file of embeddings."""

import argparse
from pathlib import Path

from evaluation.commands._pictures import add_pictures, jobs_of, settings_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the image folder, the output and the embedding options."""
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="images (jpg, png, gif, webp, bmp, tiff, ico or svg), searched recursively",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="PARQUET")
    add_pictures(parser)


def run(options: argparse.Namespace) -> int:
    """Embeds the images that are new or have changed."""
    from cleaning.errors import count_of
    from evaluation.embedding.embed import Request, default_encoder, embed
    from evaluation.files.progress import Reporter

    jobs, reporter = jobs_of(options), Reporter()
    encoder = options.encoder or default_encoder(reporter)
    request = Request(
        options.folder, options.output, encoder, jobs, options.on_undecodable, settings=settings_of(options)
    )
    reporter.say(f"{options.output}: {count_of(embed(request, reporter), 'image')}")
    return 0
