"""Time files: the seconds that a submission took, beside it.

Those of a ranking or of a round log are called `time_{data_id}_{method}` with its suffix, those of an answer to a
sister task `{data_id}_{method}.seconds`.
"""

import os
import re
from pathlib import Path

from cleaning import InvalidInput
from cleaning.errors import Place
from evaluation.files.whole import read_text, refuse_odd_entry, write_text

_SECONDS = re.compile(r"\+?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_MOST_SECONDS = 1e9


def time_of_ranking(path: Path) -> Path:
    """The time file of a ranking or of a round log."""
    return path.with_name(f"time_{path.name}")


def time_of_answer(path: Path) -> Path:
    """The time file of an answer to a sister task."""
    return path.with_name(f"{path.stem}.seconds")


def is_called_like_one(path: Path) -> bool:
    """Whether a file has the name of a time file, whatever it is beside."""
    return path.suffix == ".seconds" or (path.name.startswith("time_") and path.suffix in (".txt", ".rounds"))


def write_seconds(path: Path, seconds: float) -> None:
    """Writes a time file."""
    write_text(path, f"{seconds!r}\n")


def read_seconds(path: Path) -> float | None:
    """The seconds in a time file, from 0 to 1e9; None if there is no such file.

    Raises InvalidInput for any other content, and for anything but a file in its folder, such as a link out of it.
    """
    if not os.path.lexists(path):
        return None
    refuse_odd_entry(path, path.parent)
    text = read_text(path, limit=1000).strip()
    if not _SECONDS.fullmatch(text) or float(text) > _MOST_SECONDS:
        raise InvalidInput(
            Place(path, line=1),
            f"{text[:40]!r} is not a number of seconds",
            "write the seconds the ranking took, for example 4.7",
        )
    return float(text)
