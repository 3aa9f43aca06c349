"""Labels of any type as class numbers, with the names that the user gave them."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.typing import NAType

from cleaning.belief.caveats import are_many_values
from cleaning.data import FloatVector, IntVector
from cleaning.errors import InvalidInput, Place, bounded, first_three
from cleaning.labels.arrow import listed

UNLABELLED = -1
"""The class number of a row without a label."""

_ANOTHER = "name another column"
_BROKEN = "this is not text (broken Unicode)"
_KINDS = (NoneType, NAType, bool, int, float, Decimal, str, bytes, date, timedelta, np.datetime64, np.timedelta64)
# Possessive, so that a million digits with a letter behind them take no more time than other text.
NUMBER = re.compile(r"[+-]?(\d++(\.\d*+)?|\.\d++)([eE][+-]?\d{1,9})?")


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as numbers. codes (n,): indices into `names`, or UNLABELLED. names: as the user writes them, in natural
    order. values: the same classes as Python values of the type that the user stores.
    """

    codes: IntVector
    names: tuple[str, ...]
    values: tuple[object, ...]

    def renumbered(self, names: Sequence[str]) -> IntVector:
        """The codes as indices into other names, which contain all of these."""
        return renumbered(self.codes, self.names, names)


def renumbered(codes: IntVector, before: Sequence[str], names: Sequence[str]) -> IntVector:
    """Codes of any shape, which are indices into `before`, as indices into names that contain all of these."""
    place = {name: number for number, name in enumerate(names)}
    table = np.array([*(place[name] for name in before), UNLABELLED], dtype=codes.dtype)
    return np.asarray(table[codes])


def encode_labels(values: object, place: Place, *, classes: bool = False) -> Labels:
    """The labels in a list, an array or a pandas column; None, NaN and empty text are rows without a label.

    place: the column, for errors. classes: labels that look like a quantity or like ids are meant as classes.
    Raises InvalidInput with the row for labels of mixed types and of types that name no class, for labels that look
    like a quantity or like ids, and for names that differ only in blanks or in their Unicode form.
    """
    found, codes = distinct_in(values, place)
    labels = found.named(place, classes=classes)
    return replace(labels, codes=np.append(labels.codes, UNLABELLED)[codes])


def distinct_in(values: object, place: Place) -> "tuple[Distinct, IntVector]":
    """The different labels in a list, an array or a pandas column, and the number of each row's label, or UNLABELLED.

    Raises InvalidInput with the row for values of types that name no class.
    """
    found, listed, firsts = Distinct(), label_values(values, place), dict[tuple[type, Any], int]()
    try:
        numbers = np.array([firsts.setdefault((type(one), one), len(firsts)) for one in listed], dtype=np.int64)
        listed = [one for _, one in firsts]
    except TypeError:  # a list, say, which names no class
        numbers = np.arange(len(listed))
    return found, found.add(listed, numbers, 0, place)


class Distinct:
    """The different labels of some rows, in the order of the rows.

    values: as they are; rows: the first row with each; times: how many rows have it.
    """

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.rows: list[int] = []
        self.times: list[int] = []
        self._number: dict[tuple[type, Any], int] = {}

    def add(self, values: Sequence[Any], place_in: IntVector, start: int, place: Place) -> IntVector:
        """Takes note of the labels of rows from `start` on, and returns the number of each, or UNLABELLED.

        place_in (b,): where the label of each row is in `values`, or UNLABELLED. Raises InvalidInput with the row, at
        this place, for a value that is of no type that names a class.
        """
        first = np.full(len(values) + 1, -1)
        first[place_in[::-1]] = np.arange(len(place_in))[::-1]
        times = np.bincount(place_in + 1, minlength=len(values) + 1)[1:]
        numbers = np.full(len(values) + 1, UNLABELLED)
        order = np.argsort(first[:-1], kind="stable")
        for number in order[times[order] > 0].tolist():
            numbers[number] = self._note(values[number], start + int(first[number]), int(times[number]), place)
        return np.asarray(numbers[place_in])

    def merge(self, value: Any, row: int, times: int) -> int:
        """The number of a label that this row is the first to have, and so many rows have."""
        number = self._number.setdefault((type(value), value), len(self.values))
        if number == len(self.values):
            self.values.append(value)
            self.rows.append(row)
            self.times.append(0)
        self.times[number] += times
        return number

    def named(self, place: Place, *, classes: bool = False) -> Labels:
        """The classes of the different labels; raises InvalidInput as `encode_labels` does."""
        plain = [_plain(value, replace(place, row=row)) for value, row in zip(self.values, self.rows, strict=True)]
        _refuse_mixture(plain, self.rows, place)
        if not classes:
            _refuse_quantity(plain, self.rows, sum(self.times), place)
        names = [str(value) for value in plain]
        _refuse_twins(names, self.rows, place)
        order = natural_order(set(names))
        number = {name: index for index, name in enumerate(order)}
        codes = np.array([number[name] for name in names], dtype=np.int64)
        kept = dict(zip(reversed(names), reversed(self.values), strict=True))
        return Labels(codes, tuple(order), tuple(kept[name] for name in order))

    def _note(self, value: Any, row: int, times: int, place: Place) -> int:
        if not isinstance(value, _KINDS):
            problem = "there are several labels in a row" if hasattr(value, "__len__") else ""
            problem = problem or f"a label is {type(value).__name__}"
            fix = "give one class per row: text, a whole number, or true and false"
            raise InvalidInput(replace(place, row=row), problem, fix)
        return UNLABELLED if is_missing(value) else self.merge(value, row, times)


