"""Decided labels in a copy of what was ranked: labels as they are in the data, or the votes of annotators."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cleaning.errors import InvalidInput, Place, bounded
from cleaning.labels.classes import UNLABELLED, Labels, encode_labels
from cleaning.labels.frames import votes_in
from cleaning.labels.votes import Votes

_WIDER = ("int16", "int32", "int64", "uint64", "float64")


def refuse_changed(labels: Any, ranked: Labels) -> None:
    """Raises InvalidInput with the row unless these are the labels that were ranked."""
    now = encode_labels(labels, Place(key="labels"), classes=True)
    number = {name: code for code, name in enumerate(ranked.names)}
    codes = np.array([*(number.get(name, len(number)) for name in now.names), UNLABELLED])[now.codes]
    changed = np.flatnonzero(codes != ranked.codes)
    if len(changed):
        place = Place(key="labels", row=int(changed[0]))
        raise InvalidInput(place, "the label is not the one that was ranked", "rank these labels again")


def replaced(labels: Any, decided: Mapping[int, object]) -> Any:
    """A copy of the labels in which some are replaced."""
    if isinstance(labels, pd.DataFrame):
        return replaced(labels.iloc[:, 0], decided).to_frame()
    if isinstance(labels, np.ndarray) and labels.ndim > 1:
        return replaced(labels[:, 0], decided)[:, None]
    if isinstance(labels, pd.Series):
        return _replaced_in_series(labels, decided)
    if isinstance(labels, np.ndarray) and labels.dtype.kind not in "US":
        array = labels.astype(_holding(labels.dtype, decided.values()))
        for row, value in decided.items():
            array[row] = value
        return array
    listed = list(labels)
    in_bytes = any(isinstance(value, bytes) for value in listed)
    for row, value in decided.items():
        listed[row] = value.encode() if in_bytes and isinstance(value, str) else value
    if isinstance(labels, np.ndarray):
        return np.array(listed)
    try:
        return type(labels)(listed)
    except TypeError as error:
        fix = "give a list, an array or a Series"
        raise InvalidInput("labels", f"they are a {type(labels).__name__}, which cannot be changed", fix) from error


def without_dropped(labels: Any, kept: NDArray[np.bool_]) -> Any:
    """The labels (n,) of the rows that are kept."""
    if kept.all() or isinstance(labels, np.ndarray):
        return labels[kept] if isinstance(labels, np.ndarray) else labels
    if isinstance(labels, pd.Series | pd.DataFrame):
        return labels.loc[kept]
    return type(labels)([value for value, is_kept in zip(labels, kept.tolist(), strict=True) if is_kept])


def refuse_other_kind(new: Sequence[object], known: Sequence[object]) -> None:
    """Raises InvalidInput for a new label of another kind than those of the data: text, a number, or true and false."""
    for value in new:
        if known and _kind(value) != _kind(known[0]):
            problem = f"{bounded(repr(value))} is {_kind(value)}, but {bounded(repr(known[0]))} is {_kind(known[0])}"
            raise InvalidInput("labels", problem, "give labels of the type of those that were ranked")


def _kind(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "true or false"
    return "text" if isinstance(value, str | bytes) else "a number"


def _replaced_in_series(labels: "pd.Series[Any]", decided: Mapping[int, object]) -> "pd.Series[Any]":
    copy = labels.copy()
    if isinstance(copy.dtype, pd.CategoricalDtype):
        more = [value for value in dict.fromkeys(decided.values()) if value not in copy.cat.categories]
        copy = copy.cat.add_categories(more)
    elif isinstance(copy.dtype, np.dtype):
        copy = copy.astype(_holding(copy.dtype, decided.values()))
    for row, value in decided.items():
        try:
            copy.iloc[row] = value
        except (TypeError, ValueError, OverflowError):
            problem = f"labels of the type {copy.dtype} cannot be {bounded(repr(value))}"
            raise InvalidInput("labels", problem, "rank and give them in a wider type, such as int64") from None
    return copy


def _holding(dtype: "np.dtype[Any]", values: Iterable[object]) -> "np.dtype[Any]":
    """The type of numbers in which these values have room too; any other type as it is."""
    numbers: list[Any] = list(values)
    if dtype.kind not in "iuf":
        return dtype
    whole = dtype.kind != "f" and not any(isinstance(number, float) and number % 1 for number in numbers)
    for wide in (dtype, *map(np.dtype, _WIDER[:-1] if whole else _WIDER)):
        if np.can_cast(dtype, wide) and all(_holds(wide, number) for number in numbers):
            return wide
    return np.dtype(object)


def _holds(dtype: "np.dtype[Any]", number: Any) -> bool:
    with np.errstate(all="ignore"):
        try:
            return bool(np.asarray(number).astype(dtype).item() == number)
        except OverflowError:
            return False


def decided_votes(before: Votes, votes: Any, given: Labels, decided: Mapping[int, object]) -> Any:
    """What most annotators said, with the decided labels: a Series for a DataFrame of votes, else an array.

    Raises InvalidInput if these are not the votes that were ranked.
    """
    now = votes_in(votes, classes=True)
    same = now.annotators == before.annotators and set(now.names) <= set(before.names)
    changed = (
        np.argwhere(now.renumbered(before.names).codes != before.codes) if same else np.zeros((1, 2), dtype=np.int64)
    )
    if len(changed):
        row, one = changed[0].tolist()
        place = Place(key="votes", column=before.annotators[one], row=row) if same else Place(key="votes")
        raise InvalidInput(place, "these are not the votes that were ranked", "rank these votes again")
    values = [None if code < 0 else given.values[code] for code in given.codes.tolist()]
    for row, value in decided.items():
        values[row] = value
    found = pd.Series(values, index=votes.index if isinstance(votes, pd.DataFrame) else None)
    return found if isinstance(votes, pd.DataFrame) else found.to_numpy()
