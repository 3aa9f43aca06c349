"""Large columns of a table, copied into an npy in parts, so that they need not be in memory."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import numpy as np

from cleaning.belief.blocks.stored import naming_rows
from cleaning.data import FloatMatrix, FloatVector, IntMatrix, refuse_overflow
from cleaning.errors import InvalidInput, count_of
from cleaning.labels.classes import UNLABELLED
from cleaning.labels.votes import Votes
from cleaning.vectors.scaling import centre_of, stride
from evaluation.files.npy import read_npy
from evaluation.files.whole import plain_errors, written_whole
from evaluation.labels.forms.pictures import Surroundings
from evaluation.labels.forms.tables import Table

# Columns that need more bytes in memory are copied.
_MOST_BYTES = 500_000_000
# More votes (rows × annotators) than this are kept in a file, which is written in so many rows at a time.
_MOST_VOTES, _BATCH = 4_000_000, 65_536
_TOO_MANY_VOTES = 2_000_000_000
# The end of a copy's name: a hash of what was copied.
_HASH_BYTES = 8
_VOTES = "votes"
_OF_A_COPY = re.compile(rf"_[0-9a-f]{{{2 * _HASH_BYTES}}}")


def vectors_of(table: Table, column: str, around: Surroundings) -> FloatMatrix:
    """A column of lists of numbers, (n, d); a large one of a parquet file memory-mapped, in float32 if it can be.

    The copy is kept beside the embeddings of pictures, and used again while the table is the same.
    """
    if table.form != "parquet" or around.cache is None:
        return table.vectors(column)
    path = _copy(table, column, around.cache, around.cache.stem)
    if not _is_whole(path):
        first = next(table.vectors_by_parts(column))
        if 4 * table.rows * first.shape[1] <= _MOST_BYTES:
            return table.vectors(column)
        _write(path, table, column, None if first.dtype == np.float32 else _centre(table, column))
    return np.asanyarray(read_npy(path))


def _is_whole(path: Path) -> bool:
    """Whether there is a copy that can be read; one that somebody damaged is made again."""
    try:
        return path.is_file() and read_npy(path).ndim > 1
    except InvalidInput:
        return False


def numbers_of(table: Table, columns: Sequence[str], cache: Path) -> FloatMatrix:
    """Columns of numbers, (n, len(columns)), memory-mapped, in float32; the copy is kept beside `cache`."""
    path = _copy(table, repr(list(columns)), cache, "probabilities")
    if not _is_whole(path):
        _remove_others(path)
        header = _header(table.rows, len(columns), by_column=table.by_column)
        with written_whole(path) as half, half.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, header)
            for part in table.numbers_by_parts(columns):
                file.write(part.astype("<f4").tobytes("F" if table.by_column else "C"))
    return np.asanyarray(read_npy(path))


def kept_votes(write: Callable[[IntMatrix], Votes], shape: tuple[int, int], table: Table, cache: Path | None) -> Votes:
    """The votes that `write` makes of a matrix of this shape, in which it puts them: it holds no vote.

    Many are memory-mapped, in a file beside `cache`, unless its folder may only be read. table: where they are. Raises
    InvalidInput for more than a disk should hold.
    """
    rows, annotators = shape
    if rows * annotators > _TOO_MANY_VOTES:
        problem = f"{annotators} annotators of {rows} rows are more than can be looked at"
        raise InvalidInput(table.path, problem, "name the column that says who labelled: --annotator-column=NAME")
    locked = cache is not None and cache.parent.exists() and not os.access(cache.parent, os.W_OK)
    if cache is None or locked or rows * annotators <= _MOST_VOTES:
        return write(np.full(shape, UNLABELLED, dtype=np.int64))
    path = _copy(table, _VOTES, cache, _VOTES)
    _remove_others(path)
    with written_whole(path) as half:
        with half.open("wb") as file:  # a full disk is noticed here, and not where the mapped file is written to
            np.lib.format.write_array_header_1_0(file, _header(rows, annotators, kind="<i4"))
            for start in range(0, rows, _BATCH):
                file.write(np.full((min(rows - start, _BATCH), annotators), UNLABELLED, dtype="<i4").tobytes())
        matrix = np.load(half, mmap_mode="r+")
        votes = write(matrix)
        matrix.flush()
    return replace(votes, codes=np.asanyarray(read_npy(path)))


@contextmanager
def votes_removed_if_refused(cache: Path | None) -> Iterator[None]:
    """If the block fails, removes the file of votes that `kept_votes` has added beside `cache` in it."""
    before = set() if cache is None else _copies(cache.parent, _VOTES)
    try:
        yield
    except BaseException:
        if cache is not None:
            _remove(_copies(cache.parent, _VOTES) - before)
        raise


def _header(rows: int, columns: int, *, by_column: bool = False, kind: str = "<f4") -> dict[str, object]:
    return {"descr": kind, "fortran_order": by_column, "shape": (rows, columns)}


def _remove_others(path: Path) -> None:
    """Removes copies with other names than this one, which another process may read until it is replaced."""
    _remove(_copies(path.parent, path.stem.rpartition("_")[0]) - {path})


def _copies(folder: Path, stem: str) -> set[Path]:
    """The copies of this kind, and no file that somebody named by hand."""
    return {path for path in folder.glob(f"{stem}_*.npy") if _OF_A_COPY.fullmatch(path.stem.removeprefix(stem))}


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink()


def _copy(table: Table, what: str, cache: Path, stem: str) -> Path:
    """Where the copy of columns of the table as it is now is kept."""
    with plain_errors(table.path, "look at the file"):
        state = table.path.stat()
    name = blake2b(f"{what} {state.st_mtime_ns} {state.st_size}".encode(), digest_size=_HASH_BYTES).hexdigest()
    return cache.with_name(f"{stem}_{name}.npy")


def _centre(table: Table, column: str) -> FloatVector | None:
    """What `centre_of` all rows is, from a pass through the file."""
    step, done, found = stride(table.rows), 0, list[FloatMatrix]()
    for part in _parts(table, column):
        found.append(part[-done % step :: step].copy())
        done += len(part)
    return centre_of(np.concatenate(found))


def _parts(table: Table, column: str) -> Iterator[FloatMatrix]:
    """The parts of a column. Raises InvalidInput for one of another width than the first."""
    width, done = 0, 0
    for part in table.vectors_by_parts(column):
        width = width or part.shape[1]
        if part.shape[1] != width:
            problem = f"{count_of(part.shape[1], 'number')} where row 0 has {width}"
            raise InvalidInput(table.place(column, done), problem, "embed every row with the same network")
        yield part
        done += len(part)


def _write(path: Path, table: Table, column: str, centre: FloatVector | None) -> None:
    """Writes the copy: in float64 if there is a centre, since float32 would blur what is far from 0."""
    _remove_others(path)
    done, kind = 0, "<f4" if centre is None else "<f8"
    with written_whole(path) as half, half.open("wb") as file:
        for part in _parts(table, column):
            if not done:
                np.lib.format.write_array_header_1_0(file, _header(table.rows, part.shape[1], kind=kind))
            with naming_rows(table.place(column), done):
                refuse_overflow(part if centre is None else part - centre, np.dtype(np.float32), "features")
            file.write(part.astype(kind).tobytes())
            done += len(part)
