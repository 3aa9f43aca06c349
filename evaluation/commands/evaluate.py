"""Score every submission that does not have a score yet."""

import argparse
import shlex

from evaluation.commands._shared import add_places, folders_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the paths to read and write, and --lenient."""
    add_places(
        parser, "parameters_file", "embedding_folder", "groundtruth_folder", "submission_folder", "results_folder"
    )
    parser.add_argument(
        "--lenient", action="store_true", help="count a missing answer as wrong instead of refusing the submission"
    )


def run(options: argparse.Namespace) -> int:
    """Simulates the cleaning or scores the answers; the exit status is 1 if any submission failed."""
    from evaluation.contract.loading import load_parameters
    from evaluation.files.progress import Reporter
    from evaluation.harness.closing import reversed_lines, score_lines

    status, reporter, folders = score(options), Reporter(), folders_of(options)
    tasks = load_parameters(folders.parameters_file).tasks
    for line in reversed_lines(folders, tasks):
        reporter.warn(line)
    for line in score_lines(folders, tasks, _same_places(options)):
        reporter.say(line)
    return status


def score(options: argparse.Namespace) -> int:
    """Scores without showing the scores; the exit status is 1 if any submission failed."""
    from evaluation.files.progress import Reporter
    from evaluation.harness.evaluate import evaluate

    return 1 if evaluate(folders_of(options), Reporter(), lenient=options.lenient) else 0


def _same_places(options: argparse.Namespace) -> str:
    """The arguments with which another command reads these results."""
    if options.results_folder:
        return f" --results_folder={shlex.quote(str(options.results_folder))}"
    workspace = str(options.workspace)
    return "" if workspace == "workspace" else f" --workspace={shlex.quote(workspace)}"
