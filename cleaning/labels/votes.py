"""Several labels per row: the votes of annotators as class numbers, and what most of them said."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np

from cleaning.belief.ballots import majority
from cleaning.data import IntMatrix, IntVector
from cleaning.errors import InvalidInput, Place, count_of, printable
from cleaning.labels.classes import (
    NUMBER,
    UNLABELLED,
    Labels,
    encode_labels,
    is_missing,
    label_values,
    renumbered,
)

_NO_VOTE = Decimal(-1)


@dataclass(frozen=True, eq=False)
class Votes:
    """The votes of A annotators on n rows.

    annotators (A,): their names, all different. codes (n, A): indices into names, or UNLABELLED where there is no vote.
    names and values: the classes, as in `Labels`. minus_one: whether -1 was taken for no vote.
    """

    annotators: tuple[str, ...]
    codes: IntMatrix
    names: tuple[str, ...]
    values: tuple[object, ...]
    minus_one: bool = False

    @property
    def given(self) -> Labels:
        """What most annotators said of each row; of classes with equally many votes, the one with more in all."""
        codes = np.full(len(self.codes), UNLABELLED)
        voted = np.flatnonzero((self.codes >= 0).any(axis=1))
        if len(voted):
            codes[voted] = majority(self.codes[voted])
        return Labels(codes, self.names, self.values)

    @property
    def ties(self) -> int:
        """How many rows have two classes with equally many votes and none with more."""
        row, one = np.nonzero(self.codes >= 0)
        classes = max(len(self.names), 1)
        ballots, counts = np.unique(row * classes + self.codes[row, one], return_counts=True)
        most = np.zeros(len(self.codes), dtype=np.int64)
        np.maximum.at(most, ballots // classes, counts)
        best = ballots[counts == most[ballots // classes]] // classes
        return int(np.count_nonzero(np.bincount(best) > 1))

    def renumbered(self, names: Sequence[str]) -> "Votes":
        """The same votes as indices into other names, which contain all of these."""
        known = dict(zip(self.names, self.values, strict=True))
        codes, values = renumbered(self.codes, self.names, names), tuple(known.get(name, name) for name in names)
        return replace(self, codes=codes, names=tuple(names), values=values)

    def of(self, annotator: str) -> IntVector:
        """The votes of one annotator (n,); none for somebody who is not there."""
        if annotator not in self.annotators:
            return np.full(len(self.codes), UNLABELLED)
        return np.asarray(self.codes[:, self.annotators.index(annotator)])

    def on(self, labels: IntVector) -> tuple[IntVector, IntVector]:
        """How many votes each of these labels (n,) has, and how many votes on the row name another class."""
        every = np.count_nonzero(self.codes >= 0, axis=1)
        own = np.count_nonzero((self.codes == labels[:, None]) & (self.codes >= 0), axis=1)
        return own, every - own


def encode_votes(
    columns: Sequence[object], annotators: Sequence[str], places: Sequence[Place], *, classes: bool = False
) -> Votes:
    """The votes in columns of labels, one for each annotator. None, NaN, empty text and -1 are not votes.

    -1 is a class where there are other negative numbers. places: of each column, for errors. classes: labels that look
    like a quantity or like ids are meant as classes. Raises InvalidInput as `encode_labels` does, for columns of
    different lengths, for an annotator without a vote, and for votes of -1 and one more class, which mean two things.
    """
    names = tuple(map(printable, annotators))
    for number, name in enumerate(names):
        if name in names[:number]:
            raise InvalidInput(places[number], f"two annotators are called {name!r}", "give each a name of their own")
    listed: Sequence[list[Any]] = [label_values(column, place) for column, place in zip(columns, places, strict=True)]
    count = len(listed[0])
    for values, place in zip(listed, places, strict=True):
        if len(values) != count:
            problem = f"{count_of(len(values), 'vote')} for {count_of(count, 'row')}"
            raise InvalidInput(place, problem, "give one for every row")
    minus_one = _means_no_vote(listed, places[0])
    if minus_one:
        listed = [[None if _number(value) == _NO_VOTE else value for value in values] for values in listed]
    listed = _spelled_alike(listed)
    silent = [not any(_voted(value) for value in values) for values in listed]
    if any(silent) and not all(silent):
        raise InvalidInput(places[silent.index(True)], "there is no vote in it", "leave it out")
    try:
        found = encode_labels([value for values in listed for value in values], Place(places[0].path), classes=classes)
    except InvalidInput as error:
        number = error.place.row if isinstance(error.place.row, int) else 0
        where = replace(places[number // max(count, 1)], row=None if error.place.row is None else number % count)
        raise InvalidInput(where, error.problem, error.fix) from None
    codes = found.codes.reshape(len(listed), count).T
    return Votes(names, codes, found.names, found.values, minus_one)


def _means_no_vote(listed: Sequence[Sequence[Any]], place: Place) -> bool:
    """Whether -1 stands for no vote."""
    values = {value for column in listed for value in column if value.__hash__ and _voted(value)}
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


def _voted(value: Any) -> bool:
    return not value.__hash__ or not is_missing(value)


def _number(value: Any) -> Decimal | None:
    """The whole or decimal number that a label is, also as text."""
    if isinstance(value, bytes):
        value = value.decode(errors="replace")
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str | np.number):
        return None
    text = str(value)
    return Decimal(text) if NUMBER.fullmatch(text) else None
