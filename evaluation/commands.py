"""What each command does once its arguments are read."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from cleaning.discovery import Registry
from cleaning.errors import FixfirstError, InvalidInput, printable
from evaluation import registry
from evaluation.cli import sentence
from evaluation.datafiles import load_dataset
from evaluation.fetch import download
from evaluation.folders import Folders
from evaluation.parameters import load_parameters
from evaluation.progress import Reporter


def execute(options: argparse.Namespace) -> int:
    """Runs the command of the parsed options and returns its exit status."""
    named = {name: getattr(options, name) for name in Folders.names()}
    folders = Folders.in_workspace(options.workspace, **named)
    reporter = Reporter()
    return _COMMANDS[options.command](folders, reporter, options)


def _download(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    download(folders, reporter)
    return 0


def _create_baselines(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.predict import create_predictions
    from evaluation.rank import create_baselines

    failures = create_baselines(folders, reporter) + create_predictions(folders, reporter)
    return 1 if failures else 0


def _evaluate(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.run import evaluate

    return 1 if evaluate(folders, reporter, lenient=getattr(options, "lenient", False)) else 0


def _leaderboard(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.boards import write_board

    write_board(folders, options.task, options.board, reporter)
    return 0


def _plot(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.report import plot

    plot(folders, reporter)
    return 0


def _run(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    """All four tasks; a failed ranker or submission does not stop the rest, but shows in the exit status."""
    from evaluation.closing import closing_lines

    statuses = [step(folders, reporter, options) for step in (_download, _create_baselines, _evaluate, _plot)]
    reporter.say("\n" + "\n".join(closing_lines(folders)))
    return max(statuses)


def _ls(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    if folders.parameters_file.exists():
        reporter.say("data sets")
        for name, block in load_parameters(folders.parameters_file).datasets.items():
            state = "" if block.enabled else " (switched off)"
            sources = ", ".join(source.source for source in block.sources) or "put there by hand"
            reporter.say(f"  {name}{state}: {block.task}, {len(block.data_ids(name))} ids, {sources}")
    _list(reporter, "rankers and bounds", registry.rankers(folders.ranker_folder))
    _list(reporter, "predictors", registry.predictors(folders.ranker_folder))
    _list(reporter, "learners", registry.learners())
    _list(reporter, "tasks", registry.tasks())
    reporter.say("metrics")
    for name in registry.tasks():
        for metric in registry.task(name).metrics:
            reporter.say(f"  {name}.{metric.name}: {metric.label} ({metric.direction})")
    return 0


def _list(reporter: Reporter, title: str, found: Registry) -> None:
    reporter.say(title)
    for name, component in found.items():
        reporter.say(f"  {name}: {component.summary}")
    for line in found.skipped:
        reporter.warn(line)


def _validate(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.admission import admit

    task, parameters = registry.task(options.task), load_parameters(folders.parameters_file)
    if options.lenient:
        parameters = parameters.model_copy(update={"lenient": True})
    status = 0
    for path in options.files:
        try:
            if path.is_dir():
                raise InvalidInput(path, "this is a folder", "name the files in it")
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


def _bundle(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.submissions import bundle

    blocks = load_parameters(folders.parameters_file).enabled("cleaning")
    if options.data_set is not None:
        if options.data_set not in blocks:
            known = ", ".join(blocks) or "none"
            raise InvalidInput(f"data set {options.data_set!r}", "there is no such enabled block", f"known: {known}")
        blocks = {options.data_set: blocks[options.data_set]}
    ids = [data_id for name, block in blocks.items() for data_id in block.data_ids(name)]
    rows = {data_id: len(load_dataset(folders.embedding_folder, data_id).train) for data_id in ids}
    target = options.output or options.workspace / f"{options.method}.zip"
    names = bundle(folders.submission_folder, ids, options.method, rows, target)
    reporter.say(f"{target}: {len(names)} files of {len(ids)} data ids")
    return 0


def _embed(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.embed import Request, embed

    if options.jobs < -1 or options.jobs == 0:
        raise InvalidInput("--jobs", f"it is {options.jobs}", "give a number from 1, or -1 for one per core")
    request = Request(options.folder, options.output, options.encoder, options.jobs, options.on_undecodable)
    reporter.say(f"{options.output}: {embed(request, reporter)} pictures")
    return 0


def _retrieve(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.retrieve import Request, retrieve

    request = Request(options.queries, options.references, options.output, options.metric, options.depth)
    queries, references = retrieve(request, reporter)
    reporter.say(f"{options.output}: {queries} queries, {references} references")
    return 0


def _blend(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.blend import blend

    form: Literal["same", "categories"] = "categories" if options.categories else "same"
    rows = blend(options.files, options.output, weights=options.weights, form=form)
    reporter.say(f"{options.output}: {rows} rows of {len(options.files)} files")
    return 0


def _rank(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.shortlist import write_shortlist

    output = options.output or options.embeddings.parent / f"{options.embeddings.stem}_ranking.csv"
    write_shortlist(options.embeddings, options.validation, output, options.seed, reporter)
    return 0


def _example(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.example import write_example

    write_example(options.task, options.output or Path(f"example_{options.task}"), reporter)
    return 0


def _doctor(folders: Folders, reporter: Reporter, options: argparse.Namespace) -> int:
    from evaluation.doctor import doctor

    return 1 if doctor(folders, reporter) else 0


_COMMANDS: dict[str, Callable[[Folders, Reporter, argparse.Namespace], int]] = {
    "download": _download,
    "create_baselines": _create_baselines,
    "evaluate": _evaluate,
    "plot": _plot,
    "leaderboard": _leaderboard,
    "run": _run,
    "ls": _ls,
    "validate": _validate,
    "embed": _embed,
    "retrieve": _retrieve,
    "blend": _blend,
    "example": _example,
    "bundle": _bundle,
    "doctor": _doctor,
    "rank": _rank,
}
