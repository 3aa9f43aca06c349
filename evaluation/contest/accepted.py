"""The files of accepted submissions: submissions/accepted/{data_id}_{team}/{number}/, written once and never again.

Each number has a folder with one answer, named {data_id}_{team} with the suffix of its task, and the seconds it took if
they were handed in. The log says which numbers were accepted; a folder whose number it does not have was left by a run
that was killed.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cleaning.errors import FixfirstError, InvalidInput
from evaluation.files.lock import temporary_folder
from evaluation.files.whole import copy_in, make_folder, plain_errors, sync_folder
from evaluation.settings.folders import Folders

LARGEST = 4 * 1024**3
"""The most bytes of a file that is handed in. Each task has a limit of its own, which follows the size of the truth."""

_LARGEST_TIME = 1000
_LONGEST_NAME = 255


@dataclass(frozen=True)
class Staged:
    """A copy of a file that was handed in, under the name of its team, which nobody else can change any more.

    origin: the file as it was handed in. answer: the copy of it, in a temporary folder.
    """

    origin: Path
    answer: Path
    data_id: str
    team: str

    def blamed(self, error: FixfirstError) -> FixfirstError:
        """The same error about the file that was handed in, if it is about its copy."""
        names = {self.answer: self.origin, **dict(zip(_beside(self.answer), _beside(self.origin), strict=True))}
        if isinstance(error, InvalidInput) and error.place.path in names:
            return error.moved(names[error.place.path])
        return error


def accepted_folder(folders: Folders, data_id: str, team: str) -> Path:
    """The folder of a team's accepted submissions to a data id, with one folder per number."""
    return folders.submission_folder / "accepted" / f"{data_id}_{team}"


@contextmanager
def staged(origin: Path, data_id: str, team: str, folders: Folders) -> Iterator[Staged]:
    """Copies a file, and its time file if there is one, next to the team's accepted submissions, for the block.

    Raises FixfirstError for anything but a regular file of at most LARGEST bytes, and if there is no room for it.
    """
    name = f"{data_id}_{team}{origin.suffix}"
    if max(len(os.fsencode(path.name)) for path in _beside(Path(name))) > _LONGEST_NAME:
        raise InvalidInput("--team", f"the name of its file, {name}, would be too long", "choose a shorter name")
    with temporary_folder(accepted_folder(folders, data_id, team)) as folder:
        answer = folder / name
        copy_in(origin, answer, LARGEST)
        for source, target in zip(_beside(origin), _beside(answer), strict=True):
            if os.path.lexists(source):
                copy_in(source, target, _LARGEST_TIME)
        sync_folder(folder)
        yield Staged(origin, answer, data_id, team)


def keep(found: Staged, number: int, folders: Folders) -> Path:
    """Gives a staged submission its number and returns its folder; it is durable when this returns.

    Call it only while the log is locked and has no accepted submission with this number.
    """
    home = make_folder(accepted_folder(folders, found.data_id, found.team))
    target = home / f"{number}"
    with plain_errors(target, "store the submission"):
        if target.exists():
            shutil.rmtree(target)  # never accepted: the run that put it here was killed before it could say so
        found.answer.parent.chmod(0o755)
        found.answer.parent.replace(target)
    for folder in (home, home.parent, folders.submission_folder):
        sync_folder(folder)
    return target


def _beside(path: Path) -> tuple[Path, Path]:
    """Where the seconds a submission took are: for a ranking, and for an answer to a sister task."""
    return path.with_name(f"time_{path.stem}.txt"), path.with_name(f"{path.stem}.seconds")
