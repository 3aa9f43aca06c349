"""Why a row is doubted: the rows nearest to it of either class, its near duplicates, and its most telling columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatVector, IntVector
from cleaning.labels.columns import OF_REVIEWS
from cleaning.labels.evidence import blocks
from evaluation.labels.opened import Review
from evaluation.labels.page.columns import LONGEST_SNIPPET, Column, columns_of, snippet
from evaluation.labels.source import Source

# So many rows near a row are shown of a class, and so many are compared with it.
SHOWN, _COMPARED = 3, 9
# Rows whose label is wrong with at most this probability stand in where there are no trusted rows.
_SURELY_RIGHT = 0.1

_Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Neighbour:
    """A row near another. row: its number in the source, or in the trusted rows if trusted is set."""

    row: int
    trusted: bool


class Nearness:
    """Finds what is near the rows of a review. Rows are compared by the cosine of their centred features."""

    def __init__(self, review: Review) -> None:
        self._source, self._trusted = review.source, review.trusted
        self._mean = _as_judged(review.source, review.source.features.mean(axis=0, dtype=np.float64))
        self._lengths = _lengths(review.source, self._mean)
        self._trusted_lengths = None if review.trusted is None else _lengths(review.trusted, self._mean)
        self._group = _groups(review)
        self._outliers = {review.rows[line["id"]] for line in review.ranking if line["outlier"]}
        options = review.source.options
        self._hidden = {options["label_column"], options["id_column"], options["text_column"]}
        if isinstance(options["annotators"], list):
            self._hidden |= set(options["annotators"])

    def copies(self, row: int) -> list[int]:
        """The near duplicates of a row."""
        return [other for other in self._group.get(row, []) if other != row]

    def outlier(self, row: int) -> bool:
        """Whether a row is like no other."""
        return row in self._outliers

    def trusted(self, row: int, code: int, checked: Mapping[int, int]) -> list[Neighbour]:
        """The nearest trusted rows of a class: those handed in, and those that reviewers have checked."""
        sure = np.asarray([one for one, right in checked.items() if right == code and one != row], dtype=np.int64)
        found = [(near, Neighbour(one, trusted=False)) for one, near in self._near(row, sure)]
        if self._trusted is not None:
            rows = np.flatnonzero(self._trusted.labels == code)
            found += [(near, Neighbour(one, trusted=True)) for one, near in self._near(row, rows, trusted=True)]
        return [one for _, one in sorted(found, key=lambda pair: -pair[0])[:_COMPARED]]

    def likely(self, row: int, code: int, suspicion: FloatVector) -> list[Neighbour]:
        """The nearest rows that have the label and hardly any suspicion."""
        rows = np.flatnonzero(self._source.labels == code)
        rows = rows[rows != row]
        sure = rows[np.nan_to_num(suspicion[rows], nan=1.0) <= _SURELY_RIGHT]
        rows = sure if len(sure) >= _COMPARED else rows[np.argsort(suspicion[rows], kind="stable")][: 2 * _COMPARED]
        return [Neighbour(one, trusted=False) for one, _ in self._near(row, rows)]

    def columns(self, row: int, suggested: Sequence[Neighbour], given: Sequence[Neighbour]) -> list[Column]:
        """The columns of a row beside those of the rows near it, those first that tell most."""
        like, unlike = ([self._columns_of(one) for one in side] for side in (suggested, given))
        return columns_of(self._shown(self._source, row), like, unlike)

    def width(self, row: int) -> int:
        """How many columns a row has."""
        return len(self._shown(self._source, row))

    def snippet(self, source: Source, row: int, telling: Sequence[Column] = ()) -> str | None:
        """A few words for a row in a list: the beginning of its text, or some columns. None if it has neither."""
        text = source.text(row)
        if text is not None:
            return text[:LONGEST_SNIPPET]
        return snippet(self._shown(source, row), telling) or None

    def _near(self, row: int, rows: IntVector, *, trusted: bool = False) -> list[tuple[int, float]]:
        """The nearest of these rows, with their cosines."""
        if not len(rows):
            return []
        source, lengths = self._source, self._lengths
        if trusted and self._trusted is not None and self._trusted_lengths is not None:
            source, lengths = self._trusted, self._trusted_lengths
        own = _as_judged(self._source, self._source.features[row]) - self._mean
        part = _as_judged(source, source.features[rows] if len(rows) < len(source) else source.features)
        cosines = (part @ own - float(self._mean @ own)) / lengths[rows]
        best = np.argsort(-cosines, kind="stable")[:_COMPARED]
        return [(int(rows[one]), float(cosines[one])) for one in best]

    def _columns_of(self, one: Neighbour) -> dict[str, str]:
        source = self._trusted if one.trusted and self._trusted is not None else self._source
        return self._shown(source, one.row)

    def _shown(self, source: Source, row: int) -> dict[str, str]:
        hidden = self._hidden
        columns = source.columns(row).items()
        return {name: value for name, value in columns if name not in hidden and not name.startswith(OF_REVIEWS)}


def _as_judged(source: Source, rows: _Floats) -> _Floats:
    """Some of the rows in float32, scaled if the source is judged so."""
    return np.asarray(rows, dtype=np.float32) if source.stored is None else source.stored.scaled(rows)


def _lengths(source: Source, mean: _Floats) -> _Floats:
    """The lengths of the centred rows, at least a tiny number."""
    squares = np.empty(len(source))
    for block in blocks(len(source)):
        part = _as_judged(source, source.features[block])
        squares[block] = np.einsum("ij,ij->i", part, part) - 2 * (part @ mean) + float(mean @ mean)
    return np.asarray(np.sqrt(np.maximum(squares, 1e-12)), dtype=np.float32)


def _groups(review: Review) -> dict[int, list[int]]:
    """The rows of each group of near duplicates, by each of its rows."""
    groups: dict[int, list[int]] = {}
    for line in review.ranking:
        row, other = review.rows.get(line["id"]), review.rows.get(line["near_duplicate_of"])
        if row is None or other is None or row == other:
            continue
        together = sorted({*groups.get(row, [row]), *groups.get(other, [other])})
        groups.update(dict.fromkeys(together, together))
    return groups
