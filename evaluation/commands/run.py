"""Run download, create_baselines, evaluate and plot, one after the other."""

import argparse

from evaluation.commands import download, evaluate, plot
from evaluation.commands._plain import run_apart
from evaluation.commands._shared import add_places, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the paths that the four commands read and write."""
    from evaluation.settings.folders import Folders

    add_places(parser, *Folders.names())
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only this ranker or predictor; may be repeated"
    )


def run(options: argparse.Namespace) -> int:
    """Runs the four commands. A failed ranker or submission does not stop the rest, but makes the exit status 1.

    The rankers run in a process of their own, so that no code of theirs is in the process that scores them.
    """
    from evaluation.files.progress import Reporter
    from evaluation.harness.closing import closing_lines

    four = argparse.Namespace(**vars(options), lenient=False)
    downloaded, made = download.run(four), run_apart("create_baselines", four)
    if made is None:
        return 1
    statuses = [downloaded, made, evaluate.score(four), plot.run(four)]
    Reporter().say("\n" + "\n".join(closing_lines(folders_of(options))))
    return max(statuses)
