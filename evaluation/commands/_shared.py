"""Shared by several commands: the paths they read and write, the choice of the task, and flags without effect."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.contract.task import Task
    from evaluation.settings.folders import Folders
    from evaluation.settings.parameters import Parameters


def add_places(parser: argparse.ArgumentParser, *names: str) -> None:
    """Adds --workspace and one flag for each path that the command reads or writes (the fields of Folders)."""
    parser.add_argument("--workspace", type=Path, default=Path("workspace"), metavar="DIR", help="default: workspace")
    group = parser.add_argument_group("single paths, inside the workspace by default")
    for name in names:
        group.add_argument(f"--{name}", type=Path, metavar="PATH")


def folders_of(options: argparse.Namespace) -> "Folders":
    """The paths given by the options; the workspace's own for those not given."""
    from evaluation.settings.folders import Folders

    named = {name: getattr(options, name, None) for name in Folders.names()}
    return Folders.in_workspace(options.workspace, **named)


def add_task(parser: argparse.ArgumentParser) -> None:
    """Adds --task, which may be omitted if the choice is unambiguous."""
    parser.add_argument("--task", help="default: the only task in parameters.yaml, or cleaning if it is one of several")


def task_of(options: argparse.Namespace, parameters: "Parameters") -> "Task":
    """The task given by --task, or the default. Raises InvalidInput for an ambiguous default or an unknown name."""
    from evaluation.contract import registry

    return registry.chosen_task(options.task, parameters)


def refuse_given(options: argparse.Namespace, flags: Mapping[str, object], problem: str, fix: str) -> None:
    """Raises InvalidInput if one of these flags is given. flags: with their defaults."""
    from cleaning.errors import InvalidInput

    for flag, default in flags.items():
        if getattr(options, flag.removeprefix("--").replace("-", "_")) != default:
            raise InvalidInput(flag, problem, fix)
