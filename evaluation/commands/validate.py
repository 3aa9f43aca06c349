"""Check submission files without scoring them."""

import argparse
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation.commands._shared import add_places, add_task, folders_of, task_of

if TYPE_CHECKING:
    from evaluation.contract.task import Task
    from evaluation.settings.parameters import Parameters

_OURS = re.compile(r"accepted|probabilities|seed-[0-9]+")
"""The folders that fixfirst makes in the submission folder."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the files, the paths to read and the task."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add_places(parser, "parameters_file", "embedding_folder", "groundtruth_folder")
    add_task(parser)
    parser.add_argument(
        "--lenient", action="store_true", help="count a missing answer as wrong instead of refusing the submission"
    )


def run(options: argparse.Namespace) -> int:
    """Prints one line per file; the exit status is 1 if any file is refused."""
    from cleaning.errors import FixfirstError, InvalidInput, printable, sentence
    from evaluation.contract.loading import load_parameters
    from evaluation.files.progress import Reporter

    folders, reporter = folders_of(options), Reporter()
    parameters = load_parameters(folders.parameters_file)
    if options.lenient:
        parameters = parameters.model_copy(update={"lenient": True})
    files = [path for path in options.files if not _is_passed_over(path, several=len(options.files) > 1)]
    status = 0
    for path in files:
        try:
            if path.is_dir():
                raise InvalidInput(path, "this is a folder", "give the files in it instead")
            if not path.is_file():
                raise InvalidInput(path, "there is no such file", "check the path")
            found = _task(path, options, parameters).validate(path, folders, parameters)
        except Exception as error:
            if os.environ.get("FIXFIRST_DEBUG"):
                raise
            own = sentence(error) if isinstance(error, FixfirstError) else printable(f"{path}: {sentence(error)}")
            reporter.warn(f"not valid: {own}")
            status = 1
        else:
            reporter.say(printable(f"{path}: valid ({found})"))
    if len(files) < len(options.files):
        reporter.say(f"passed over: {len(options.files) - len(files)} time files and folders of fixfirst's own")
    return status


def _is_passed_over(path: Path, *, several: bool) -> bool:
    """Whether `submissions/*` names it but it is not a submission: times are checked with their submissions."""
    from evaluation.submissions.time_files import is_called_like_one

    if path.is_dir():
        return several and _OURS.fullmatch(path.name) is not None
    return is_called_like_one(path)


def _task(path: Path, options: argparse.Namespace, parameters: "Parameters") -> "Task":
    """The task given by --task, or that of the data id in the name, or the default."""
    from evaluation.contract import registry
    from evaluation.submissions.addressed import named

    found = named(path, parameters)
    return registry.task(found[0]) if options.task is None and found is not None else task_of(options, parameters)
