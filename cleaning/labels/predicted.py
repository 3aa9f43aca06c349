"""Probabilities of the user's own model, with one column per class in the order of the class names."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from cleaning.belief.told import probability_matrix
from cleaning.data import FloatMatrix
from cleaning.errors import InvalidInput, Place, count_of, first_three
from cleaning.labels.arrow import pandas_of
from cleaning.labels.classes import NUMBER


def predicted_by_class(values: Any, names: Sequence[str], rows: int, what: str, *, text: bool = False) -> FloatMatrix:
    """The (n, K) probabilities for the classes `names`, which are in natural order.

    values: a table whose columns are called like the classes, or a matrix whose columns are in the order of the names.
    text: the classes are text, even where they look like numbers. Raises InvalidInput for anything else, and for a
    matrix where the order of the classes is not certain: by the alphabet, as models count, or as people count.
    """
    values = pandas_of(values, what)
    if isinstance(values, pd.DataFrame):
        columns = [str(column) for column in values.columns]
        missing = [name for name in names if name not in columns]
        if missing or len(set(columns)) < len(columns):
            found = f"there is no column for the class {missing[0]!r}" if missing else "two columns have the same name"
            raise InvalidInput(what, found, "name the columns after the classes")
        values = values.iloc[:, [columns.index(name) for name in names]]
        return probability_matrix(values.to_numpy(), rows, len(names), what)
    matrix = probability_matrix(values, rows, len(names), what)
    refuse_columns(matrix.shape[1], names, what, text=text)
    return np.asarray(matrix)


def refuse_columns(columns: int, names: Sequence[str], what: str, *, text: bool = False) -> None:
    """Raises InvalidInput if there is not one column per class, or if the order of the columns is ambiguous."""
    if columns != len(names):
        found = f"{count_of(columns, 'column')} for {count_of(len(names), 'class')} ({first_three(names)})"
        raise InvalidInput(what, found, "give one column for every class, in the order of the names")
    numbers = all(NUMBER.fullmatch(name) for name in names) and not text
    by_alphabet = sorted(names)
    if not numbers and by_alphabet != list(names):
        other = next(pair for pair in zip(names, by_alphabet, strict=True) if pair[0] != pair[1])
        place = Place(key=what, column=str(next(i for i, name in enumerate(names) if name == other[0])))
        found = f"it may be the class {other[0]!r} or, by the alphabet, {other[1]!r}"
        raise InvalidInput(place, found, "name the columns: a DataFrame, or a csv with the classes in its first line")
