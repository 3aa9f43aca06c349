"""Columns of labels and names, some rows at a time: their different values, and which of them each row has."""

from dataclasses import replace
from typing import Any

import numpy as np

from cleaning.data import IntVector
from cleaning.errors import InvalidInput, count_of
from cleaning.labels.classes import UNLABELLED, label_values
from evaluation.labels.forms.tables import Table


def coded_labels(table: Table, column: str, batch: Any, start: int) -> tuple[list[Any], IntVector]:
    """The different labels of some rows, from row `start` on, and which of them each row has, or UNLABELLED.

    batch: one of `Table.parts`. Numbers that the file has names for are these names. Raises InvalidInput for one that
    has none.
    """
    import pyarrow as pa

    with table.converted(column):
        found, places = _coded(batch.column(column), plain=table.kinds[column] in ("number", "text"))
        series = pa.chunked_array([found]).to_pandas(integer_object_nulls=True)
    values, known = label_values(series, table.place(column)), table.class_names.get(column)
    if known is None:
        return values, places
    for number, code in enumerate(values):
        if code is not None and code >= len(known):
            place = replace(table.place(column), row=start + int(np.argmax(places == number)))
            problem = f"label {code}, but the file names {count_of(len(known), 'class')}"
            raise InvalidInput(place, problem, "correct the label")
    return [None if code is None or code < 0 else known[code] for code in values], places


def coded_texts(table: Table, column: str, batch: Any) -> tuple[list[str | None], IntVector]:
    """The different values of some rows as text, None for none, and which of them each row has; -1 for the last one,
    which is None.
    """
    with table.converted(column):
        found, places = _coded(batch.column(column), plain=True)
        texts = [None if value is None or value == "" else str(value) for value in found.to_pylist()]
    return [*texts, None], places


def _coded(column: Any, *, plain: bool) -> tuple[Any, IntVector]:
    """plain: whether the values can be compared."""
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if plain:
        try:
            encoded = column.dictionary_encode()
            places = encoded.indices.fill_null(UNLABELLED).to_numpy(zero_copy_only=False)
        except pa.ArrowNotImplementedError:
            return _coded(column, plain=False)
        return encoded.dictionary, places.astype(np.int64)
    return column, np.arange(len(column))
