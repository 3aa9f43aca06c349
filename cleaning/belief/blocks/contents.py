"""Equal rows among very many: one piece of evidence, however often they are there."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from cleaning.belief.ballots import ballots_of, shares_in
from cleaning.belief.blocks.stored import Digests
from cleaning.data import IntMatrix, IntVector


@dataclass(frozen=True, eq=False)
class Contents:
    """Which rows are equal, and what they are called.

    firsts (c,): the first labelled row with each content, ordered by digest, which does not depend on the rows' order.
    common (n,): the class that most labels of a content name, the lowest of equals; negative for rows without a label.
    labelled (l,): the rows with a label; content (l,): the number of the content of each in `firsts`; codes (l,).
    ballots (c + 1, A·K): what each of A annotators said of each content, if there are several, and a row without votes.
    """

    firsts: IntVector
    common: IntVector
    labelled: IntVector
    content: IntVector
    codes: IntVector
    ballots: csr_array | None = None

    @classmethod
    def of(
        cls, codes: IntVector, digests: Digests, votes: IntMatrix | None = None, n_classes: int | None = None
    ) -> "Contents":
        """Those of rows (n,) by their classes, negative for none, and the digests of their contents.

        votes (n, A): what A annotators said, of which the classes are what most of them said. n_classes: K, with them.
        """
        labelled = np.flatnonzero(codes >= 0)
        own = codes[labelled]
        _, first, content = np.unique(digests[labelled], return_index=True, return_inverse=True)
        pairs, times = np.unique(np.stack([content, own], axis=1), axis=0, return_counts=True)
        order = np.lexsort((-pairs[:, 1], times, pairs[:, 0]))  # of each content, the most frequent class comes last
        last = order[np.flatnonzero(np.diff(pairs[order, 0], append=-1))]
        common = np.full(len(codes), -1)
        common[labelled] = pairs[last, 1][content]
        if votes is None or n_classes is None:
            return cls(labelled[first], common, labelled, content, own)
        ballots = ballots_of(votes[labelled], content, np.arange(n_classes))
        common[labelled] = shares_in(ballots, n_classes).argmax(axis=1)[content]
        none = csr_array((1, ballots.shape[1]))
        return cls(labelled[first], common, labelled, content, own, csr_array(vstack([ballots, none], format="csr")))

    def said(self, rows: IntVector) -> csr_array | None:
        """What each of several annotators said of the contents of these rows, (m, A·K); None for one label per row."""
        if self.ballots is None:
            return None
        place = np.full(len(self.common), len(self.firsts))
        place[self.labelled] = self.content
        return self.ballots[place[rows]]

    def labels_of(self, firsts: IntVector) -> tuple[IntVector, IntVector, IntVector]:
        """All labels of the contents of these first rows: the place of each content among them, classes and rows."""
        place = np.full(len(self.firsts), -1)
        number = np.full(len(self.common), -1)
        number[self.firsts] = np.arange(len(self.firsts))
        place[number[firsts]] = np.arange(len(firsts))
        found = place[self.content]
        some = found >= 0
        return found[some], self.codes[some], self.labelled[some]
