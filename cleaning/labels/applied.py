"""Decided labels in a copy of what was ranked: labels as they are in the data, or the votes of annotators."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from cleaning.errors import InvalidInput, Place
from cleaning.labels.classes import UNLABELLED, Labels, encode_labels
from cleaning.labels.frames import votes_in
from cleaning.labels.votes import Votes


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
        copy = labels.copy()
        if isinstance(copy.dtype, pd.CategoricalDtype):
            more = [value for value in dict.fromkeys(decided.values()) if value not in copy.cat.categories]
            copy = copy.cat.add_categories(more)
        for row, value in decided.items():
            copy.iloc[row] = value
        return copy
    if isinstance(labels, np.ndarray) and labels.dtype.kind not in "US":
        array = labels.copy()
        for row, value in decided.items():
            array[row] = value
        return array
    listed = list(labels)
    for row, value in decided.items():
        listed[row] = value
    return np.array(listed) if isinstance(labels, np.ndarray) else type(labels)(listed)


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
