"""Submissions of the sister tasks: found by data id, read strictly, and reported with what is missing or odd.

The truth of a data id lies in data/{data_id}/, its submissions are `{data_id}_{method}.csv` or `.json` in the
submission folder, the seconds they took `{data_id}_{method}.seconds` beside them.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cleaning.errors import FixfirstError, InvalidInput, first_three, suggest
from evaluation.contract.record import Record
from evaluation.contract.task import Case, Rejected
from evaluation.files.csv import csv_rows
from evaluation.files.whole import refuse_odd_entry, sha256_bytes, sha256_file
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.settings.rules import SplitSpec
from evaluation.submissions.rankings import identify, read_seconds, seed_folders


def cases(
    task: str,
    suffixes: Sequence[str],
    truth: Callable[[Path], Sequence[Path | str]],
    folders: Folders,
    parameters: Parameters,
    split: SplitSpec | None = None,
) -> list[Case | Rejected]:
    """Every submission of a task. `truth` names the files in data/{data_id}, and texts, that its score depends on.

    A file whose name starts with no known data id, of whatever task, is Rejected; so are a method's second file, a
    folder, and a link out of the submission folder.
    `split`: the task's own.
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
                raise InvalidInput(path, f"{first.name} is the same method's answer", "keep one of them")
            digest, beside = sha256_file(path), _seconds_path(path)
            seconds = sha256_file(beside) if beside.exists() else None
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
    return sorted(path for suffix in suffixes for path in place.glob(f"*{suffix}"))


def _truth_sha256(folder: Path, truth: Callable[[Path], Sequence[Path | str]], split: Mapping[str, Any] | None) -> str:
    parts = [*truth(folder), *([folder / split["file"]] if split and "file" in split else [])]
    return sha256_bytes(
        repr([part if isinstance(part, str) else sha256_file(part) for part in parts if _is_there(part)]).encode()
    )


def _is_there(part: Path | str) -> bool:
    return isinstance(part, str) or part.exists()


def data_id_of(path: Path, task: str | None, parameters: Parameters, suffixes: Sequence[str]) -> str:
    """The data id of a submission file, wherever it lies, of a task or of any (None).

    Raises InvalidInput for none, and for a suffix that is not among those the task reads.
    """
    return identify(path, sorted(_ids(parameters, task)), parameters.seeds[0], suffixes).data_id


def seconds_of(path: Path) -> float | None:
    """What the submission took, where that is told. Raises InvalidInput for anything but a number of seconds."""
    return read_seconds(_seconds_path(path))


def told_seconds(path: Path) -> str:
    """What `validate` adds about them. Raises as seconds_of."""
    seconds = seconds_of(path)
    return "" if seconds is None else f", {seconds:g} s"


def _seconds_path(path: Path) -> Path:
    return path.with_name(f"{path.stem}.seconds")


def read_table(path: Path, key: str) -> tuple[list[str], dict[str, list[str]]]:
    """Columns besides `key`, and the cells of each row by its key, of a csv in which every key stands once.

    Raises InvalidInput that names the line for a wrong header, a missing cell or a repeated key.
    """
    header, rows = csv_rows(path, key)
    return header[1:], dict(rows)


def refuse_mismatch(
    path: Path, what: str, given: Iterable[Hashable], expected: Iterable[Hashable], *, lenient: bool
) -> int:
    """Compares names; returns how many expected ones are missing, which only lenient scoring allows.

    Raises InvalidInput for names that are not expected, with the count and the first three.
    """
    have, want = list(given), list(expected)
    odd = sorted(set(have) - set(want), key=str)
    missing = sorted(set(want) - set(have), key=str)
    if odd:
        raise InvalidInput(
            path, f"{what} that are not known ({first_three(odd)})", suggest(str(odd[0]), map(str, want[:1000]))
        )
    if missing and not lenient:
        raise InvalidInput(
            path,
            f"{what} that are missing ({first_three(missing)})",
            "answer every one, or score with `lenient: true`",
        )
    return len(missing)


def publish_nothing(records: Sequence[Record], folders: Folders, parameters: Parameters) -> None:
    """These tasks have no files besides the records."""


def _ids(parameters: Parameters, task: str | None) -> tuple[str, ...]:
    return tuple(d for name, block in parameters.enabled(task).items() for d in block.data_ids(name))
