"""Rows of numbers in a file, and the blocks that they are read in."""

import math
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.data import IntVector
from cleaning.errors import InvalidInput, Place

Single = NDArray[np.float32]
Digests = NDArray[np.uint64]

# A block has about this share of the rows, but no fewer and no more rows than that.
_BLOCKS, FEWEST_ROWS, _MOST_ROWS = 256, 16_384, 262_144


@dataclass(frozen=True)
class Stored:
    """A matrix (n, d) in C order in a file: from byte `offset`, numbers of the type `dtype`.

    It can be sent to other processes. Those of a cluster have to see the file under the same path.
    """

    path: str
    offset: int
    dtype: str
    shape: tuple[int, int]

    @classmethod
    def of(cls, matrix: NDArray[Any]) -> "Stored | None":
        """Where a memory-mapped matrix of floats is stored; None for any other array."""
        base: object = matrix.base  # a part of a mapped matrix has that as its base, and keeps its offset
        if not isinstance(matrix, np.memmap) or not isinstance(base, mmap.mmap):
            return None
        if matrix.ndim != 2 or matrix.dtype.kind != "f" or not matrix.flags.c_contiguous:
            return None
        rows, columns = matrix.shape
        return cls(str(matrix.filename), int(matrix.offset), matrix.dtype.str, (rows, columns))

    def __len__(self) -> int:
        return self.shape[0]

    def block(self, start: int, stop: int) -> Single:
        """These rows, read from the file."""
        kind, width = np.dtype(self.dtype), self.shape[1]
        at = self.offset + start * width * kind.itemsize
        try:
            found = np.fromfile(self.path, kind, (stop - start) * width, offset=at)
        except OSError as error:
            fix = "give a path that every worker sees" if isinstance(error, FileNotFoundError) else "check the file"
            raise InvalidInput(Path(self.path), f"it cannot be read ({error.strerror})", fix) from None
        if len(found) < (stop - start) * width:
            raise InvalidInput(Path(self.path), "it has become shorter", "restore it, and run the command again")
        with np.errstate(over="ignore"):
            return np.asarray(found.reshape(-1, width), dtype=np.float32)

    def take(self, rows: IntVector) -> Single:
        """A few rows, in this order."""
        mapped = np.memmap(self.path, np.dtype(self.dtype), "r", self.offset, self.shape)
        return np.asarray(mapped[rows], dtype=np.float32)

    @contextmanager
    def naming_rows(self, start: int) -> Iterator[None]:
        """An error about a row of the rows from `start` on names the file, and the row in it."""
        try:
            yield
        except InvalidInput as error:
            place = Place(Path(self.path), row=start + int(error.place.row or 0))
            raise InvalidInput(place, error.problem.partition(" (affected rows")[0], error.fix) from None


@dataclass(frozen=True, eq=False)
class Block:
    """The rows from `start` to `stop`: codes (b,) are their classes, negative for none; digests (b,) their contents.

    common (b,): the class that most labels of equal rows name; negative for a row without a label.
    """

    start: int
    stop: int
    codes: IntVector
    digests: Digests
    common: IntVector

    def parts(self, rows: int) -> list[slice]:
        """Slices of the block with up to so many rows."""
        count = self.stop - self.start
        return [slice(at, min(at + rows, count)) for at in range(0, count, rows)]


def block_rows(n: int) -> int:
    """How many of n rows are a block."""
    return min(max(math.ceil(n / _BLOCKS), FEWEST_ROWS), _MOST_ROWS)


def blocks_of(codes: IntVector, digests: Digests, common: IntVector, rows: int) -> list[Block]:
    """The blocks of all rows."""
    slices = [slice(at, min(at + rows, len(codes))) for at in range(0, len(codes), rows)]
    return [Block(part.start, part.stop, codes[part], digests[part], common[part]) for part in slices]
