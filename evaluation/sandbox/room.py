"""Temporary folders and names of a run that carry our process number, so that a later run removes what a kill left."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

_PREFIX = "fixfirst-run-"


def run_name() -> str:
    """A new name for something that belongs to this process."""
    return f"{_PREFIX}{os.getpid()}-{uuid4().hex[:12]}"


def is_left(name: str) -> bool:
    """Whether this is the name of something whose process is dead."""
    number = name.removeprefix(_PREFIX).partition("-")[0]
    return name.startswith(_PREFIX) and number.isdecimal() and not Path(f"/proc/{number}").exists()


@contextmanager
def room() -> Iterator[Path]:
    """A folder for the block, which only we can enter. Removes those of dead runs first."""
    place = Path(tempfile.gettempdir())
    for path in place.glob(f"{_PREFIX}*"):
        if is_left(path.name) and not path.is_symlink() and path.stat().st_uid == os.geteuid():
            shutil.rmtree(path, ignore_errors=True)
    path = place / run_name()
    path.mkdir(mode=0o700)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
