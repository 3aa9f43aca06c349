"""parquet and feather files with corrected labels. The values of all other columns stay as they are."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cleaning.errors import InvalidInput, Place, count_of
from evaluation.files.whole import plain_errors, written_whole
from evaluation.labels.apply.corrections import Corrections, as_stored, column_for_old

_HUGGING_FACE = b"huggingface"


@dataclass(frozen=True)
class LabelColumn:
    """Where the labels of a table are.

    name: added if it is not there. names: of the classes that the numbers in the column stand for, if the file has any.
    like: a column that is added stores numbers and flags as these columns do.
    """

    name: str
    names: list[str] | None = None
    like: tuple[str, ...] = ()


def write_arrow_table(
    path: Path, form: str, column: LabelColumn | None, corrections: Corrections, output: Path
) -> None:
    """Writes the table with the labels in `column` corrected and the old ones in a new last column.

    form: parquet or feather. column: None for a table that needs no labels. The row groups of a parquet file stay as
    they are.
    """
    import pyarrow as pa

    try:
        with plain_errors(path, "read the file"):
            write = _write_parquet if form == "parquet" else _write_feather
            write(path, column, corrections, output)
    except pa.ArrowException as error:
        raise InvalidInput(path, f"this is not a readable table ({error})", "rank the data again") from error


def _write_parquet(path: Path, column: LabelColumn | None, corrections: Corrections, output: Path) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file, written_whole(output) as place:
        there = column is not None and column.name in file.schema_arrow.names
        stored = file.read(columns=[column.name])[column.name] if column is not None and there else None
        _refuse_length(path, file.metadata.num_rows, corrections)
        labels = _labels(path, column, file.schema_arrow, stored, corrections)
        name = None if column is None else column.name
        compression = _compression(file.metadata)
        writer = None
        for table in _groups(file, labels, name, corrections):
            if writer is None:
                writer = pq.ParquetWriter(place, table.schema, compression=compression, version="2.6")
            writer.write_table(table, row_group_size=max(len(table), 1))
        if writer is not None:
            writer.close()


def _write_feather(path: Path, column: LabelColumn | None, corrections: Corrections, output: Path) -> None:
    from pyarrow import feather

    table = feather.read_table(path)
    name = None if column is None else column.name
    stored = table[name] if name in table.column_names else None
    _refuse_length(path, len(table), corrections)
    labels = _labels(path, column, table.schema, stored, corrections)
    with written_whole(output) as place:
        feather.write_feather(_changed(table, labels, name, 0, corrections), str(place))


def _groups(file: Any, labels: tuple[Any, Any], column: str | None, corrections: Corrections) -> Iterator[Any]:
    """The changed row groups; one empty table if there are none."""
    start = 0
    for number in range(file.num_row_groups):
        table = file.read_row_group(number)
        yield _changed(table, labels, column, start, corrections)
        start += len(table)
    if not file.num_row_groups:
        yield _changed(file.read(), labels, column, 0, corrections)


def _changed(table: Any, labels: tuple[Any, Any], column: str | None, start: int, corrections: Corrections) -> Any:
    """The rows from `start` on, with new labels, old labels, and without the dropped rows."""
    if column is not None:
        table = _relabelled(table, column, *(part.slice(start, len(table)) for part in labels))
    kept = corrections.kept
    rows = kept[np.searchsorted(kept, start) : np.searchsorted(kept, start + len(table))] - start
    return table if len(rows) == len(table) else table.take(rows)


def _relabelled(table: Any, column: str, new: Any, old: Any) -> Any:
    """The table with new labels, and the old ones in a new last column."""
    old_name = column_for_old([*table.column_names, column])
    if column in table.column_names:
        place = table.column_names.index(column)
        table = table.set_column(place, table.schema.field(place), new)
    else:
        table = table.append_column(column, new)
    table = table.append_column(old_name, old)
    return table.replace_schema_metadata(_with_feature(table.schema.metadata, column, old_name))


def _with_feature(metadata: dict[bytes, bytes] | None, column: str, old_name: str) -> dict[bytes, bytes] | None:
    """The metadata in which Hugging Face's datasets describe every column, with the new column described as well."""
    try:
        content = json.loads((metadata or {})[_HUGGING_FACE])
        content["info"]["features"][old_name] = content["info"]["features"][column]
    except (KeyError, TypeError, ValueError, RecursionError):
        return metadata
    return {**(metadata or {}), _HUGGING_FACE: json.dumps(content).encode()}


def _refuse_length(path: Path, count: int, corrections: Corrections) -> None:
    if count != len(corrections):
        problem = f"{count_of(count, 'row')} where the review has {len(corrections)}"
        raise InvalidInput(Place(path), problem, "rank the data again")


def _labels(
    path: Path, column: LabelColumn | None, schema: Any, stored: Any, corrections: Corrections
) -> tuple[Any, Any]:
    """The column of new labels and that of the old ones, in the type in which labels are stored."""
    import pyarrow as pa

    name, names = (None, None) if column is None else (column.name, column.names)
    place = Place(path, column=name)
    if stored is None:
        kind = _common_type([schema.field(one).type for one in column.like] if column is not None else [])
        parts = (corrections.label, corrections.given)
        values = [[None if one is None else _value(one, kind, None, place) for one in part] for part in parts]
        return pa.array(values[0], kind), pa.array(values[1], kind)
    values = stored.to_pylist()
    spelled = corrections.spelled(values)
    if names is not None:
        spelled |= {name: number for number, name in enumerate(names) if name not in spelled}
    kind = stored.type.value_type if pa.types.is_dictionary(stored.type) else stored.type
    for row in corrections.changed:
        name = str(corrections.label[row])
        if name not in spelled:
            spelled[name] = _value(name, kind, names, place)
        values[row] = spelled[name]
    return pa.array(values, kind).cast(stored.type), stored.combine_chunks()


def _common_type(kinds: Sequence[Any]) -> Any:
    """The type in which labels are stored that come from columns of these types: flags, whole numbers, else text."""
    import pyarrow as pa

    kinds = [kind.value_type if pa.types.is_dictionary(kind) else kind for kind in kinds]
    if kinds and all(map(pa.types.is_boolean, kinds)):
        return pa.bool_()
    if kinds and all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds):
        return pa.uint64() if any(map(pa.types.is_uint64, kinds)) else pa.int64()
    return pa.string()


def _value(name: str, kind: Any, names: list[str] | None, place: Place) -> Any:
    """How a class that no row has is stored."""
    import pyarrow as pa

    if names is not None:
        problem = f"the file names its classes, and {name!r} is not one of them"
        raise InvalidInput(place, problem, "add the class to the file, or take another label")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return name
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return name.encode()
    found = as_stored(name, np.dtype(kind.to_pandas_dtype()), place)
    return found.item() if isinstance(found, np.generic) else found


def _compression(metadata: Any) -> str:
    """The compression that most columns of the first row group have."""
    if not metadata.num_row_groups or not metadata.row_group(0).num_columns:
        return "snappy"
    group = metadata.row_group(0)
    found = [group.column(number).compression.lower() for number in range(group.num_columns)]
    usual = max(sorted(set(found)), key=found.count)
    return "none" if usual == "uncompressed" else str(usual)
