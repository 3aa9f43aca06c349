"""Passes over blocks of rows, wherever they run; what is finished is kept in a folder and not computed again."""

import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cleaning.errors import FixfirstError
from cleaning.parallel.engine import SERIAL, Engine, finished_jobs
from cleaning.progress import Progress, silent

Arrays = tuple[NDArray[Any], ...]


class Total(NamedTuple):
    """What a pass found. sums: added over the blocks. rows: one after the other in the order of the blocks."""

    sums: Arrays
    rows: Arrays


PassOver = Callable[..., Total]
"""function(*shared, block, progress) of one block."""


@dataclass
class Work:
    """Where passes run and what they leave behind.

    folder: for what is finished; None: nothing is kept. planned: the cost of all work, in any unit, for `progress`, as
    far as it is known; done: of what is done. The share that is shown never falls.
    """

    folder: Path | None = None
    engine: Engine = SERIAL
    progress: Progress = silent
    planned: float = 0.0
    done: float = field(default=0.0, init=False)
    _shown: float = field(default=0.0, init=False)

    def over(
        self, name: str, function: PassOver, shared: Sequence[object], blocks: Sequence[Any], cost: float, note: str
    ) -> Total:
        """The total of function(*shared, block, progress) over the blocks. name: of the files in which it is kept."""
        found = self._read(name)
        if found is not None:
            self.advance(cost, note)
            return found
        finished = {number: one for number in range(len(blocks)) if (one := self._read(f"{name}/{number:06d}"))}
        self.advance(cost * len(finished) / len(blocks), note)
        kept: dict[int, Total | None] = dict.fromkeys(finished) if self.folder else dict(finished)
        missing = [number for number in range(len(blocks)) if number not in finished]
        finished.clear()
        jobs = finished_jobs(function, shared, [blocks[number] for number in missing], self.engine)
        with closing(jobs):  # so that workers end at once where writing fails or is interrupted
            for place, one in jobs:
                number = missing[place]
                self._write(f"{name}/{number:06d}", one)
                kept[number] = None if self.folder else one
                self.advance(cost / len(blocks), note)
        total = _total(kept[number] or self._must_read(f"{name}/{number:06d}") for number in range(len(blocks)))
        self._write(name, total)
        if self.folder is not None:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        return total

    def once(self, name: str, compute: Callable[[], Arrays]) -> Arrays:
        """What `compute` returns, from the file in which it is kept if there is one."""
        found = self._read(name)
        if found is None:
            found = Total(tuple(compute()), ())
            self._write(name, found)
        return found.sums

    def advance(self, cost: float, note: str) -> None:
        """Takes note that work of this cost is done."""
        self.done += cost
        self._shown = max(self._shown, min(self.done / self.planned, 1.0) if self.planned else 0.0)
        self.progress(self._shown * self.planned, self.planned, note)

    def expect(self, more: float) -> None:
        """Takes note that so much more work is needed than planned, or less."""
        self.planned += more

    def forget(self, start: str) -> None:
        """Removes the totals whose names start like this."""
        if self.folder is not None:
            for path in self.folder.glob(f"{start}*.npz"):
                path.unlink(missing_ok=True)

    def _must_read(self, name: str) -> Total:
        found = self._read(name)
        if found is None:
            raise FixfirstError(f"{self.folder}/{name}.npz: it has gone while it was needed. Fix: run again.")
        return found

    def _read(self, name: str) -> Total | None:
        if self.folder is None:
            return None
        try:
            with (self.folder / f"{name}.npz").open("rb") as handle, np.load(handle, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):  # not there, or a power failure left half of it
            return None
        sums = tuple(arrays[key] for key in sorted(arrays) if key.startswith("sum"))
        return Total(sums, tuple(arrays[key] for key in sorted(arrays) if key.startswith("row")))

    def _write(self, name: str, total: Total) -> None:
        """Whole or not at all: a file that is there is complete."""
        if self.folder is None:
            return
        path = self.folder / f"{name}.npz"
        half = path.with_name(f".{path.name}.{os.getpid()}.half")  # another process may be doing the same
        named = {
            f"{kind}{at}": one for kind, part in zip(("sum", "row"), total, strict=True) for at, one in _each(part)
        }
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with half.open("wb") as file:
                np.savez(file, **named)  # type: ignore[arg-type] # keywords that are not ours
            half.replace(path)
        except OSError as error:
            with suppress(OSError):
                half.unlink(missing_ok=True)
            reason = error.strerror or type(error).__name__
            raise FixfirstError(f"{path}: cannot be written ({reason}). Fix: free some space, and run again.") from None


def _each(arrays: Arrays) -> Iterator[tuple[str, NDArray[Any]]]:
    return ((f"{number:02d}", one) for number, one in enumerate(arrays))


def _total(found: Iterator[Total]) -> Total:
    """Sums in float64, in the order of the blocks, so that it does not matter which block was finished first."""
    sums: list[NDArray[Any]] = []
    rows: list[list[NDArray[Any]]] = []
    for one in found:
        if not sums and not rows:
            sums = [np.array(part, dtype=np.float64) for part in one.sums]
            rows = [[] for _ in one.rows]
        else:
            for total, part in zip(sums, one.sums, strict=True):
                total += part
        for listed, part in zip(rows, one.rows, strict=True):
            listed.append(part)
    return Total(tuple(sums), tuple(np.concatenate(listed) for listed in rows))
