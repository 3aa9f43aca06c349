"""A file with the probabilities of the user's own model: an npy, or a table with one column per class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleaning.belief.blocks.stored import Stored
from cleaning.errors import InvalidInput, Place, count_of, suggest
from cleaning.labels.predicted import predicted_by_class, refuse_columns
from evaluation.files.npy import read_npy
from evaluation.labels.forms.spooled import numbers_of
from evaluation.labels.forms.tables import SUFFIXES, Table, open_table


def probabilities_stored(path: Path, names: Sequence[str], rows: int, cache: Path | None) -> Stored:
    """Where the (n, K) probabilities of n rows for the classes `names` are stored; the numbers are not looked at.

    cache: columns of a table are copied into a file beside it. Raises InvalidInput that names the file for anything but
    an npy with a matrix of n rows and a column per class, or a table with a column called like each class.
    """
    form = _form(path)
    if form is not None and cache is not None:
        table = _table(path, form, names)
        _refuse_rows(path, table.rows, rows)
        copied = Stored.of(numbers_of(table, names, cache), Place(path))
        assert copied is not None
        return copied
    matrix = read_npy(path)
    found = Stored.of(matrix, Place(path))
    if found is None or matrix.dtype.kind != "f":
        problem = f"the shape is {matrix.shape}, and the type {matrix.dtype}"
        raise InvalidInput(path, problem, "save a matrix of floats with numpy.save")
    _refuse_rows(path, len(found), rows)
    refuse_columns(found.shape[1], names, str(path))
    return found


def _refuse_rows(path: Path, found: int, rows: int) -> None:
    if found != rows:
        problem = f"{count_of(found, 'row')} for {count_of(rows, 'label')}"
        raise InvalidInput(path, problem, "give one row for every label")


def probabilities_in_file(path: Path, names: Sequence[str], rows: int) -> NDArray[np.float32]:
    """The (n, K) probabilities of n rows, in the order of the source, for the classes `names`.

    Raises InvalidInput that names the file for anything else.
    """
    form = _form(path)
    if form is None:
        found = predicted_by_class(read_npy(path), names, rows, str(path))
        return np.asarray(found, dtype=np.float32)
    frame = pd.DataFrame(_table(path, form, names).numbers(list(names)), columns=list(names))
    return np.asarray(predicted_by_class(frame, names, rows, str(path)), dtype=np.float32)


def _form(path: Path) -> str | None:
    """The form of a table; None for an npy. Raises InvalidInput for any other file."""
    form = SUFFIXES.get(path.suffix.lower())
    if not path.is_file() or (form is None and path.suffix.lower() != ".npy"):
        raise InvalidInput(path, "this is not a file of probabilities", f"give an npy, or {', '.join(SUFFIXES)}")
    return form


def _table(path: Path, form: str, names: Sequence[str]) -> Table:
    """The table. Raises InvalidInput if it lacks a column for a class."""
    table = open_table(path, form)
    missing = [name for name in names if name not in table.kinds]
    if missing:
        known = suggest(missing[0], table.kinds)
        raise InvalidInput(path, f"there is no column for the class {missing[0]!r}", known)
    return table
