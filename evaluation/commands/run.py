"""Run download, create_baselines, rounds (if parameters.yaml says so), evaluate and plot, one after the other."""

import argparse

from evaluation.commands import download, evaluate, plot, rounds
from evaluation.commands._plain import run_apart
from evaluation.commands._shared import add_places, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the paths that the commands read and write."""
    from evaluation.settings.folders import Folders

    add_places(parser, *Folders.names())
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only this ranker or predictor; may be repeated"
    )


def run(options: argparse.Namespace) -> int:
    """Runs the commands. A failed ranker or submission does not stop the rest, but makes the exit status 1.

    The rankers run in processes of their own, so that no code of theirs is in the process that scores them.
    """
    from evaluation.contract.loading import load_parameters
    from evaluation.files.progress import Reporter
    from evaluation.harness.closing import closing_lines

    shared = argparse.Namespace(**vars(options), lenient=False)
    downloaded, made = download.run(shared), run_apart("create_baselines", shared)
    if made is None:
        return 1
    asks_again = load_parameters(folders_of(options).parameters_file).rounds is not None
    in_rounds = rounds.run(shared) if asks_again else 0
    statuses = [downloaded, made, in_rounds, evaluate.score(shared), plot.run(shared)]
    Reporter().say("\n" + "\n".join(closing_lines(folders_of(options))))
    return max(statuses)
