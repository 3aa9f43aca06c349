"""Write a tiny example of a task, with one valid and one invalid submission."""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the task and the folder to create."""
    parser.add_argument("task", metavar="TASK", help="`fixfirst ls` lists the tasks")
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: example_TASK")


def run(options: argparse.Namespace) -> int:
    """Writes the folder and prints its README.txt."""
    from evaluation.files.progress import Reporter
    from evaluation.harness.example import write_example

    write_example(options.task, options.output or Path(f"example_{options.task}"), Reporter())
    return 0
