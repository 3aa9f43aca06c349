"""The flags of commands that embed pictures."""

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.embedding.preparation import Settings


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """Adds the encoder, how pictures are decoded, and what a network of the user's own does not say itself."""
    group = parser.add_argument_group("pictures")
    group.add_argument(
        "--encoder",
        metavar="NAME",
        help="or PATH.onnx; default: efficientnet_lite0 with the extra `images`, else classical",
    )
    group.add_argument(
        "--jobs",
        type=int,
        default=1,
        help="processes that decode pictures, and in `rank` judge large data; -1: one per core; default: 1",
    )
    group.add_argument(
        "--on-undecodable",
        choices=("error", "skip"),
        default="error",
        help="what to do with files in folders that cannot be decoded; default: error",
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


def jobs_of(options: argparse.Namespace) -> int:
    """The number of processes. Raises InvalidInput for 0 and for less than -1."""
    from cleaning.errors import InvalidInput

    jobs: int = options.jobs
    if jobs < -1 or jobs == 0:
        raise InvalidInput("--jobs", f"it is {jobs}", "use a number from 1, or -1 for one per core")
    return jobs


def settings_of(options: argparse.Namespace) -> "Settings":
    """What the user says about a network. Raises InvalidInput for what is not a number."""
    from evaluation.embedding.preparation import Settings

    return Settings(
        options.encoder_size,
        _numbers("--encoder-mean", options.encoder_mean),
        _numbers("--encoder-std", options.encoder_std),
        options.encoder_output,
    )


def _numbers(option: str, text: str | None) -> tuple[float, ...] | None:
    from cleaning.errors import InvalidInput, bounded

    try:
        return None if text is None else tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InvalidInput(option, f"it is {bounded(text or '')!r}", "write numbers, as in 0.5,0.5,0.5") from None
