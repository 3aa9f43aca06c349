"""Turn a folder of images into a parquet file of embeddings."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the image folder, the output and the embedding options."""
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="images (jpg, png, gif, webp, bmp, tiff, ico or svg), searched recursively",
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
    network = parser.add_argument_group("a network of your own (PATH.onnx), where it does not say so itself")
    network.add_argument("--encoder-size", type=int, metavar="PIXELS", help="side of its input, if that is open")
    network.add_argument(
        "--encoder-mean",
        metavar="R,G,B",
        help="of the pixels from 0 to 1 (numbers above 2: from 0 to 255), or one number",
    )
    network.add_argument("--encoder-std", metavar="R,G,B", help="what the pixels are divided by, in the same units")
    network.add_argument("--encoder-output", metavar="NAME", help="which output to use, if there are several")


def run(options: argparse.Namespace) -> int:
    """Embeds the images that are new or have changed."""
    from cleaning.errors import InvalidInput
    from evaluation.embedding.embed import Request, default_encoder, embed
    from evaluation.embedding.preparation import Settings
    from evaluation.files.progress import Reporter

    if options.jobs < -1 or options.jobs == 0:
        raise InvalidInput("--jobs", f"it is {options.jobs}", "use a number from 1, or -1 for one per core")
    reporter = Reporter()
    encoder = options.encoder or default_encoder(reporter)
    settings = Settings(
        options.encoder_size,
        _numbers("--encoder-mean", options.encoder_mean),
        _numbers("--encoder-std", options.encoder_std),
        options.encoder_output,
    )
    request = Request(options.folder, options.output, encoder, options.jobs, options.on_undecodable, settings=settings)
    reporter.say(f"{options.output}: {embed(request, reporter)} images")
    return 0


def _numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    from cleaning.errors import InvalidInput, bounded

    try:
        return None if text is None else tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput(option, f"it is {bounded(text or '')!r}", "write numbers, as in 0.5,0.5,0.5") from None
