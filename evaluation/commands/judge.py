"""Run an algorithm on hidden data in a sandbox: `submit` in another workspace. With --trust, try it without one."""

import argparse
from pathlib import Path

from evaluation.commands._shared import add_task, task_of

ENTRY = "a ranker (NAME.py or a folder), a code archive (zip, tar, tar.gz), or a container image (image:NAME)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the algorithm, the hidden data, the task and the team."""
    parser.add_argument("entry", metavar="ENTRY", help=ENTRY)
    parser.add_argument(
        "--sets", type=Path, required=True, metavar="FILE", help="the parameters.yaml of the workspace with hidden data"
    )
    add_task(parser)
    parser.add_argument("--team", help="default: the name of what is handed in")
    parser.add_argument(
        "--trust", action="store_true", help="run your own code without a sandbox; its score enters no results"
    )


def run(options: argparse.Namespace) -> int:
    """Prints verdicts and scores; the exit status is 1 if there is a data id without a score."""
    from evaluation.contract.loading import load_parameters
    from evaluation.files.progress import Reporter
    from evaluation.harness.judging.sets import judge, judge_trusted
    from evaluation.settings.folders import Folders

    folders = Folders.in_workspace(options.sets.parent, parameters_file=options.sets)
    parameters = load_parameters(folders.parameters_file)
    task = task_of(options, parameters)
    run_all = judge_trusted if options.trust else judge
    scored = run_all(options.entry, folders, parameters, task, Reporter(), team=options.team)
    return 0 if scored else 1
