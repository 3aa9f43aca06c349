"""What becomes of each row, and how its label is stored."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cleaning.data import IntVector
from cleaning.errors import InvalidInput, Place
from cleaning.labels.columns import NEW_LABEL, OLD_LABEL

T = TypeVar("T")
_WORDS = {"true": True, "false": False}


@dataclass(frozen=True, eq=False)
class Corrections:
    """given and label: the names of the labels before and after, by row; None for a row without a label.

    dropped: the rows that are left out. Rows whose label stays as it is are left alone.
    """

    given: Sequence[str | None]
    label: Sequence[str | None]
    dropped: frozenset[int]

    def __len__(self) -> int:
        return len(self.given)

    def of(self, rows: Sequence[int]) -> "Corrections":
        """The corrections of some rows, in this order."""
        dropped = frozenset(place for place, row in enumerate(rows) if row in self.dropped)
        return Corrections([self.given[row] for row in rows], [self.label[row] for row in rows], dropped)

    @property
    def changed(self) -> list[int]:
        """The rows that get another label, in increasing order; none of them is dropped."""
        return [
            row
            for row, (before, after) in enumerate(zip(self.given, self.label, strict=True))
            if before != after and row not in self.dropped
        ]

    @property
    def kept(self) -> IntVector:
        """The rows that are not left out, in increasing order."""
        return np.asarray([row for row in range(len(self)) if row not in self.dropped], dtype=np.int64)

    def spelled(self, stored: Iterable[T]) -> dict[str, T]:
        """How each class is stored, taken from the first row that has it. stored: the stored labels, by row."""
        found: dict[str, T] = {}
        for name, value in zip(self.given, stored, strict=True):
            if name is not None:
                found.setdefault(name, value)
        return found


def column_for_old(names: Iterable[str]) -> str:
    """The name of the column that keeps the old labels, different from these names."""
    return _free_name(OLD_LABEL, set(names))


def column_for_new(names: Iterable[str]) -> str:
    """The name of the column for the new labels beside votes, different from these names."""
    return _free_name(NEW_LABEL, set(names))


def as_stored(name: str, dtype: "np.dtype[Any]", place: Place) -> Any:
    """The class in a type that labels are stored in. Raises InvalidInput where the type cannot hold it."""
    try:
        if dtype.kind == "b":
            return _WORDS[name.lower()]
        if dtype.kind in "iu":
            return dtype.type(int(name))
        if dtype.kind == "f":
            return dtype.type(float(name))
    except (KeyError, ValueError, OverflowError):
        problem = f"labels are stored as {dtype}, which cannot hold {name!r}"
        raise InvalidInput(place, problem, "give the class a name of that type, or store the labels as text") from None
    return name.encode() if dtype.kind == "S" else name


def corrected(stored: NDArray[Any], corrections: Corrections, place: Place, names: Sequence[str] = ()) -> NDArray[Any]:
    """The stored labels (n,) with those of the changed rows replaced, in the same type (text may get longer).

    names: of the classes that stored numbers stand for.
    """
    spelled = {name: number for number, name in enumerate(names)} | corrections.spelled(stored)
    new = {row: str(corrections.label[row]) for row in corrections.changed}
    values = {name: spelled[name] if name in spelled else as_stored(name, stored.dtype, place) for name in new.values()}
    if stored.dtype.kind in "US" and values:
        stored = stored.astype(np.result_type(stored, np.asarray(list(values.values()))))
    found = stored.copy()
    for row, name in new.items():
        found[row] = values[name]
    return found


def _free_name(base: str, taken: set[str]) -> str:
    return next(
        name for name in (base, *(f"{base}_{number}" for number in range(2, len(taken) + 3))) if name not in taken
    )
