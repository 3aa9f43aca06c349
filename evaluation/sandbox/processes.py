"""The processes below one of ours, and the memory they have."""

import os
import signal
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")
_FILES = 1000


def descendants(ancestor: int) -> list[int]:
    """The numbers of all living processes below a process, without itself."""
    children = defaultdict(list)
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with suppress(OSError, ValueError, IndexError):
                text = Path(entry.path, "stat").read_text()
                children[int(text.rpartition(")")[2].split()[1])].append(int(entry.name))
    found, left = [], [ancestor]
    while left:
        own = children.pop(left.pop(), [])
        found += own
        left += own
    return found


def memory_of(processes: list[int], most: int) -> int:
    """The bytes of memory of these processes together.

    Counts resident pages. If this is more than `most`, shared pages are divided among those who share them, where the
    kernel says how.
    """
    total = sum(map(_resident, processes))
    return total if total <= most else sum(map(_proportional, processes))


def children(parent: int) -> list[int]:
    """The numbers of the children of a process with one thread."""
    try:
        return [int(number) for number in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    except OSError:
        return []


def kill_children(parent: int) -> None:
    """Kills the children of a process: for bubblewrap the first process of the sandbox, with which all others end."""
    for number in children(parent):
        with suppress(OSError):
            os.kill(number, signal.SIGKILL)


def most_files(size: int) -> int:
    """How many files a folder in memory of this many bytes may have."""
    return _FILES + size // _PAGE


def crowded(process: int, folders: Sequence[tuple[str, int]]) -> bool:
    """Whether one of the folders in memory that a process sees has more files than its size suggests.

    folders: their paths and sizes in bytes. Their number of files has no limit of its own.
    """
    for path, size in folders:
        with suppress(OSError):
            found = os.statvfs(f"/proc/{process}/root{path}")
            ours = 0 <= found.f_blocks * found.f_frsize - size < _PAGE
            if ours and found.f_files - found.f_ffree > most_files(size):
                return True
    return False


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _proportional(process: int) -> int:
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return _resident(process)