def named_codes(codes: IntVector, names: Sequence[str]) -> Labels:
    """Labels stored as numbers whose names are known; a negative number is a row without a label."""
    order = natural_order(names)
    place = {name: number for number, name in enumerate(order)}
    table = np.array([*(place[name] for name in names), UNLABELLED], dtype=np.int64)
    numbers = {name: number for number, name in enumerate(names)}
    return Labels(table[np.where(codes < 0, -1, codes)], tuple(order), tuple(numbers[name] for name in order))


def label_values(values: object, place: Place) -> list[Any]:
    """The labels as a list of Python values. Raises InvalidInput for anything but one label per row."""
    if isinstance(values, np.ma.MaskedArray):
        raise InvalidInput(place, "this is a masked array", "fill the masked values or drop those rows")
    if hasattr(values, "tocsr"):
        raise InvalidInput(place, "the labels are a sparse matrix", "give a vector with one label per row")
    if isinstance(values, pd.DataFrame):
        if values.shape[1] != 1:
            raise InvalidInput(place, f"there are {values.shape[1]} columns of labels", "give one label per row")
        values = values.iloc[:, 0]
    if isinstance(values, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        return list(values.astype(object))
    if hasattr(values, "to_pylist"):  # pyarrow
        return list(values.to_pylist())
    if hasattr(values, "__arrow_c_stream__"):
        return listed(values)
    if hasattr(values, "__array__"):
        return _array_values(np.asarray(values), place)
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InvalidInput(place, f"{type(values).__name__} where labels are expected", "give one label per row")
    return [
        value.item() if isinstance(value, np.generic) and value.dtype.kind not in "mM" else value for value in values
    ]


def _array_values(values: NDArray[Any], place: Place) -> list[Any]:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise InvalidInput(place, f"the shape is {values.shape}", "give one label per row")
    try:
        return list(values) if values.dtype.kind in "mM" else list(values.tolist())
    except (SystemError, ValueError):  # text of numpy may hold numbers that are not characters
        raise InvalidInput(place, _BROKEN, "save it again") from None


def natural_order(names: Iterable[str]) -> list[str]:
    """The names in the order in which people count: numbers by size, `item 9` before `item 10`."""
    listed = list(names)
    if all(NUMBER.fullmatch(name) for name in listed):
        return sorted(listed, key=lambda name: (Decimal(name), name))
    return sorted(listed, key=_natural)


def joined(train: Labels, trusted: Labels, place: Place) -> tuple[str, ...]:
    """The names of both, in natural order. Raises InvalidInput if they have none in common."""
    if trusted.names and train.names and not set(train.names) & set(trusted.names):
        raise InvalidInput(
            place,
            f"its classes ({first_three(trusted.names)}) are not those to rank ({first_three(train.names)})",
            "use the same name for the same class in both",
        )
    return tuple(natural_order({*train.names, *trusted.names}))


def spelled_alike(trusted: Labels, train: Labels) -> Labels:
    """Trusted labels in the spelling of the training labels, where both mean the same number: `1` and `1.0`."""
    spelling = {_as_number(name): name for name in train.names}
    names = tuple(
        name if name in train.names else spelling.get(_as_number(name), name) if NUMBER.fullmatch(name) else name
        for name in trusted.names
    )
    return Labels(trusted.codes, names, trusted.values) if len(set(names)) == len(names) else trusted


def _is_whole(text: str) -> bool:
    _, digits, exponent = Decimal(text).as_tuple()
    return not isinstance(exponent, int) or exponent >= 0 or not any(digits[exponent:])


def _as_number(name: str) -> Decimal | str:
    return Decimal(name) if NUMBER.fullmatch(name) else name


def _natural(name: str) -> tuple[list[tuple[bool, int, str]], str]:
    """Texts and numbers in turn; numbers are compared by their length first, so that they may be of any size."""
    parts = filter(None, re.split(r"(\d+)", name.casefold()))
    digits = ((part.isdecimal(), part.lstrip("0") if part.isdecimal() else part) for part in parts)
    return [(not is_number, len(part) if is_number else 0, part) for is_number, part in digits], name


def is_missing(value: Any) -> bool:
    """Whether a value stands for no label: None, NaN, NaT or empty text."""
    if isinstance(value, NoneType | NAType) or value is pd.NaT:
        return True
    if isinstance(value, float | Decimal):
        return math.isnan(value)
    return value in ("", b"") or (isinstance(value, np.datetime64 | np.timedelta64) and bool(np.isnat(value)))


def _plain(value: Any, place: Place) -> bool | int | float | str:
    """The value as a bool, a whole number, another number, or text."""
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise InvalidInput(place, "the label is not UTF-8 text", "store names as text") from None
    if isinstance(value, float | Decimal):
        if math.isinf(value):
            raise InvalidInput(place, f"{value} is not a label", "give every row a class, or none")
        return int(value) if value == int(value) else float(value)
    if isinstance(value, date | timedelta | np.datetime64 | np.timedelta64):
        raise InvalidInput(place, f"{value} is a date or a time, not a class", _ANOTHER)
    if isinstance(value, str):
        refuse_broken_text(value, place)
        return str(value)
    return value if isinstance(value, bool) else int(value)


def refuse_broken_text(text: str, place: Place) -> None:
    """Raises InvalidInput for what cannot be written: half a surrogate pair, numbers that are not characters."""
    try:
        text.encode().decode()
    except (SystemError, ValueError):
        raise InvalidInput(place, _BROKEN, "save it again") from None


def _refuse_mixture(values: Sequence[object], rows: Sequence[int], place: Place) -> None:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "text"}
    for value, row in zip(values, rows, strict=True):
        if kinds[type(value)] != kinds[type(values[0])]:
            raise InvalidInput(
                replace(place, row=row),
                f"{value!r} is {kinds[type(value)]}, but {values[0]!r} in row {rows[0]} is {kinds[type(values[0])]}",
                "store all labels in one type",
            )


