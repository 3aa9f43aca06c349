"""Parquet files: the one reader, by columns and strict about nulls and types, and the one writer."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, IntVector
from cleaning.errors import InvalidInput, Place, count_of, first_three
from evaluation.files.whole import plain_errors


def read_columns(path: Path, columns: Sequence[str], fix: str) -> Any:
    """The table of these columns, without nulls. fix: the advice for a file that cannot be used.

    Raises InvalidInput for a missing file, a file that is not parquet, a missing column, and a null.
    """
    if not path.is_file():
        raise InvalidInput(path, "there is no such file", fix)
    with opened(path, columns, fix) as file:
        table = file.read(columns=list(columns))
    refuse_nulls(path, table)
    return table


def column_names(path: Path) -> list[str]:
    """The names of the columns. Raises InvalidInput for a file that is not parquet."""
    with opened(path, (), "save the table again") as file:
        return list(file.schema_arrow.names)


@contextmanager
def opened(path: Path, columns: Sequence[str], fix: str) -> Iterator[Any]:
    """The open ParquetFile. Raises InvalidInput if it is not readable or lacks one of these columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with plain_errors(path, "read the file"), pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            missing = [name for name in columns if name not in names]
            if missing:
                raise InvalidInput(path, f"there is no column {missing[0]!r} (columns: {', '.join(names)})", fix)
            yield file
    except (pa.ArrowException, UnicodeDecodeError) as error:  # names of columns need not be UTF-8
        raise InvalidInput(path, f"this is not a readable parquet file ({error})", fix) from error


def refuse_nulls(path: Path, table: Any, first: int = 0) -> None:
    """Raises InvalidInput for the first null. first: the number, in the file, of the table's first row."""
    for name in table.column_names:
        if table[name].null_count:
            empty = np.flatnonzero(table[name].is_null().to_numpy())
            place = Place(path, column=name, row=int(first + empty[0]))
            raise InvalidInput(place, "there is no value", "fill it in, or drop the row")


def texts(path: Path, table: Any, column: str) -> list[str]:
    """A column of text. Raises InvalidInput for another type, and for a value that is not UTF-8."""
    import pyarrow as pa

    kind = table[column].type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InvalidInput(Place(path, column=column), f"{kind} where names are expected", "store text")
    try:
        return [str(name) for name in table[column].to_pylist()]
    except UnicodeDecodeError as error:
        place = Place(path, column=column)
        raise InvalidInput(place, f"{error.object!r} is not UTF-8 text", "store text as UTF-8") from None


def integers(path: Path, table: Any, column: str, fix: str) -> IntVector:
    """A column of whole numbers, (n,). Raises InvalidInput for another type."""
    import pyarrow as pa

    kind = table[column].type
    if not pa.types.is_integer(kind):
        raise InvalidInput(Place(path, column=column), f"{kind} where integers are expected", fix)
    return np.asarray(_numbers(table[column]))


def _numbers(column: Any) -> NDArray[Any]:
    """A column of numbers without nulls, (n,), read-only. The column's own `to_numpy` would import pandas."""
    whole: NDArray[Any] = np.from_dlpack(column.combine_chunks())
    return whole


def vectors(path: Path, table: Any, column: str, first: int = 0) -> FloatMatrix:
    """A column of lists of floats as a matrix (n, d). Raises InvalidInput for ragged rows and missing numbers.

    first: the number, in the file, of the table's first row.
    """
    import pyarrow as pa

    kind = table[column].type
    is_fixed = pa.types.is_fixed_size_list(kind)
    is_list = is_fixed or pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not is_list or not pa.types.is_floating(kind.value_type):
        raise InvalidInput(
            Place(path, column=column), f"{kind} where lists of floats are expected", "store list<float>"
        )
    array = table[column].combine_chunks()
    values = array.flatten()
    lengths = np.full(len(array), kind.list_size) if is_fixed else np.diff(np.from_dlpack(array.offsets))
    _refuse_ragged(Place(path, column=column), lengths, first)
    if values.null_count:
        row = first + int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0] // lengths[0])
        raise InvalidInput(Place(path, column=column, row=row), "a number is missing", "re-embed the row")
    width = int(lengths[0]) if len(lengths) else 1
    found: NDArray[Any] = np.from_dlpack(values)
    dtype = np.float64 if found.dtype == np.float64 else np.float32
    matrix: FloatMatrix = np.reshape(found.astype(dtype), (len(array), width))
    return matrix


def _refuse_ragged(place: Place, lengths: IntVector, first: int) -> None:
    odd = np.flatnonzero(lengths != lengths[0]) if len(lengths) else lengths
    if len(odd):
        raise InvalidInput(
            replace(place, row=int(first + odd[0])),
            f"{count_of(lengths[odd[0]], 'number')} where row {first} has {lengths[0]} "
            f"(such rows: {first_three((first + odd).tolist())})",
            "embed every row with the same network",
        )


def list_column(matrix: FloatMatrix) -> Any:
    """The rows of a matrix (n, d) as a column of list<float>."""
    import pyarrow as pa

    offsets = pa.array(np.arange(len(matrix) + 1, dtype=np.int32) * matrix.shape[1])
    return pa.ListArray.from_arrays(offsets, pa.array(matrix.astype(np.float32).ravel()))


def parquet_bytes(columns: Mapping[str, Any], metadata: Mapping[bytes, bytes] | None = None) -> bytes:
    """The bytes of a parquet file of these columns. The same columns give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(dict(columns))
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), buffer)
    return buffer.getvalue()
