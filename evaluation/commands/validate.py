"""Check submission files without scoring them."""

import argparse
import os
from pathlib import Path

from evaluation.commands._shared import add_places, add_task, folders_of, task_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the files, the paths to read, the task and the submitting team."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    add_places(parser, "parameters_file", "embedding_folder", "groundtruth_folder", "results_folder")
    add_task(parser)
    parser.add_argument(
        "--as", dest="team", metavar="TEAM", help="submit for this team: apply the rate limits and log the verdict"
    )
    parser.add_argument(
        "--lenient", action="store_true", help="count a missing answer as wrong instead of refusing the submission"
    )


def run(options: argparse.Namespace) -> int:
    """Prints one line per file; the exit status is 1 if any file is refused."""
    from cleaning.errors import FixfirstError, InvalidInput, printable, sentence
    from evaluation.contest.admission import admit
    from evaluation.contract.loading import load_parameters
    from evaluation.files.progress import Reporter

    folders, reporter = folders_of(options), Reporter()
    parameters = load_parameters(folders.parameters_file)
    task = task_of(options, parameters)
    if options.lenient:
        parameters = parameters.model_copy(update={"lenient": True})
    status = 0
    for path in options.files:
        try:
            if path.is_dir():
                raise InvalidInput(path, "this is a folder", "give the files in it instead")
            if not path.is_file():
                raise InvalidInput(path, "there is no such file", "check the path")
            if options.team is None:
                found = task.validate(path, folders, parameters)
            else:
                found = admit(path, options.team, task, folders, parameters)
        except Exception as error:
            if os.environ.get("FIXFIRST_DEBUG"):
                raise
            own = sentence(error) if isinstance(error, FixfirstError) else printable(f"{path}: {sentence(error)}")
            reporter.warn(f"not {'valid' if options.team is None else 'accepted'}: {own}")
            status = 1
        else:
            reporter.say(printable(f"{path}: valid ({found})"))
    return status
