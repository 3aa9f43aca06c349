"""The votes of several annotators on very many rows, read by blocks."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from cleaning.belief.ballots import MISSING, ballots_of
from cleaning.belief.blocks.stored import Stored
from cleaning.data import IntMatrix, IntVector, slices

Votes = IntMatrix | Stored
"""What A annotators said of n rows, (n, A), as numbers of classes, negative for no vote; Stored: in a file."""

_ROWS = 65_536


def spans(rows: int) -> list[slice]:
    """The parts in which so many rows are looked through."""
    return slices(rows, _ROWS)


def read(votes: Votes, start: int, stop: int) -> IntMatrix:
    """The votes on these rows."""
    return votes.raw(start, stop) if isinstance(votes, Stored) else votes[start:stop]


def named_in(votes: Votes) -> IntVector:
    """The numbers of the classes that somebody named."""
    every = [np.unique(read(votes, span.start, span.stop)) for span in spans(len(votes))]
    found = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *every]))
    return found[found >= 0]


@dataclass(frozen=True, eq=False)
class Ballots:
    """What A annotators said of rows (m,), and of rows that are equal to them.

    votes: from row `start` on those of the rows, or of all rows. classes (K,): their numbers. place (m,): the row of
    `several` (s, A·K) that holds what was said of a content which several rows have; -1: nothing but the row's votes.
    """

    votes: Votes
    classes: IntVector
    place: IntVector
    several: csr_array
    start: int = 0

    @classmethod
    def of(cls, votes: Votes, classes: IntVector, place: IntVector) -> "Ballots":
        """Of rows (n,). place (n,): the number of each row's content among those that several rows have, or -1."""
        rows = np.flatnonzero(place >= 0)
        none = csr_array((0, votes.shape[1] * len(classes)))
        alone = cls(votes, classes, place, none)
        if not len(rows):
            return alone
        codes = alone._codes(alone._chosen(rows))
        return replace(alone, several=ballots_of(codes, place[rows], np.arange(len(classes))))

    def __len__(self) -> int:
        return len(self.place)

    def block(self, start: int, stop: int) -> "Ballots":
        """Those of some of the rows, with nothing in memory that is about others."""
        used, place = np.unique(self.place[start:stop], return_inverse=True)
        alone = int(len(used) and used[0] < 0)
        part = replace(self, place=place - alone, several=self.several[used[alone:]])
        if isinstance(self.votes, Stored):
            return replace(part, start=self.start + start)
        return replace(part, votes=self.votes[start:stop])

    def part(self, rows: slice) -> csr_array:
        """What was said of some rows, (b, A·K)."""
        return self._said(read(self.votes, self.start + rows.start, self.start + rows.stop), self.place[rows])

    def take(self, rows: IntVector) -> csr_array:
        """The same of a few rows, in this order."""
        return self._said(self._chosen(rows), self.place[rows])

    def _chosen(self, rows: IntVector) -> IntMatrix:
        return self.votes.chosen(self.start + rows) if isinstance(self.votes, Stored) else self.votes[rows]

    def _codes(self, votes: IntMatrix) -> IntMatrix:
        """Numbers of classes as places among the classes."""
        table = np.full(int(self.classes[-1]) + 2, MISSING)
        table[self.classes] = np.arange(len(self.classes))
        return np.asarray(table[np.maximum(votes, MISSING)])

    def _said(self, votes: IntMatrix, place: IntVector) -> csr_array:
        codes, n_classes = self._codes(votes), len(self.classes)
        voted = (codes >= 0) & (place < 0)[:, None]
        column = codes + n_classes * np.arange(codes.shape[1])
        start = np.concatenate([[0], np.cumsum(np.count_nonzero(voted, axis=1))])
        shape = len(codes), codes.shape[1] * n_classes
        own = csr_array((np.ones(start[-1]), column[voted], start), shape=shape)
        shared = np.flatnonzero(place >= 0)
        if not len(shared):
            return own
        chosen = csr_array((np.ones(len(shared)), (shared, place[shared])), shape=(len(codes), self.several.shape[0]))
        return csr_array(own + chosen @ self.several)
