"""Embedding tables as `fixfirst embed` writes them: a name and a vector a row."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from cleaning.data import FloatMatrix, checked_features
from cleaning.errors import InvalidInput, first_three
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
                raise InvalidInput(str(where), f"{name!r} and {first[stem]!r} have the same id {stem!r}", "rename one")
        return stems


def read_embeddings(path: Path) -> Embedded:
    """The columns filename and encoding, rows sorted by name. Raises InvalidInput for missing or double ones."""
    table = read_table(path, ("filename", "encoding"))
    names = names_of(path, table)
    try:
        features = checked_features(encodings(path, table["encoding"]))
    except InvalidInput as error:
        where = error.where if error.where.startswith(str(path)) else f"{path}, {error.where}"
        raise InvalidInput(where, error.problem, error.fix) from None
    order = sorted(range(len(names)), key=names.__getitem__)
    if order != list(range(len(names))):
        features = checked_features(features[order])
    return Embedded(tuple(names[row] for row in order), features)


def read_table(path: Path, columns: tuple[str, ...]) -> Any:
    """These columns of a parquet file, without nulls."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.exists():
        raise InvalidInput(str(path), "there is no such file", "run `fixfirst download`, or `fixfirst embed FOLDER`")
    try:
        with plain_errors(path, "read the file"):
            names = pq.read_schema(path).names
            missing = [name for name in columns if name not in names]
            if missing:
                raise InvalidInput(
                    str(path), f"there is no column {missing[0]!r} (columns: {', '.join(names)})", "embed again"
                )
            table = pq.read_table(path, columns=list(columns))
    except pa.ArrowException as error:
        raise InvalidInput(str(path), f"this is not a readable parquet file ({error})", "embed again") from error
    for name in columns:
        empty = np.flatnonzero(table[name].is_null().to_numpy())
        if len(empty):
            raise InvalidInput(f"{path}, column {name}, row {empty[0]}", "there is no value", "embed again")
    if not table.num_rows:
        raise InvalidInput(str(path), "there are no rows", "embed at least one picture")
    return table


def names_of(path: Path, table: Any) -> list[str]:
    """The column filename: text, each name once."""
    import pyarrow as pa

    kind = table["filename"].type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise InvalidInput(f"{path}, column filename", f"{kind} where names are expected", "store text")
    names = table["filename"].to_pylist()
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1}) if len(names) < 10_000 else ["…"]
        raise InvalidInput(
            f"{path}, column filename", f"names that stand there twice ({first_three(twice)})", "keep one"
        )
    return [str(name) for name in names]


def encodings(path: Path, column: Any) -> FloatMatrix:
    """The vectors of a parquet column as a matrix (n, d). Raises InvalidInput for ragged rows and missing numbers."""
    import pyarrow as pa

    kind = column.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list or not pa.types.is_floating(kind.value_type):
        raise InvalidInput(
            f"{path}, column encoding", f"{kind} where lists of floats are expected", "store list<float>"
        )
    array = column.combine_chunks()
    values = array.flatten()
    lengths = np.full(len(array), kind.list_size) if pa.types.is_fixed_size_list(kind) else np.diff(array.offsets)
    odd = np.flatnonzero(lengths != lengths[0]) if len(lengths) else lengths
    if len(odd):
        raise InvalidInput(
            f"{path}, column encoding, row {odd[0]}",
            f"{lengths[odd[0]]} numbers where row 0 has {lengths[0]} (odd rows, {first_three(odd.tolist())})",
            "embed every row with the same network",
        )
    if values.null_count:
        row = int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0] // lengths[0])
        raise InvalidInput(f"{path}, column encoding, row {row}", "a number is missing", "re-embed the row")
    width = int(lengths[0]) if len(lengths) else 1
    numbers = values.to_numpy(zero_copy_only=False)
    matrix: FloatMatrix = numbers.astype(np.float64 if numbers.dtype == np.float64 else np.float32).reshape(
        len(array), width
    )
    return matrix
