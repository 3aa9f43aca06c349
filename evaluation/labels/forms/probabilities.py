"""A file with the probabilities of the user's own model: an npy, or a table with one column per class."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleaning.belief.blocks.stored import Stored
from cleaning.errors import InvalidInput, Place, suggest
from cleaning.labels.predicted import predicted_by_class, refuse_columns
from evaluation.files.npy import read_npy
from evaluation.labels.forms.tables import SUFFIXES, open_table


def probabilities_stored(path: Path, names: Sequence[str], rows: int) -> Stored:
    """Where an npy has the (n, K) probabilities of n rows, which are not looked at.

    Raises InvalidInput that names the file for anything but a matrix of n rows with a column per class.
    """
    matrix = read_npy(path)
    found = Stored.of(matrix, Place(path))
    if found is None or matrix.dtype.kind != "f":
        problem = f"the shape is {matrix.shape}, and the type {matrix.dtype}"
        raise InvalidInput(path, problem, "save a matrix of floats with numpy.save")
    if len(found) != rows:
        raise InvalidInput(path, f"{len(found)} rows for {rows} labels", "give one row for every label")
    refuse_columns(found.shape[1], names, str(path))
    return found


def probabilities_in_file(path: Path, names: Sequence[str], rows: int) -> NDArray[np.float32]:
    """The (n, K) probabilities of n rows, in the order of the source, for the classes `names`.

    Raises InvalidInput that names the file for anything else.
    """
    form = SUFFIXES.get(path.suffix.lower())
    if not path.is_file() or (form is None and path.suffix.lower() != ".npy"):
        raise InvalidInput(path, "this is not a file of probabilities", f"give an npy, or {', '.join(SUFFIXES)}")
    if form is None:
        found = predicted_by_class(read_npy(path), names, rows, str(path))
        return np.asarray(found, dtype=np.float32)
    table = open_table(path, form)
    missing = [name for name in names if name not in table.kinds]
    if missing:
        known = suggest(missing[0], table.kinds)
        raise InvalidInput(path, f"there is no column for the class {missing[0]!r}", known)
    frame = pd.DataFrame(table.numbers(list(names)), columns=list(names))
    return np.asarray(predicted_by_class(frame, names, rows, str(path)), dtype=np.float32)
