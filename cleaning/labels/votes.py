"""Several labels per row: the votes of annotators as class numbers, and what most of them said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np

from cleaning.belief.ballots import majority, vote_counts
from cleaning.data import IntMatrix, IntVector, slices
from cleaning.errors import InvalidInput, Place, count_of, printable
from cleaning.labels.classes import (
    NUMBER,
    UNLABELLED,
    Distinct,
    Labels,
    distinct_in,
    renumbered,
)

_NO_VOTE = Decimal(-1)
# So many rows are looked at together.
_BLOCK = 16_384


@dataclass(frozen=True, eq=False)
class Votes:
    """The votes of A annotators on n rows.

    annotators (A,): their names, all different. codes (n, A): indices into names, or UNLABELLED where there is no vote;
    many may be memory-mapped.
    names and values: the classes, as in `Labels`. minus_one: whether -1 was taken for no vote.
    """

    annotators: tuple[str, ...]
    codes: IntMatrix
    names: tuple[str, ...]
    values: tuple[object, ...]
    minus_one: bool = False

    @cached_property
    def given(self) -> Labels:
        """What most annotators said of each row; of classes with equally many votes, the one with more in all."""
        return Labels(majority(self.codes), self.names, self.values)

    @cached_property
    def voted(self) -> IntVector:
        """On how many rows each annotator has voted, (A,)."""
        counts = [np.count_nonzero(self.codes[part] >= 0, axis=0) for part in self._parts]
        return np.asarray(np.sum(counts, axis=0), dtype=np.int64)

    @property
    def ties(self) -> int:
        """How many rows have two classes with equally many votes and none with more."""
        found = 0
        for part in self._parts:
            counts = vote_counts(self.codes[part], len(self.names))
            most = counts.max(axis=1, initial=1)
            found += int(np.count_nonzero(np.count_nonzero(counts == most[:, None], axis=1) > 1))
        return found

    def renumbered(self, names: Sequence[str]) -> "Votes":
        """The same votes as indices into other names, which contain all of these."""
        if tuple(names) == self.names:
            return self
        known = dict(zip(self.names, self.values, strict=True))
        codes, values = renumbered(self.codes, self.names, names), tuple(known.get(name, name) for name in names)
        return replace(self, codes=codes, names=tuple(names), values=values)

    def of(self, annotator: str) -> IntVector:
        """The votes of one annotator (n,); none for somebody who is not there."""
        if annotator not in self.annotators:
            return np.full(len(self.codes), UNLABELLED)
        return np.asarray(self.codes[:, self.annotators.index(annotator)], dtype=np.int64)

    def on(self, labels: IntVector) -> tuple[IntVector, IntVector]:
        """How many votes each of these labels (n,) has, and how many votes on the row name another class."""
        own, every = np.zeros(len(self.codes), dtype=np.int64), np.zeros(len(self.codes), dtype=np.int64)
        for part in self._parts:
            codes = self.codes[part]
            every[part] = np.count_nonzero(codes >= 0, axis=1)
            own[part] = np.count_nonzero((codes == labels[part, None]) & (codes >= 0), axis=1)
        return own, every - own

    @property
    def _parts(self) -> list[slice]:
        return slices(len(self.codes), _BLOCK)


def encode_votes(
    columns: Sequence[object], annotators: Sequence[str], places: Sequence[Place], *, classes: bool = False
) -> Votes:
    """The votes in columns of labels, one for each annotator. None, NaN, empty text and -1 are not votes.

    -1 is a class where there are other negative numbers. places: of each column, for errors. classes: labels that look
    like a quantity or like ids are meant as classes. Raises InvalidInput as `encode_labels` does, for columns of
    different lengths, for an annotator without a vote, and for votes of -1 and one more class, which mean two things.
    """
    names = different_names(annotators, places)
    found = [distinct_in(column, place) for column, place in zip(columns, places, strict=True)]
    count = len(found[0][1])
    for (_, codes), place in zip(found, places, strict=True):
        if len(codes) != count:
            raise InvalidInput(
                place, f"{count_of(len(codes), 'vote')} for {count_of(count, 'row')}", "give one for every row"
            )
    matrix = np.stack([codes for _, codes in found], axis=1)
    return numbered(matrix, [distinct for distinct, _ in found], names, places, classes=classes)


def different_names(annotators: Sequence[str], places: Sequence[Place]) -> tuple[str, ...]:
    """The names as they can be shown. Raises InvalidInput for two annotators of one name. places: of each."""
    names = tuple(map(printable, annotators))
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InvalidInput(places[number], f"two annotators are called {name!r}", "give each a name of their own")
    return names


def numbered(
    codes: IntMatrix,
    columns: Sequence[Distinct],
    annotators: Sequence[str],
    places: Sequence[Place],
    *,
    classes: bool = False,
) -> Votes:
    """The votes (n, A) whose labels are known by their numbers in each column; `codes` is overwritten.

    annotators: all different. places and classes: as for `encode_votes`, which says what is raised.
    """
    tables, labels, minus_one = classes_of(columns, places, len(codes), classes=classes)
    for rows in slices(len(codes), _BLOCK):
        part = codes[rows]
        for one, table in enumerate(tables):
            part[:, one] = table[part[:, one]]
    return Votes(tuple(annotators), codes, labels.names, labels.values, minus_one)


def classes_of(
    columns: Sequence[Distinct], places: Sequence[Place], rows: int, *, classes: bool = False
) -> tuple[list[IntVector], Labels, bool]:
    """The class of each different label of each column, and UNLABELLED behind the last one; the names of the classes;
    and whether -1 is no vote. rows: of each column.
    """
    listed: Sequence[list[Any]] = [one.values for one in columns]
    minus_one = _means_no_vote(listed, places[0])
    if minus_one:
        listed = [[None if _number(value) == _NO_VOTE else value for value in values] for values in listed]
    listed = _spelled_alike(listed)
    silent = [all(value is None for value in values) for values in listed]
    if any(silent) and not all(silent):
        raise InvalidInput(places[silent.index(True)], "there is no vote in it", "leave it out")
    every, numbers = Distinct(), list[list[int]]()
    for place, (values, one) in enumerate(zip(listed, columns, strict=True)):
        seen = zip(values, one.rows, one.times, strict=True)
        merged = (UNLABELLED if value is None else every.merge(value, place * rows + row, n) for value, row, n in seen)
        numbers.append(list(merged))
    try:
        labels = every.named(Place(places[0].path), classes=classes)
    except InvalidInput as error:
        number = error.place.row if isinstance(error.place.row, int) else 0
        where = replace(places[number // max(rows, 1)], row=None if error.place.row is None else number % rows)
        raise InvalidInput(where, error.problem, error.fix) from None
    table = np.append(labels.codes, UNLABELLED)
    return [table[[*own, UNLABELLED]] for own in numbers], labels, minus_one


def _means_no_vote(listed: Sequence[Sequence[Any]], place: Place) -> bool:
    """Whether -1 stands for no vote."""
    values = {value for column in listed for value in column}
    numbers = {_number(value) for value in values}
    if _NO_VOTE not in numbers or any(one is not None and one < 0 and one != _NO_VOTE for one in numbers):
        return False
    others = [value for value in values if _number(value) != _NO_VOTE]
    if len({value if _number(value) is None else _number(value) for value in others}) < 2:
        problem = f"the votes are -1 and {others[0] if others else 'nothing else'}; -1 may be a class, or no vote"
        raise InvalidInput(place, problem, "write the classes as names, and leave cells without a vote empty")
    return True


def _spelled_alike(listed: Sequence[list[Any]]) -> Sequence[list[Any]]:
    """The same where numbers written as text, such as `1` and `1.0`, have one spelling: the shortest."""
    texts = {value for column in listed for value in column if isinstance(value, str)}
    spelling: dict[Decimal, str] = {}
    for text in sorted(texts, key=lambda one: (len(one), one)):
        number = _number(text)
        if number is not None:
            spelling.setdefault(number, text)
    table = {text: spelling[number] for text in texts if (number := _number(text)) is not None}
    return [[table.get(one, one) if isinstance(one, str) else one for one in column] for column in listed]


def _number(value: Any) -> Decimal | None:
    """The whole or decimal number that a label is, also as text."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str | np.number):
        return None
    text = str(value)
    return Decimal(text) if NUMBER.fullmatch(text) else None
