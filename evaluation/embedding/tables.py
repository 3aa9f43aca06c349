"""Reads embedding tables as written by `fixfirst embed`: one name and one vector per row."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from cleaning.data import FloatMatrix, checked_features
from cleaning.errors import InvalidInput, Place, first_three
from evaluation.files.names import composed
from evaluation.files.parquet import opened, read_columns, refuse_nulls, texts, vectors

_COLUMNS = ("filename", "encoding")
_FIX = "make it with `fixfirst embed FOLDER`, or get it with `fixfirst download`"


@dataclass(frozen=True, eq=False)
class Embedded:
    """Names (paths below the embedded folder, composed) in ascending order, and their vectors (n, d)."""

    names: tuple[str, ...]
    features: FloatMatrix

    def folders(self) -> tuple[str, ...]:
        """The folder of each name, which is the label if every class has its own folder."""
        return tuple(PurePosixPath(name).parent.name for name in self.names)

    def stems(self, where: Path) -> tuple[str, ...]:
        """The names without folder and last suffix. Raises InvalidInput if two are the same."""
        stems = tuple(PurePosixPath(name).stem for name in self.names)
        first: dict[str, str] = {}
        for stem, name in zip(stems, self.names, strict=True):
            if first.setdefault(stem, name) != name:
                raise InvalidInput(where, f"{name!r} and {first[stem]!r} have the same id {stem!r}", "rename one")
        return stems


def read_embeddings(path: Path) -> Embedded:
    """The columns filename and encoding, rows sorted by name.

    Raises InvalidInput for missing columns or values, or repeated names.
    """
    table = read_columns(path, _COLUMNS, _FIX)
    if not table.num_rows:
        raise InvalidInput(path, "there are no rows", "embed at least one image")
    names = _unique_names(path, table)
    try:
        features = checked_features(vectors(path, table, "encoding"))
    except InvalidInput as error:
        raise error.within(path) from None
    order = sorted(range(len(names)), key=names.__getitem__)
    if order != list(range(len(names))):
        features = checked_features(features[order])
    return Embedded(tuple(names[row] for row in order), features)


def count_rows(path: Path) -> int:
    """The number of rows in a table of embeddings. Raises InvalidInput for any other file."""
    with opened(path, _COLUMNS, _FIX) as file:
        return int(file.metadata.num_rows)


def read_batches(path: Path, size: int = 4096) -> Iterator[tuple[int, list[str], FloatMatrix]]:
    """The rows of a table of embeddings in batches: the number of the first row, the names, and the vectors.

    Names may repeat, and the width may differ between batches. Raises InvalidInput that names the row, as
    `read_embeddings` does.
    """
    import pyarrow as pa

    first = 0
    with opened(path, _COLUMNS, _FIX) as file:
        for batch in file.iter_batches(size, columns=list(_COLUMNS)):
            table = pa.Table.from_batches([batch])
            refuse_nulls(path, table, first)
            yield first, _names(path, table), vectors(path, table, "encoding", first)
            first += len(batch)


def _names(path: Path, table: Any) -> list[str]:
    return [composed(name) for name in texts(path, table, "filename")]


def _unique_names(path: Path, table: Any) -> list[str]:
    names = _names(path, table)
    if len(set(names)) < len(names):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        place = Place(path, column="filename")
        raise InvalidInput(place, f"names appear more than once ({first_three(repeated)})", "keep one of each")
    return names