def _meant(place: Place) -> str:
    return f"{_ANOTHER}, or pass {'classes=True' if place.path is None else '--classes'} if these are classes"


def is_quantity(values: FloatVector) -> bool:
    """Whether numbers (n,), NaN for none, look like a quantity and not like classes."""
    known = values[np.isfinite(values)]
    count = len(np.unique(known))
    return bool((known % 1 != 0).any()) or are_many_values(count, len(known))


def _refuse_quantity(values: Sequence[Any], rows: Sequence[int], labelled: int, place: Place) -> None:
    """Refuses labels that look like a regression target or like ids."""
    numbers = not any(isinstance(value, str) and not NUMBER.fullmatch(value) for value in values)
    if numbers:
        for value, row in zip(values, rows, strict=True):
            if isinstance(value, float) or (isinstance(value, str) and not _is_whole(value)):
                problem = f"{bounded(str(value))} looks like a quantity, not like a class"
                raise InvalidInput(replace(place, row=row), problem, _meant(place))
    if are_many_values(len(values), labelled):
        every = "every label is different" if len(values) == labelled else f"{len(values)} different labels"
        looks = "a quantity or an id" if numbers else "an id or free text"
        raise InvalidInput(
            place, f"{every}, in {labelled} rows; this looks like {looks}, not like classes", _meant(place)
        )


def _refuse_twins(names: Sequence[str], rows: Sequence[int], place: Place) -> None:
    seen: dict[str, str] = {}
    for name, row in zip(names, rows, strict=True):
        other = seen.setdefault(unicodedata.normalize("NFC", name.strip()), name)
        if other != name:
            raise InvalidInput(
                replace(place, row=row),
                f"{name!a} and {other!a} differ only in blanks or in their Unicode form",
                "write one name for one class",
            )
