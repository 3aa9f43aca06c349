"""What a task's box.py defines: what a program finds in the sandbox, and how its answer becomes a submission."""

import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cleaning.errors import InvalidInput
from evaluation.files.names import is_hidden
from evaluation.files.whole import plain_errors, read_bytes
from evaluation.settings.folders import Folders


@dataclass(frozen=True)
class Boxed:
    """The data of one run, laid out in a folder.

    answer: the name of the file that the program writes. read: turns this file into the content of a submission, with
    the rows back in our own order; raises InvalidInput if it is not an answer.
    """

    answer: str
    read: Callable[[Path], bytes]


LayOut = Callable[[Folders, str, Path, np.random.Generator | None], Boxed]
"""Fills an empty folder for a data id. The generator shuffles the rows, where a task can put them back."""


def whole_problem(suffix: str) -> LayOut:
    """How tasks without a box.py are laid out: all that their predictors read, which holds no answers."""

    def lay_out(folders: Folders, data_id: str, target: Path, rng: np.random.Generator | None) -> Boxed:
        source = folders.embedding_folder / data_id
        if not source.is_dir():
            raise InvalidInput(source, "there is no such folder", "run `fixfirst download`")
        with plain_errors(source, "copy the folder"):
            for folder, names, files in os.walk(source):
                place = target / Path(folder).relative_to(source)
                names[:] = [name for name in names if not is_hidden(name)]
                place.mkdir(exist_ok=True)
                for name in files:
                    if not is_hidden(name):
                        link_or_copy(Path(folder, name), place / name)
        return Boxed(f"answer{suffix}", read_bytes)

    return lay_out


def link_or_copy(source: Path, target: Path) -> None:
    """A second name for a file that everybody may read, else a copy. The sandbox shows it read-only."""
    if source.stat().st_mode & stat.S_IROTH:
        with suppress(OSError):
            os.link(source.resolve(), target)
            return
    shutil.copyfile(source, target)
