"""NAME_review/: what was read from where (source.json), the ranking (ranking.csv) and the decisions made so far."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from cleaning import __version__
from cleaning.errors import InvalidInput, Place
from evaluation.files.csv import csv_columns
from evaluation.files.json import parse_json
from evaluation.files.progress import Reporter
from evaluation.files.whole import make_folder, plain_errors, read_text, write_text
from evaluation.labels.forms.found import Options
from evaluation.labels.source import Request, Source, open_source

_VERSION = 1
RANKING, SOURCE, DECISIONS = "ranking.csv", "source.json", "decisions.jsonl"
ANNOTATORS = "annotators.csv"
_CACHES = ("embeddings.parquet", "trusted_embeddings.parquet")
WRITTEN = (RANKING, SOURCE, DECISIONS, ANNOTATORS, *_CACHES)
"""The names of all files that `fixfirst rank` writes into the folder."""

COLUMNS = (
    "place",
    "id",
    "row",
    "given_label",
    "suggested_label",
    "probability",
    "suspicion",
    "expected_gain",
    "near_duplicate_of",
    "outlier",
    "decision",
)
VOTE_COLUMNS = ("votes_for", "votes_against", "ask_next")
"""The further columns where there are several annotators."""
AGAIN = "run `fixfirst rank` again"
"""What to do where a review folder does not fit, or not any more."""
_LARGEST = 100_000_000
_FILES = ("labels", "probabilities")


class Counted(BaseModel):
    """How many labels are wrong among the rows without a decision, with a 90% interval.

    deviations: those of a misjudgement that all rows share, in logits, for what the next looks should find.
    """

    model_config = ConfigDict(extra="forbid")

    expected: float
    low: float
    high: float
    deviations: tuple[float, float]


class TrustedRows(BaseModel):
    """Where the trusted rows are. Paths are relative to the review folder."""

    model_config = ConfigDict(extra="forbid")

    path: str
    options: dict[str, Any]
    files: dict[str, str]
    said: str


class Description(BaseModel):
    """The content of source.json. Paths are relative to the review folder, so that both can be moved together.

    first_looks: the ids of the rows that were drawn to count wrong labels by, in the order to look at them. decisions:
    how many lines of decisions.jsonl the ranking has heard of. decided: the column `decision` of the ranking as it was
    written, by id, without empty cells. features_before: the columns by which a table was judged when decisions were
    made that do not count since these are others. classes_before: those that decisions name and that an earlier ranking
    had, but no row has now.
    """

    model_config = ConfigDict(extra="forbid")

    version: int
    fixfirst: str
    path: str
    form: str
    options: dict[str, Any]
    classes: list[str]
    files: dict[str, str]
    trusted: TrustedRows | None
    said: str
    seed: int
    count: Counted | None
    caveats: list[str]
    first_looks: list[str]
    decisions: int
    decided: dict[str, str]
    features_before: list[str] | None
    classes_before: list[str]


def review_of(source: Path) -> Path:
    """The review folder of a source, unless another is named: NAME_review beside it."""
    full = source if source.name and source.name != ".." else source.resolve()
    return full.parent / f"{full.name if full.is_dir() else full.stem}_review"


def caches(folder: Path) -> tuple[Path, Path]:
    """Where a review folder keeps the embeddings of its pictures, and of the trusted pictures."""
    of_source, of_trusted = _CACHES
    return folder / of_source, folder / of_trusted


def describe(folder: Path, source: Source, trusted: Source | None, **more: Any) -> Description:
    """The description of a source, for source.json in this folder. more: what is not known of the source alone."""
    trusted_rows = None
    if trusted is not None:
        trusted_rows = TrustedRows(
            path=_relative(trusted.path, folder),
            options=_moved(trusted.options, lambda path: _relative(path, folder)),
            files=_relative_files(trusted.files, folder),
            said=trusted.said,
        )
    return Description(
        version=_VERSION,
        fixfirst=__version__,
        path=_relative(source.path, folder),
        form=source.form,
        options=_moved(source.options, lambda path: _relative(path, folder)),
        classes=list(source.classes),
        files=_relative_files(source.files, folder),
        trusted=trusted_rows,
        said=source.said,
        **more,
    )


def read_by(folder: Path, found: Description) -> list[Path]:
    """The review folder, and all files and folders that its source and its trusted rows are read from."""
    rows: list[Description | TrustedRows] = [found] if found.trusted is None else [found, found.trusted]
    paths = [folder]
    for one in rows:
        named = [one.options[name] for name in _FILES if one.options.get(name) is not None]
        paths += [folder / path for path in (one.path, *named, *one.files)]
    return paths


def write_review(
    folder: Path, description: Description, ranking: pd.DataFrame, annotators: pd.DataFrame | None = None
) -> None:
    """Writes source.json and ranking.csv, and an empty decisions.jsonl if there is none.

    annotators: written to annotators.csv, or removed if there are none any more.
    """
    make_folder(folder)
    write_text(folder / RANKING, table_text(ranking))
    if annotators is not None:
        write_text(folder / ANNOTATORS, table_text(annotators))
    else:
        with plain_errors(folder / ANNOTATORS, "remove the file"):
            (folder / ANNOTATORS).unlink(missing_ok=True)
    write_text(folder / SOURCE, json.dumps(description.model_dump(), indent=1, ensure_ascii=False) + "\n")
    if not (folder / DECISIONS).exists():
        write_text(folder / DECISIONS, "")


def table_text(ranking: pd.DataFrame) -> str:
    """A ranking, or what is said of the annotators, as csv."""
    return ranking.to_csv(index=False, float_format="%.6f", lineterminator="\n")


def read_description(folder: Path) -> Description:
    """The description in a review folder. Raises InvalidInput if there is none, or a broken one."""
    path = folder / SOURCE
    if not path.is_file():
        raise InvalidInput(folder, f"there is no {SOURCE} in it", "make the folder with `fixfirst rank SOURCE`")
    content = parse_json(read_text(path, _LARGEST), Place(path))
    try:
        found = Description.model_validate(content)
    except ValidationError as failure:
        error = failure.errors(include_url=False)[0]
        key = ".".join(map(str, error["loc"]))
        raise InvalidInput(Place(path, key=key or None), error["msg"], AGAIN) from None
    if found.version != _VERSION:
        raise InvalidInput(Place(path, key="version"), f"it is {found.version}, not {_VERSION}", AGAIN)
    return found


def described(folder: Path) -> Description | None:
    """The description in a review folder; None if it cannot be read, or there is none."""
    try:
        return read_description(folder)
    except InvalidInput:
        return None


def refuse_other(folder: Path, path: Path) -> None:
    """Raises InvalidInput if the folder is the review of another source, which is still there."""
    found = described(folder)
    if found is None:
        return
    other = folder / found.path
    if other.exists() and path.exists() and not other.samefile(path):
        problem = f"this is the review of another source, {Path(os.path.normpath(other))}"
        raise InvalidInput(folder, problem, "name another folder with --review=DIR")


def refuse_gone(folder: Path, found: Description) -> None:
    """Raises InvalidInput if the source, or the trusted rows, are no longer where they were beside the folder."""
    named = [("source is", found.path, "SOURCE")]
    named += [("trusted rows are", found.trusted.path, "… --trusted=SOURCE")] if found.trusted is not None else []
    for what, path, again in named:
        there = Path(os.path.normpath(folder.resolve() / path))
        if not there.exists():
            fix = f"put {there.name} there, or say where it is: `fixfirst rank {again} --review={folder}`"
            raise InvalidInput(folder, f"the {what} not at {there}", fix)


def read_ranking(folder: Path) -> list[dict[str, str]]:
    """The rows of ranking.csv, in order, as text."""
    lines = csv_columns(folder / RANKING, COLUMNS, COLUMNS)
    return [dict(zip(COLUMNS, cells, strict=True)) for _, cells in lines]


def decided_at_the_end(decisions: Sequence[str]) -> int:
    """How many rows a ranking has moved to its end because they were decided. decisions: that column, in order."""
    return next((count for count, cell in enumerate(reversed(decisions)) if not cell), len(decisions))


def reopen(folder: Path, reporter: Reporter | None = None) -> tuple[Source, Source | None]:
    """The source and the trusted rows of a review folder, read in the same way again.

    Raises InvalidInput if the source is gone, can no longer be read in that way, or has a class more.
    """
    found = read_description(folder)
    refuse_gone(folder, found)
    trusted, (cache, trusted_cache) = found.trusted, caches(folder)
    request = Request(
        folder / found.path,
        _options(found.options, folder),
        trusted=None if trusted is None else folder / trusted.path,
        trusted_options=None if trusted is None else _options(trusted.options, folder),
        cache=cache,
        trusted_cache=trusted_cache,
    )
    opened = open_source(request, reporter or Reporter())
    if list(opened[0].classes) != found.classes:
        raise InvalidInput(folder / SOURCE, "the classes of the source are no longer the same", AGAIN)
    return opened


def _options(written: Mapping[str, object], folder: Path) -> Options:
    """The options in a description."""
    options = _moved(written, lambda path: str(folder / path))
    if set(options) != {one.name for one in fields(Options)}:
        raise InvalidInput(Place(folder / SOURCE, key="options"), "these are not the options of a source", AGAIN)
    for name in ("features", "annotators", "encoder_mean", "encoder_std"):
        options[name] = None if options[name] is None else tuple(options[name])
    for name in _FILES:
        options[name] = None if options[name] is None else Path(options[name])
    return Options(**options)


def _moved(options: Mapping[str, object], move: Any) -> dict[str, Any]:
    """The options with their paths moved: the files of labels and probabilities, and an encoder that is a file."""
    moved = dict(options)
    for name in _FILES:
        if moved.get(name) is not None:
            moved[name] = move(Path(str(moved[name])))
    if str(moved.get("encoder")).endswith(".onnx"):
        moved["encoder"] = move(Path(str(moved["encoder"])))
    return moved


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _relative_files(files: Mapping[str, str], folder: Path) -> dict[str, str]:
    return {_relative(Path(path), folder): digest for path, digest in files.items()}
