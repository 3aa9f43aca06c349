"""`fixfirst publish`: a results folder as a static site that others can check and join."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import yaml

from cleaning import __version__
from cleaning.errors import InvalidInput, count_of
from evaluation.contest.standings import Row, apart, places, signed
from evaluation.contract import registry
from evaluation.contract.record import Record
from evaluation.figures.page.content import headline
from evaluation.figures.page.markup import made_with
from evaluation.figures.report import draw, scored_records
from evaluation.files.html import inside_policy, style_of_page, template
from evaluation.files.lock import sweep
from evaluation.files.progress import Reporter
from evaluation.files.whole import make_folder, write_text
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import DatasetBlock, Parameters
from evaluation.submissions.round_logs import ranker_in_rounds

_MARK = "records.jsonl"
_PRIVATE = ("split", "time_sha256")
_PAGE = f"{__package__}.page"


@dataclass(frozen=True)
class Published:
    """A row of a board. words: the command that makes the number again; none if the method is not fixfirst's own."""

    place: str
    method: str
    mean: str
    interval: str
    gap: str
    seconds: str
    words: tuple[str, ...]


def publish(folders: Folders, parameters: Parameters, output: Path, reporter: Reporter) -> None:
    """Writes the site. Nothing private goes out: of split data only the public part, no failures, no paths, no orders.

    Raises InvalidInput for a folder that holds anything but an earlier site, and FixfirstError if there are no scores.
    """
    if output.exists() and (not output.is_dir() or (any(output.iterdir()) and not (output / _MARK).is_file())):
        raise InvalidInput(output, "it already exists and is not a published site", "choose a new folder")
    good = [record for record in scored_records(folders) if record.status == "ok"]
    records = [public(record) for record in good]
    make_folder(output)
    sweep(output)
    write_text(output / _MARK, "".join(record.model_dump_json() + "\n" for record in records))
    schema = (files("evaluation.contract") / "record.schema.json").read_text(encoding="utf-8")
    write_text(output / "record.schema.json", schema)
    boards, _ = draw(records, output, reporter)
    for name in boards:
        write_text(output / f"parameters_{name}.yaml", _parameters(parameters, name, records))
    write_text(output / "index.html", _index(boards, records, {record.task for record in good if record.boards}))
    shown = f"{count_of(len(records), 'record')}, {count_of(len(boards), 'task')}"
    reporter.say(f"{output / 'index.html'}: {shown}; copy the folder to a web server")


def public(record: Record) -> Record:
    """The record without what only the organiser may know."""
    settings = {name: value for name, value in record.settings.items() if name not in _PRIVATE}
    details = {name: value for name, value in record.details.items() if name not in ("order", "warnings")}
    if not record.boards:
        return record.model_copy(update={"settings": settings, "details": details})
    board = record.boards["public"]
    update = {"metrics": board.metrics, "denominators": board.denominators, "boards": {}, "details": {}, "curve": None}
    return record.model_copy(update={**update, "settings": settings})


def _parameters(parameters: Parameters, task: str, records: Sequence[Record]) -> str:
    """A parameters.yaml with which the numbers of a task are made again; sources on this machine are left out."""
    known = {record.dataset for record in records if record.task == task}
    blocks = {
        name: _block(block) for name, block in parameters.enabled(task).items() if known & set(block.data_ids(name))
    }
    names = {"seeds", "budgets", "target", "lenient", "learner"}
    if any(record.rounds is not None for record in records if record.task == task):
        names.add("rounds")
    kept = parameters.model_dump(mode="json", include=names)
    return yaml.safe_dump({"version": 1, "tasks": [task], **kept, "datasets": blocks}, sort_keys=False)


def _block(block: DatasetBlock) -> dict[str, object]:
    """A block without what is private: the split, and files on the organiser's machine."""
    found: dict[str, object] = block.model_dump(
        mode="json", exclude_defaults=True, exclude={"split", "sources", "raw", "enabled"}
    )
    if any(one.source.startswith("file:") for one in block.raw):
        return found
    kept = {
        name: [one.model_dump(mode="json", exclude_none=True) for one in listed if not one.source.startswith("file:")]
        for name, listed in (("sources", block.sources), ("raw", block.raw))
    }
    return {**found, **{name: listed for name, listed in kept.items() if listed}}


def _index(boards: Mapping[str, Sequence[Row]], records: Sequence[Record], split: set[str]) -> str:
    style = style_of_page(_PAGE, "report.css")
    known = {*registry.own_rankers(), *registry.own_predictors()}
    return template(_PAGE, "site.html").render(
        boards={
            name: [
                (title, [_published(name, *one, known) for one in zip(own, places(own), strict=True)])
                for title, own in apart(name, rows)
            ]
            for name, rows in boards.items()
        },
        said={name: headline(rows) for name, rows in boards.items()},
        metrics={name: rows[0].metric for name, rows in boards.items()},
        split=split,
        made_with=made_with(records),
        created=max(record.created for record in records)[:10],
        version=__version__,
        style=style,
        policy=inside_policy(style, []),
    )


def _published(task: str, row: Row, place: str, known: set[str]) -> Published:
    method = ranker_in_rounds(row.method) or row.method
    flags = [f"--parameters_file=parameters_{task}.yaml", "--workspace=again", f"--only={method}"]
    return Published(
        place,
        row.method,
        f"{row.mean:.6f}",
        "" if row.low is None or row.high is None else f"{row.low:.3f} to {row.high:.3f}",
        signed(row.to_best),
        "" if row.seconds is None else f"{row.seconds:.3g}",
        tuple(map(shlex.quote, ["fixfirst", "run", *flags])) if method in known else (),
    )
