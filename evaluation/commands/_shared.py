"""What several commands share: flags for the places they read and write, and the task that is meant."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.contract.task import Task
    from evaluation.settings.folders import Folders
    from evaluation.settings.parameters import Parameters


def add_places(parser: argparse.ArgumentParser, *names: str) -> None:
    """--workspace, and a flag for each single place that the command reads or writes (the fields of Folders)."""
    parser.add_argument("--workspace", type=Path, default=Path("workspace"), metavar="DIR", help="default: workspace")
    group = parser.add_argument_group("single places, below the workspace unless named")
    for name in names:
        group.add_argument(f"--{name}", metavar="PATH")


def folders_of(options: argparse.Namespace) -> "Folders":
    """The places that the options name."""
    from evaluation.settings.folders import Folders

    named = {name: getattr(options, name, None) for name in Folders.names()}
    return Folders.in_workspace(options.workspace, **named)


def add_task(parser: argparse.ArgumentParser) -> None:
    """--task, which may be left out where only one can be meant."""
    parser.add_argument("--task", help="default: the only task of parameters.yaml, or cleaning among several")


def task_of(options: argparse.Namespace, parameters: "Parameters") -> "Task":
    """The task that is named or meant. Raises InvalidInput where several could be meant, and for an unknown name."""
    from cleaning.errors import InvalidInput
    from evaluation.contract import registry

    name = options.task
    if name is None and len(parameters.tasks) == 1:
        name = parameters.tasks[0]
    if name is None and "cleaning" in parameters.tasks:
        name = "cleaning"
    if name is None:
        raise InvalidInput("--task", "parameters.yaml has several tasks", f"name one: {', '.join(parameters.tasks)}")
    return registry.task(name)
