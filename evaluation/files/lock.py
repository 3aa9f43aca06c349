"""One writer per folder, and no temporary files of killed runs.

The kernel drops a lock when its process ends, however it ends, so a lock is never left behind.
"""

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evaluation.files.whole import make_folder, plain_errors

_TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}\.tmp")
_READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)


@contextmanager
def only_writer(folder: Path, warn: Callable[[str], None], file: str = "") -> Iterator[None]:
    """Runs the block while no other process runs such a block for this folder, or for the file in it.

    Waits for the others and says so. Creates the folder, and removes what killed runs left in it. A folder that cannot
    be written to is not locked.
    """
    make_folder(folder)
    path = folder / (f".{file[:40]}.lock" if file else ".lock")
    with plain_errors(path, "lock the folder"):
        handle = _locked(path, warn, folder / file)
    try:
        sweep(folder, file)
        yield
    finally:
        if handle is not None:
            with suppress(OSError):
                path.unlink()
            os.close(handle)


@contextmanager
def temporary_folder(target: Path) -> Iterator[Path]:
    """A new folder beside the target, to be renamed to it when it is complete, and else removed."""
    parent = make_folder(target.absolute().parent)
    sweep(parent, target.name)
    with plain_errors(target, "make the folder"):
        staged, handle = _temporary_folder(target, parent)
        try:
            yield staged
        finally:
            shutil.rmtree(staged, ignore_errors=True)
            os.close(handle)


def _temporary_folder(target: Path, parent: Path) -> tuple[Path, int]:
    """A new folder, locked as long as it is open, so that nobody takes it for the leftover of a run."""
    while True:
        staged = Path(tempfile.mkdtemp(prefix=f".{target.name[:40]}.", suffix=".tmp", dir=parent))
        with suppress(FileNotFoundError):  # removed as a leftover before it was locked
            handle = os.open(staged, os.O_RDONLY | os.O_CLOEXEC)
            fcntl.flock(handle, fcntl.LOCK_EX)
            if staged.exists():
                return staged, handle
            os.close(handle)


def sweep(folder: Path, file: str = "") -> None:
    """Removes the temporary files and folders that no living process is writing.

    Those of one file, or all of them in a folder that is ours, and one level below.
    """
    found = [*folder.glob(".*.tmp"), *(() if file else folder.glob("*/.*.tmp"))]
    for path in found:
        if _TEMPORARY.fullmatch(path.name) and path.name.startswith(f".{file[:40]}." if file else "."):
            with suppress(OSError):
                handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                finally:
                    os.close(handle)


def _locked(path: Path, warn: Callable[[str], None], what: Path) -> int | None:
    """The descriptor of the locked file; None if the folder is read-only. Whoever unlocks it removes the file."""
    told = False
    while True:
        try:
            handle = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        except OSError as error:
            if error.errno in _READ_ONLY:
                return None
            raise
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                warn(f"{what}: another fixfirst command is writing here; waiting until it has finished")
            told = True
            fcntl.flock(handle, fcntl.LOCK_EX)
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)  # the file was removed while we waited for it
