"""Submissions to the sister tasks: found by data id and read strictly; errors list what is missing or unknown.

The ground truth of a data id is in data/{data_id}/. Its submissions are `{data_id}_{method}.csv` or `.json` in the
submission folder. The seconds they took are in `{data_id}_{method}.seconds` beside them.
"""

import os
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cleaning.errors import FixfirstError, InvalidInput, first_three, suggest
from evaluation.contract.record import Record
from evaluation.contract.task import Case, Rejected
from evaluation.files.csv import csv_rows
from evaluation.files.names import not_hidden
from evaluation.files.whole import refuse_odd_entry, sha256_bytes, sha256_file
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.settings.rules import SplitSpec
from evaluation.submissions.rankings import identify, second_file, seed_folders
from evaluation.submissions.time_files import read_seconds, time_of_answer


def cases(
    task: str,
    suffixes: Sequence[str],
    truth: Callable[[Path], Sequence[Path | str]],
    folders: Folders,
    parameters: Parameters,
    split: SplitSpec | None = None,
) -> list[Case | Rejected]:
    """Every submission to a task.

    truth: returns what the scores depend on, given data/{data_id}: files in that folder, or texts. split: the task's
    own split. Rejected are a file whose name does not start with a known data id of any task, a method's second file,
    a folder, and a link out of the submission folder.
    """
    every = _ids(parameters, None)
    blocks = {d: block for name, block in parameters.enabled(task).items() for d in block.data_ids(name)}
    found: list[Case | Rejected] = []
    taken: dict[tuple[str, str, int], Path] = {}
    places = seed_folders(folders.submission_folder, parameters.seeds[0])
    for path, seed in [(path, seed) for place, seed in places for path in _files(place, suffixes)]:
        try:
            file = identify(path, every, seed, suffixes)
            if file.data_id not in blocks:
                continue
            refuse_odd_entry(path, folders.submission_folder)
            first = taken.setdefault((file.data_id, file.method, seed), path)
            if first != path:
                raise second_file(path, first)
            digest, beside = sha256_file(path), time_of_answer(path)
            seconds = None
            if os.path.lexists(beside):
                refuse_odd_entry(beside, folders.submission_folder)
                seconds = sha256_file(beside)
        except FixfirstError as error:
            found.append(Rejected(path, error))
            continue
        own = blocks[file.data_id].split or split
        setting = None if own is None else own.settings(file.data_id)
        depends = _truth_sha256(folders.groundtruth_folder / file.data_id, truth, setting)
        settings = {"lenient": parameters.lenient, "split": setting, "seconds_sha256": seconds}
        found.append(Case(file.data_id, file.method, file.seed, path, digest, depends, settings, folders))
    return found


def _files(place: Path, suffixes: Sequence[str]) -> list[Path]:
    return not_hidden((path for suffix in suffixes for path in place.glob(f"*{suffix}")), place)


def _truth_sha256(folder: Path, truth: Callable[[Path], Sequence[Path | str]], split: Mapping[str, Any] | None) -> str:
    parts = [*truth(folder), *([folder / split["file"]] if split and "file" in split else [])]
    return sha256_bytes(
        repr([part if isinstance(part, str) else sha256_file(part) for part in parts if _is_there(part)]).encode()
    )


def _is_there(part: Path | str) -> bool:
    return isinstance(part, str) or part.exists()


def data_id_of(path: Path, task: str | None, parameters: Parameters, suffixes: Sequence[str]) -> str:
    """The data id in the name of a submission file in any folder. task: the data id's task; None: any task.

    Raises InvalidInput for an unknown data id, and for a suffix that is not one of `suffixes`.
    """
    return identify(path, sorted(_ids(parameters, task)), parameters.seeds[0], suffixes).data_id


def seconds_of(path: Path) -> float | None:
    """The seconds the submission took; None if unknown. Raises InvalidInput for anything but a number of seconds."""
    return read_seconds(time_of_answer(path))


def told_seconds(path: Path) -> str:
    """The seconds as `validate` appends them to its verdict. Raises as `seconds_of` does."""
    seconds = seconds_of(path)
    return "" if seconds is None else f", {seconds:g} s"


def read_table(path: Path, key: str, limit: int | None = None) -> tuple[list[str], dict[str, list[str]]]:
    """Reads a CSV file with unique keys: the columns besides `key`, and the cells of each row by its key.

    Raises InvalidInput with the line number for a wrong header, a missing cell or a repeated key, and for more than
    `limit` bytes.
    """
    header, rows = csv_rows(path, key, limit)
    return header[1:], dict(rows)


def refuse_mismatch(
    path: Path, what: str, given: Iterable[Hashable], expected: Iterable[Hashable], *, lenient: bool
) -> int:
    """Compares names and returns how many expected ones are missing, which only lenient scoring allows.

    Raises InvalidInput for unknown names, and for missing ones unless lenient, with the count and the first three.
    """
    have, want = list(given), list(expected)
    odd = sorted(set(have) - set(want), key=str)
    missing = sorted(set(want) - set(have), key=str)
    if odd:
        raise InvalidInput(path, f"unknown {what} ({first_three(odd)})", suggest(str(odd[0]), map(str, want[:1000])))
    if missing and not lenient:
        raise InvalidInput(
            path,
            f"missing {what} ({first_three(missing)})",
            "answer all of them, or score with `lenient: true`",
        )
    return len(missing)


def publish_nothing(records: Sequence[Record], folders: Folders, parameters: Parameters) -> None:
    """Does nothing: these tasks publish nothing besides the records."""


def _ids(parameters: Parameters, task: str | None) -> tuple[str, ...]:
    return tuple(d for name, block in parameters.enabled(task).items() for d in block.data_ids(name))
