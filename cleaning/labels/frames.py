"""Arrays and DataFrames as labels, ids and evidence."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cleaning.errors import InvalidInput, Place, suggest
from cleaning.labels.classes import Labels, encode_labels
from cleaning.labels.evidence import Columns, Evidence, Scaling, Texts, Vectors, column_of, encoder_of, numbered_run


@dataclass(frozen=True)
class Choice:
    """Which columns of a DataFrame are what, as `rank` takes them."""

    label: str | None
    features: Sequence[str] | None
    embeddings: str | None
    text: str | None
    scaling: Scaling | None
    classes: bool

    @property
    def named(self) -> bool:
        """Whether any column is named."""
        return any(part is not None for part in (self.label, self.features, self.embeddings, self.text))


@dataclass(frozen=True, eq=False)
class Given:
    """Rows as they were given. ids: of the index, if it has a name for every row; else row numbers."""

    evidence: Evidence
    labels: Labels
    ids: tuple[str, ...]


def given_rows(data: object, labels: object, choice: Choice, key: str) -> Given:
    """The rows of an array, or of a DataFrame with or without its labels. key: the name of the argument, for errors."""
    if not isinstance(data, pd.DataFrame) and hasattr(data, "to_pandas"):
        data = data.to_pandas()
    place = Place(key=key)
    if not isinstance(data, pd.DataFrame):
        if choice.named:
            raise InvalidInput(place, "it has no columns to name", "give a DataFrame, or leave the names out")
        matrix = _matrix(data, place)
        evidence: Evidence = Vectors(matrix, place, choice.scaling or "none")
        ids = tuple(str(row) for row in range(matrix.shape[0]))
    else:
        _refuse_unknown(data, choice, place)
        if labels is None and choice.label is None:
            raise InvalidInput(place, "there are no labels", "give y, or name their column: label=…")
        evidence = _of_frame(data, choice, place)
        ids = _ids(data.index)
    if labels is not None and choice.label is not None:
        raise InvalidInput("label", "labels are given as well", "give one of them")
    where = replace(place, column=choice.label) if labels is None else Place(key=f"labels of {key}")
    values = data[choice.label] if labels is None and isinstance(data, pd.DataFrame) else labels
    encoded = encode_labels(values, where, classes=choice.classes)
    if len(encoded.codes) != len(ids):
        raise InvalidInput(
            where, f"there are {len(encoded.codes)} labels for {len(ids)} rows", "give one for every row"
        )
    return Given(evidence, encoded, ids)


def _matrix(data: Any, place: Place) -> Any:
    """The array; ragged lists are refused with the row."""
    if isinstance(data, np.ndarray) or hasattr(data, "tocsr"):
        matrix = data
    elif hasattr(data, "__array__") and not isinstance(data, pd.Series):
        matrix = np.asarray(data)
    else:
        rows = list(data)
        widths = [len(row) if hasattr(row, "__len__") else 0 for row in rows]
        odd = next((row for row, width in enumerate(widths) if width != widths[0]), None)
        if odd is not None:
            found = f"{widths[odd]} numbers where row 0 has {widths[0]}"
            raise InvalidInput(replace(place, row=odd), found, "give one vector of the same length for every row")
        matrix = np.array(rows)
    if matrix.ndim < 2:
        raise InvalidInput(place, f"the shape is {matrix.shape}", "give a matrix, one row per label")
    return matrix


def _refuse_unknown(data: pd.DataFrame, choice: Choice, place: Place) -> None:
    named = [choice.label, choice.embeddings, choice.text, *(choice.features or ())]
    unknown = [name for name in named if name is not None and name not in data.columns]
    if unknown:
        known = suggest(str(unknown[0]), map(str, data.columns))
        raise InvalidInput(place, f"there is no column {unknown[0]!r}", known)
    if data.columns.has_duplicates:
        twice = data.columns[data.columns.duplicated()][0]
        raise InvalidInput(place, f"two columns are called {twice!r}", "rename one of them")
    by = [name for name in ("features", "embeddings", "text") if getattr(choice, name) is not None]
    if len(by) > 1:
        raise InvalidInput(" and ".join(by), "the rows are judged by one of them", "leave one of them out")


def _of_frame(data: pd.DataFrame, choice: Choice, place: Place) -> Evidence:
    if choice.embeddings is not None:
        where = replace(place, column=choice.embeddings)
        return Vectors(_matrix(data[choice.embeddings], where), where, choice.scaling or "none")
    if choice.text is not None:
        return Texts(list(data[choice.text].astype(object).where(data[choice.text].notna(), None)), place)
    names = choice.features or [name for name in data.columns if name != choice.label]
    columns = [column_of(str(name), data[name], place) for name in names]
    vector = all(column.kind == "number" for column in columns) and numbered_run([column.name for column in columns])
    evidence = Columns(columns, place, choice.scaling or ("none" if vector else "standard"))
    if vector and evidence.scaling == "none":
        return Vectors(encoder_of(evidence)(evidence), place)
    return evidence


def _ids(index: pd.Index) -> tuple[str, ...]:
    names = tuple(map(str, index))
    return names if len(set(names)) == len(names) else tuple(str(row) for row in range(len(names)))
