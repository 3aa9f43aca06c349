"""Write a tiny example of a task, with a submission that is fine and one that is not."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The task and the folder to make."""
    parser.add_argument("task", metavar="TASK", help="`fixfirst ls` lists the tasks")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: example_TASK")


def run(options: argparse.Namespace) -> int:
    """Writes the folder and shows its README.txt."""
    from evaluation.files.progress import Reporter
    from evaluation.harness.example import write_example

    write_example(options.task, options.output or Path(f"example_{options.task}"), Reporter())
    return 0
