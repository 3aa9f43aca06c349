"""Columns of a table: what their values are, and whether they can be used."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from cleaning.errors import InvalidInput, Place
from cleaning.labels.classes import label_values

# A column of text with more different values than this is not one-hot encoded.
_MOST_LEVELS = 50
# Numbers at the ends of column names have no more digits than this.
_MOST_DIGITS = 9
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?([T ]\d\d?:\d\d.*)?|\d\d?[./]\d\d?[./]\d{2,4}( \d\d?:\d\d.*)?")


OLD_LABEL, NEW_LABEL = OF_REVIEWS = "label_before_review", "label_after_review"
"""The columns in which `fixfirst apply` keeps the old labels, and in which it puts the new ones beside the votes of
several annotators. Neither labels nor evidence come from them unless they are named.
"""

ID_NAMES = (
    ("id", "ids", "uid", "uuid", "image_id", "imageid", "row_id", "sample_id", "key"),
    ("filename", "file_name", "filepath", "file_path", "file", "path", "image", "image_path", "img", "name"),
    ("", "index", "unnamed: 0", "__index_level_0__"),
)
"""Names of ids, the better ones first; two of one line are an open question."""

LABEL_NAMES = ("label", "labels", "class", "target", "y", "category", "given_label")
"""Names of labels."""

NOT_JUDGED_BY = frozenset(name for names in ID_NAMES for name in names) - {"name", "image", "img"}
"""Names of columns that say nothing about the class."""


@dataclass(frozen=True)
class Column:
    """One column of a table. kind: what its values are. values: floats (NaN: none), or text (None: none)."""

    name: str
    kind: Literal["number", "text", "date", "other"]
    values: Any

    @property
    def levels(self) -> int:
        """How many different texts there are."""
        return len({value for value in self.values if value is not None})

    @property
    def is_empty(self) -> bool:
        """Whether no row has a value in it."""
        if self.kind == "number":
            return bool(np.isnan(self.values).all())
        return self.kind == "text" and all(value is None for value in self.values)

    @property
    def is_category(self) -> bool:
        """Whether one number per different text is a sensible encoding."""
        return self.kind == "text" and 0 < self.levels <= min(_MOST_LEVELS, max(2, len(self.values) // 2))


def column_of(name: str, values: object, place: Place) -> Column:
    """A pandas or array column as numbers or text; lists, bytes and the like are of the kind `other`."""
    series = pd.Series(values)
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(series.cat.categories.dtype)
    if pd.api.types.is_bool_dtype(series.dtype) or pd.api.types.is_numeric_dtype(series.dtype):
        if pd.api.types.is_complex_dtype(series.dtype):
            return Column(name, "other", None)
        return Column(name, "number", series.to_numpy(dtype=np.float64, na_value=np.nan))
    if pd.api.types.is_datetime64_any_dtype(series.dtype) or pd.api.types.is_timedelta64_dtype(series.dtype):
        return Column(name, "date", None)
    return _object_column(name, label_values(series, place), replace(place, column=name))


def _object_column(name: str, values: list[Any], place: Place) -> Column:
    """A column of Python values: numbers, or text. Raises InvalidInput for a mixture."""
    import datetime
    from decimal import Decimal

    plain = [
        None if value is None or value is pd.NA or value is pd.NaT or value != value else value for value in values
    ]
    first = next((row for row, value in enumerate(plain) if value is not None), None)
    if first is None:
        return Column(name, "text", plain)
    kinds: tuple[type, ...] = (str,) if isinstance(plain[first], str) else (bool, int, float, Decimal)
    if isinstance(plain[first], datetime.date | datetime.time | datetime.timedelta):
        return Column(name, "date", None)
    if not isinstance(plain[first], kinds):
        return Column(name, "other", None)
    for row, value in enumerate(plain):
        if value is not None and not isinstance(value, kinds):
            expected = "text" if kinds == (str,) else "a number"
            raise InvalidInput(
                replace(place, row=row),
                f"{value!r} where row {first} has {expected} ({plain[first]!r})",
                "store one type per column, or leave the column out",
            )
    if kinds != (str,):
        return Column(name, "number", np.array([math.nan if value is None else float(value) for value in plain]))
    texts = {value for value in plain if value}
    if texts and all(map(_DATE.fullmatch, texts)):
        return Column(name, "date", None)
    return Column(name, "text", [value or None for value in plain])


def numbered_run(names: Sequence[str]) -> bool:
    """Whether these column names are one vector written out: `e0, e1, e2, …` or `1, 2, 3, …`, in this order."""
    stems = [name.rstrip("0123456789") for name in names]
    digits = [name.removeprefix(stem) for name, stem in zip(names, stems, strict=True)]
    if len(names) < 3 or len(set(stems)) > 1 or not all(0 < len(one) <= _MOST_DIGITS for one in digits):
        return False
    numbers = list(map(int, digits))
    return numbers[0] in (0, 1) and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
