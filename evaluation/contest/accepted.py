"""The files of accepted submissions: submissions/accepted/{data_id}/{team}/{number}/, written once and never again.

Each number has a folder with one answer, named {data_id}_{team} with the suffix of its task, and the seconds it took if
they are known. Beside the answer of an algorithm that was run here is a note that says so. The log says which numbers
were accepted. A folder whose number it does not have was left by a run that was killed, or the log was lost; nothing
here is ever removed.
"""

import os
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cleaning.errors import FixfirstError, InvalidInput
from evaluation.contract.task import Task
from evaluation.files.lock import sweep, temporary_folder
from evaluation.files.names import composed, not_hidden
from evaluation.files.whole import (
    copy_in,
    make_folder,
    plain_errors,
    sha256_file,
    sync_folder,
    write_text,
    write_whole,
)
from evaluation.settings.folders import Folders
from evaluation.submissions.division import division_path, write_division
from evaluation.submissions.time_files import time_of_answer, time_of_ranking

LARGEST = 4 * 1024**3
"""The most bytes of a file that is handed in. Each task has a limit of its own, which follows the size of the truth."""

_LARGEST_TIME = 1000
_LONGEST_NAME = 255


@dataclass(frozen=True, kw_only=True)
class HandedIn:
    """What a team hands in for a data id.

    origin: the file of answers, or the algorithm, as it was handed in. code_sha256: of the algorithm; None for a file.
    """

    origin: Path
    data_id: str
    team: str
    code_sha256: str | None = None


@dataclass(frozen=True, kw_only=True)
class Staged(HandedIn):
    """With an answer under the name of the team, in a temporary folder, where nobody else can change it any more."""

    answer: Path

    def blamed(self, error: FixfirstError) -> FixfirstError:
        """The same error about the file that was handed in, if it is about its copy."""
        names = {self.answer: self.origin, **dict(zip(_beside(self.answer), _beside(self.origin), strict=True))}
        if isinstance(error, InvalidInput) and error.place.path in names:
            return error.moved(names[error.place.path])
        return error


def accepted_folder(folders: Folders, data_id: str, team: str) -> Path:
    """The folder of a team's accepted submissions to a data id, with one folder per number."""
    return folders.submission_folder / "accepted" / data_id / team


@contextmanager
def staged(origin: Path, data_id: str, team: str, folders: Folders) -> Iterator[Staged]:
    """Copies a file, and its time file if there is one, next to the team's accepted submissions, for the block.

    Raises FixfirstError for anything but a regular file of at most LARGEST bytes, and if there is no room for it.
    """
    with _place(data_id, team, origin.suffix, folders) as answer:
        copy_in(origin, answer, LARGEST)
        for source, target in zip(_beside(origin), _beside(answer), strict=True):
            if os.path.lexists(source):
                copy_in(source, target, _LARGEST_TIME)
        sync_folder(answer.parent)
        yield Staged(origin=origin, answer=answer, data_id=data_id, team=team)


@contextmanager
def staged_run(
    handed: HandedIn, task: Task, content: bytes, seconds: float, engine: str, folders: Folders
) -> Iterator[Staged]:
    """Writes what an algorithm answered, and how and in how many seconds, to the same place, for the block.

    Raises FixfirstError if there is no room for it.
    """
    with _place(handed.data_id, handed.team, task.suffixes[0], folders) as answer:
        write_text(_beside(answer)[0 if task.name == "cleaning" else 1], f"{seconds:.3f}\n")
        write_division(answer, engine, str(handed.code_sha256))
        write_whole(answer, content)
        for path in answer.parent.iterdir():
            path.chmod(0o444)
        sync_folder(answer.parent)
        yield Staged(answer=answer, **vars(handed))


@contextmanager
def _place(data_id: str, team: str, suffix: str, folders: Folders) -> Iterator[Path]:
    """The path for an answer in a temporary folder next to the team's accepted submissions."""
    name = f"{data_id}_{team}{suffix}"
    beside = (*_beside(Path(name)), division_path(Path(name)))
    if max(len(os.fsencode(path.name)) for path in beside) > _LONGEST_NAME:
        raise InvalidInput("--team", f"the name of its file, {name}, would be too long", "choose a shorter name")
    home = accepted_folder(folders, data_id, team)
    sweep(home.parent)
    with temporary_folder(home) as folder:
        yield folder / name


def keep(found: Staged, number: int, folders: Folders) -> int:
    """Stores a staged submission under the number, or the next one that is free; returns that number.

    It is durable when this returns. Call it only while the log is locked and has no submission with this number. Of an
    algorithm that a killed run stored with the same answer, the earlier seconds are kept.
    """
    measured = () if found.code_sha256 is None else tuple(path.name for path in _beside(found.answer))
    home = make_folder(accepted_folder(folders, found.data_id, found.team))
    with plain_errors(home, "store the submission"):
        while (home / f"{number}").exists() and not _is_copy(home / f"{number}", found.answer.parent, measured):
            number += 1
        if not (home / f"{number}").exists():
            found.answer.parent.chmod(0o755)
            found.answer.parent.replace(home / f"{number}")
    for folder in (home, home.parent, home.parent.parent, folders.submission_folder):
        sync_folder(folder)
    return number


def unlogged(folders: Folders, data_ids: Iterable[str], known: Container[tuple[str, str, int]]) -> list[Path]:
    """The stored submissions to these data ids that are not `known` as (data id, team, number)."""
    home = folders.submission_folder / "accepted"
    found = [path for data_id in data_ids for path in not_hidden((home / data_id).glob("*/*"), home)]
    return [path for path in found if not (path.name.isdecimal() and _key(path) in known)]


def _key(path: Path) -> tuple[str, str, int]:
    return path.parent.parent.name, composed(path.parent.name), int(path.name)


def _is_copy(one: Path, other: Path, but: Container[str]) -> bool:
    """Whether two folders hold the same files, apart from those with the names in `but`."""
    names = [sorted(path.name for path in folder.iterdir() if path.name not in but) for folder in (one, other)]
    return names[0] == names[1] and all(sha256_file(one / name) == sha256_file(other / name) for name in names[0])


def _beside(path: Path) -> tuple[Path, Path]:
    """Where the seconds a submission took are: for a ranking, and for an answer to a sister task."""
    return time_of_ranking(path.with_name(f"{path.stem}.txt")), time_of_answer(path)
