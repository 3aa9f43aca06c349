"""Equal rows among very many: one piece of evidence, however often they are there."""

from dataclasses import dataclass

import numpy as np

from cleaning.belief.blocks.stored import Digests
from cleaning.data import IntVector


@dataclass(frozen=True, eq=False)
class Contents:
    """Which rows are equal, and what they are called.

    firsts (c,): the first labelled row with each content, ordered by digest, which does not depend on the rows' order.
    common (n,): the class that most labels of a content name, the lowest of equals; negative for rows without a label.
    labelled (l,): the rows with a label; content (l,): the number of the content of each in `firsts`; codes (l,).
    """

    firsts: IntVector
    common: IntVector
    labelled: IntVector
    content: IntVector
    codes: IntVector

    @classmethod
    def of(cls, codes: IntVector, digests: Digests) -> "Contents":
        """Those of rows (n,) by their classes, negative for none, and the digests of their contents."""
        labelled = np.flatnonzero(codes >= 0)
        own = codes[labelled]
        _, first, content = np.unique(digests[labelled], return_index=True, return_inverse=True)
        pairs, times = np.unique(np.stack([content, own], axis=1), axis=0, return_counts=True)
        order = np.lexsort((-pairs[:, 1], times, pairs[:, 0]))  # of each content, the most frequent class comes last
        last = order[np.flatnonzero(np.diff(pairs[order, 0], append=-1))]
        common = np.full(len(codes), -1)
        common[labelled] = pairs[last, 1][content]
        return cls(labelled[first], common, labelled, content, own)

    def labels_of(self, firsts: IntVector) -> tuple[IntVector, IntVector, IntVector]:
        """All labels of the contents of these first rows: the place of each content among them, classes and rows."""
        place = np.full(len(self.firsts), -1)
        number = np.full(len(self.common), -1)
        number[self.firsts] = np.arange(len(self.firsts))
        place[number[firsts]] = np.arange(len(firsts))
        found = place[self.content]
        some = found >= 0
        return found[some], self.codes[some], self.labelled[some]
