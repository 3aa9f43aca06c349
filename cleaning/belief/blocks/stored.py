"""Rows of numbers in a file."""

import mmap
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatVector, IntVector
from cleaning.errors import InvalidInput, Place

Single = NDArray[np.float32]
Digests = NDArray[np.uint64]


@contextmanager
def naming_rows(place: Place, start: int) -> Iterator[None]:
    """An error about a row of the rows from `start` on names this place, and the row among all rows."""
    try:
        yield
    except InvalidInput as error:
        row = start + error.place.row if isinstance(error.place.row, int) else error.place.row
        problem = error.problem.partition(" (affected rows")[0]
        raise InvalidInput(replace(place, row=row), problem, error.fix) from None


@dataclass(frozen=True, eq=False)
class Scale:
    """What is taken off each column, and what the rest is divided by, (d,) each."""

    mean: FloatVector
    deviation: FloatVector

    @classmethod
    def standard(cls, parts: Callable[[], Iterable[Single]]) -> "Scale":
        """What gives each column mean 0 and deviation 1.

        parts: returns all rows, some of them at a time; called twice. There has to be a row.
        """
        rows, total, squares = 0, np.zeros(1), np.zeros(1)
        for part in parts():
            rows, total = rows + len(part), total + part.sum(axis=0, dtype=np.float64)
        mean = total / rows
        for part in parts():
            squares = squares + ((part - mean) ** 2).sum(axis=0)
        deviation = np.sqrt(squares / rows)
        return cls(mean, np.where(deviation > 1e-6 * np.abs(mean), deviation, 1.0))

    def of(self, rows: NDArray[Any]) -> Single:
        """These rows, scaled."""
        return np.asarray((rows - self.mean) / self.deviation, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Stored:
    """A matrix (n, d) in a file: from byte `offset`, numbers of the type `dtype`, column after column if `by_column`.

    It can be sent to other processes. Those of a cluster have to see the file under the same path. place: what errors
    name in place of this file. centre (d,): taken off all that is read before it becomes float32; scale: applied
    to it afterwards. None: nothing is done.
    """

    path: str
    offset: int
    dtype: str
    shape: tuple[int, int]
    by_column: bool
    place: Place
    scale: Scale | None = None
    centre: FloatVector | None = None

    @classmethod
    def of(cls, matrix: NDArray[Any], place: Place | None = None) -> "Stored | None":
        """Where a memory-mapped matrix of numbers is stored; None for any other array."""
        base: object = matrix.base  # a part of a mapped matrix has that as its base, and keeps its offset
        if not isinstance(matrix, np.memmap) or not isinstance(base, mmap.mmap):
            return None
        flags = matrix.flags
        if matrix.ndim != 2 or matrix.dtype.kind not in "fiub" or not (flags.c_contiguous or flags.f_contiguous):
            return None
        rows, columns = matrix.shape
        path, offset = str(matrix.filename), int(matrix.offset)
        where = place or Place(Path(path))
        return cls(path, offset, matrix.dtype.str, (rows, columns), not flags.c_contiguous, where)

    def __len__(self) -> int:
        return self.shape[0]

    def block(self, start: int, stop: int) -> Single:
        """These rows, read from the file."""
        return self.scaled(self.raw(start, stop))

    def raw(self, start: int, stop: int) -> NDArray[Any]:
        """The numbers of these rows in the file."""
        with self._readable():
            return self._mapped()[start:stop] if self.by_column else self._read(start, stop)

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """An error in reading names the file."""
        try:
            yield
        except OSError as error:
            fix = "check that it is there; on a cluster, give a path that every worker sees"
            raise InvalidInput(self.place, f"{self._name} cannot be read ({error.strerror})", fix) from None
        except ValueError:
            fix = "restore it, and run the command again"
            raise InvalidInput(self.place, f"{self._name} has become shorter", fix) from None

    @property
    def _name(self) -> str:
        """How the file is called in an error about the place, which may be one that the file is a copy of."""
        path, named = Path(self.path), self.place.path
        return "it" if named is None or named.name == path.name else f"its copy in {path.parent.name}"

    def take(self, rows: IntVector) -> Single:
        """A few rows, in this order."""
        return self.scaled(self.chosen(rows))

    def chosen(self, rows: IntVector) -> NDArray[Any]:
        """The numbers of a few rows in the file, in this order."""
        with self._readable():
            return np.array(self._mapped()[rows])

    def scaled(self, rows: NDArray[Any]) -> Single:
        """Rows of the file as they are judged."""
        with np.errstate(over="ignore"):
            single = np.asarray(rows if self.centre is None else rows - self.centre, dtype=np.float32, order="C")
        return single if self.scale is None else self.scale.of(single)

    def _read(self, start: int, stop: int) -> NDArray[Any]:
        """These rows of a file in C order. Raises ValueError if there are fewer."""
        kind, width = np.dtype(self.dtype), self.shape[1]
        found = np.fromfile(self.path, kind, (stop - start) * width, offset=self.offset + start * width * kind.itemsize)
        return found.reshape(stop - start, width)

    def _mapped(self) -> NDArray[Any]:
        order: Literal["F", "C"] = "F" if self.by_column else "C"
        return np.memmap(self.path, np.dtype(self.dtype), "r", self.offset, self.shape, order)
