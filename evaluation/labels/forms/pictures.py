"""Pictures, embedded on the way: those in a folder, and those stored inside a parquet file."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cleaning.data import FloatMatrix
from cleaning.errors import InvalidInput, Place
from cleaning.labels.evidence import Vectors
from evaluation.embedding.embed import LARGEST_FILE, Request, default_encoder, embed
from evaluation.files.parquet import read_columns, texts, vectors
from evaluation.files.progress import Reporter
from evaluation.files.whole import read_bytes
from evaluation.labels.forms.found import Options
from evaluation.labels.forms.tables import readable


@dataclass(frozen=True)
class Surroundings:
    """Where embeddings are kept from one run to the next (None: nowhere), and who is told about progress."""

    cache: Path | None
    reporter: Reporter


@dataclass(frozen=True, eq=False)
class Embedded:
    """The pictures that could be decoded: their names, vectors (n, d), content hashes, and the encoder."""

    names: tuple[str, ...]
    matrix: FloatMatrix
    hashes: tuple[str, ...]
    encoder: str

    def of(self, names: Sequence[str], place: Place) -> tuple[Vectors, tuple[str, ...]]:
        """The vectors and hashes of these pictures, in this order."""
        row = {name: number for number, name in enumerate(self.names)}
        order = np.array([row[name] for name in names], dtype=np.int64)
        return Vectors(self.matrix[order], place), tuple(self.hashes[number] for number in order.tolist())


def _embedded(
    path: Path,
    names: tuple[str, ...],
    options: Options,
    around: Surroundings,
    read: Callable[[str], bytes] | None = None,
) -> Embedded:
    """Embeds pictures, or takes the vectors of those with the same content from the last run."""
    encoder = options.encoder or default_encoder(around.reporter)
    with _kept(around.cache) as output:
        embed(
            Request(path, output, encoder, options.jobs, options.on_undecodable, names, read, options.network),
            around.reporter,
        )
        table = read_columns(output, ("filename", "encoding", "sha256"), "remove it and run the command again")
        hashes = tuple(one[:16] for one in texts(output, table, "sha256"))
        return Embedded(tuple(texts(output, table, "filename")), vectors(output, table, "encoding"), hashes, encoder)


def embed_folder(folder: Path, names: Sequence[str], options: Options, around: Surroundings) -> Embedded:
    """Embeds these pictures of a folder."""
    return _embedded(folder, tuple(names), options, around)


def embed_named(table: Path, names: Sequence[str], options: Options, around: Surroundings) -> Embedded:
    """Embeds the pictures that a table names by their paths below its folder."""
    strict = replace(options, on_undecodable="error")
    return _embedded(table, tuple(names), strict, around, partial(_read_below, table.parent))


def _read_below(folder: Path, name: str) -> bytes:
    return read_bytes(folder / name, LARGEST_FILE)


def embed_column(path: Path, column: str, rows: int, options: Options, around: Surroundings) -> Embedded:
    """Embeds the pictures stored in a column of a parquet file, in the order of its rows."""
    names = tuple(f"row {row:09d}" for row in range(rows))
    return _embedded(path, names, replace(options, on_undecodable="error"), around, StoredPictures(path, column))


def folder_picture(folder: Path, name: str) -> bytes | None:
    """The content of one picture, or None if it is no longer there."""
    try:
        return read_bytes(folder / name, LARGEST_FILE) if (folder / name).is_file() else None
    except InvalidInput:
        return None


class StoredPictures:
    """Reads the pictures of a parquet column, one row group at a time."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._starts: list[int] = []
        self._group: int = -1
        self._values: Any = None

    def __call__(self, name: str) -> bytes:
        """The picture of `row N`. Raises InvalidInput if there is none."""
        row = int(name.removeprefix("row "))
        content = self.row(row)
        if content is None:
            place = Place(self._path, column=self._column, row=row)
            raise InvalidInput(place, "there is no picture in this row", "store the bytes of the pictures in the file")
        return content

    def row(self, row: int) -> bytes | None:
        """The picture in a row, or None."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        with readable(self._path, "parquet"), pq.ParquetFile(self._path) as file:
            if not self._starts:
                counts = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
                self._starts = [0, *np.cumsum(counts).tolist()]
            group = int(np.searchsorted(self._starts, row, side="right")) - 1
            if group != self._group:
                self._group, self._values = group, file.read_row_group(group, columns=[self._column])[self._column]
        value = self._values[row - self._starts[group]]
        if pa.types.is_struct(self._values.type):
            value = value["bytes"] if value.is_valid else value
        found = value.as_py()
        return found if isinstance(found, bytes) else None

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_group": -1, "_values": None}


@contextlib.contextmanager
def _kept(cache: Path | None) -> Iterator[Path]:
    """The file for the embeddings: the cache, or a temporary one."""
    if cache is not None:
        yield cache
        return
    with TemporaryDirectory() as folder:
        yield Path(folder) / "embeddings.parquet"
