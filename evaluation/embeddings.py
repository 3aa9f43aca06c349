"""Embedding tables as `fixfirst embed` writes them: a name and a vector a row."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from cleaning.data import FloatMatrix, checked_features
from cleaning.errors import InvalidInput, Place, first_three
from evaluation.files import plain_errors


@dataclass(frozen=True, eq=False)
class Embedded:
    """Names (paths below the embedded folder) in ascending order, and their vectors (n, d)."""

    names: tuple[str, ...]
    features: FloatMatrix

    def folders(self) -> tuple[str, ...]:
        """The folder each name lies in: the label, where a folder is a class."""
        return tuple(PurePosixPath(name).parent.name for name in self.names)

    def stems(self, where: Path) -> tuple[str, ...]:
        """Names without folder and last suffix. Raises InvalidInput where two are the same."""
        stems = tuple(PurePosixPath(name).stem for name in self.names)
        first: dict[str, str] = {}
        for stem, name in zip(stems, self.names, strict=True):
            if first.setdefault(stem, name) != name:
                raise InvalidInput(where, f"{name!r} and {first[stem]!r} have the same id {stem!r}", "rename one")
        return stems


def read_embeddings(path: Path) -> Embedded:
    """The columns filename and encoding, rows sorted by name. Raises InvalidInput for missing or double ones."""
    table = read_table(path, ("filename", "encoding"))
    names = names_of(path, table)
    try:
        features = checked_features(encodings(path, table["encoding"]))
    except InvalidInput as error:
        raise error.within(path) from None
    order = sorted(range(len(names)), key=names.__getitem__)
    if order != list(range(len(names))):
        features = checked_features(features[order])
    return Embedded(tuple(names[row] for row in order), features)


def count_rows(path: Path) -> int:
    """How many rows a table of embeddings has. Raises InvalidInput for no parquet, or one without its columns."""
    with _parquet(path, ("filename", "encoding")) as file:
        return int(file.metadata.num_rows)


def read_batches(path: Path, size: int = 4096) -> Iterator[tuple[int, list[str], FloatMatrix]]:
    """The rows of a table of embeddings in batches: the number of the first, names, which may repeat, and vectors.

    Raises InvalidInput that names the row as `read_embeddings` does; batches may differ in width.
    """
    import pyarrow as pa

    first = 0
    with _parquet(path, ("filename", "encoding")) as file:
        for batch in file.iter_batches(size, columns=["filename", "encoding"]):
            table = pa.Table.from_batches([batch])
            _refuse_nulls(path, table, first)
            yield first, _texts(path, table), encodings(path, table["encoding"], first)
            first += len(batch)


def read_table(path: Path, columns: tuple[str, ...]) -> Any:
    """These columns of a parquet file, without nulls."""
    if not path.exists():
        raise InvalidInput(path, "there is no such file", "run `fixfirst download`, or `fixfirst embed FOLDER`")
    with _parquet(path, columns) as file:
        table = file.read(columns=list(columns))
    _refuse_nulls(path, table, 0)
    if not table.num_rows:
        raise InvalidInput(path, "there are no rows", "embed at least one picture")
    return table


@contextmanager
def _parquet(path: Path, columns: tuple[str, ...]) -> Iterator[Any]:
    """The open file, which has these columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with plain_errors(path, "read the file"), pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            missing = [name for name in columns if name not in names]
            if missing:
                raise InvalidInput(
                    path, f"there is no column {missing[0]!r} (columns: {', '.join(names)})", "embed again"
                )
            yield file
    except pa.ArrowException as error:
        raise InvalidInput(path, f"this is not a readable parquet file ({error})", "embed again") from error


def _refuse_nulls(path: Path, table: Any, first: int) -> None:
    for name in table.column_names:
        empty = np.flatnonzero(table[name].is_null().to_numpy())
        if len(empty):
            raise InvalidInput(Place(path, column=name, row=int(first + empty[0])), "there is no value", "embed again")


def _texts(path: Path, table: Any) -> list[str]:
    import pyarrow as pa

    kind = table["filename"].type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InvalidInput(Place(path, column="filename"), f"{kind} where names are expected", "store text")
    return [str(name) for name in table["filename"].to_pylist()]


def names_of(path: Path, table: Any) -> list[str]:
    """The column filename: text, each name once."""
    names = _texts(path, table)
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1}) if len(names) < 10_000 else ["…"]
        raise InvalidInput(
            Place(path, column="filename"), f"names that stand there twice ({first_three(twice)})", "keep one"
        )
    return names


def encodings(path: Path, column: Any, first: int = 0) -> FloatMatrix:
    """The vectors of a parquet column as a matrix (n, d). Raises InvalidInput for ragged rows and missing numbers.

    first: the row of the file at which the column starts.
    """
    import pyarrow as pa

    kind = column.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list or not pa.types.is_floating(kind.value_type):
        raise InvalidInput(
            Place(path, column="encoding"), f"{kind} where lists of floats are expected", "store list<float>"
        )
    array = column.combine_chunks()
    values = array.flatten()
    lengths = np.full(len(array), kind.list_size) if pa.types.is_fixed_size_list(kind) else np.diff(array.offsets)
    odd = np.flatnonzero(lengths != lengths[0]) if len(lengths) else lengths
    if len(odd):
        raise InvalidInput(
            Place(path, column="encoding", row=int(first + odd[0])),
            f"{lengths[odd[0]]} numbers where row {first} has {lengths[0]} "
            f"(odd rows, {first_three((first + odd).tolist())})",
            "embed every row with the same network",
        )
    if values.null_count:
        row = first + int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0] // lengths[0])
        raise InvalidInput(Place(path, column="encoding", row=int(row)), "a number is missing", "re-embed the row")
    width = int(lengths[0]) if len(lengths) else 1
    numbers = values.to_numpy(zero_copy_only=False)
    matrix: FloatMatrix = numbers.astype(np.float64 if numbers.dtype == np.float64 else np.float32).reshape(
        len(array), width
    )
    return matrix
