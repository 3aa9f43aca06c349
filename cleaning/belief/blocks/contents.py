"""Equal rows among very many: one piece of evidence, however often they are there."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from cleaning.belief.ballots import shares_in
from cleaning.belief.blocks.stored import Digests
from cleaning.belief.blocks.voted import Ballots, Votes, spans
from cleaning.data import FloatMatrix, FloatVector, IntVector


@dataclass(frozen=True, eq=False)
class Contents:
    """Which rows are equal, and what they are called.

    firsts (c,): the first labelled row with each content, ordered by digest, which does not depend on the rows' order.
    common (n,): the class that most labels of a content name, the lowest of equals; negative for rows without a label.
    labelled (l,): the rows with a label; content (l,): the number of the content of each in `firsts`; codes (l,).
    ballots: what each of A annotators said of each row and of equal ones, if there are several; drawn (1, A·K): the
    sum of that over the contents; often (K,): the sum of the shares of each class.
    """

    firsts: IntVector
    common: IntVector
    labelled: IntVector
    content: IntVector
    codes: IntVector
    ballots: Ballots | None = None
    drawn: FloatMatrix | None = None
    often: FloatVector | None = None

    @classmethod
    def of(
        cls, codes: IntVector, digests: Digests, votes: Votes | None = None, classes: IntVector | None = None
    ) -> "Contents":
        """Those of rows (n,) by their classes, negative for none, and the digests of their contents.

        votes: what A annotators said, of which the classes are what most of them said. classes (K,): the numbers that
        these have in the votes.
        """
        labelled = np.flatnonzero(codes >= 0)
        own = codes[labelled]
        _, first, content = np.unique(digests[labelled], return_index=True, return_inverse=True)
        pairs, times = np.unique(np.stack([content, own], axis=1), axis=0, return_counts=True)
        order = np.lexsort((-pairs[:, 1], times, pairs[:, 0]))  # of each content, the most frequent class comes last
        last = order[np.flatnonzero(np.diff(pairs[order, 0], append=-1))]
        common = np.full(len(codes), -1)
        common[labelled] = pairs[last, 1][content]
        plain = cls(labelled[first], common, labelled, content, own)
        if votes is None or classes is None:
            return plain
        several = np.bincount(content) > 1
        place = np.full(len(codes), -1)
        place[labelled] = np.where(several, np.cumsum(several) - 1, -1)[content]
        return plain._with(Ballots.of(votes, classes, place))

    def _with(self, ballots: Ballots) -> "Contents":
        """The same with what annotators said."""
        common, n_classes = self.common.copy(), len(ballots.classes)
        drawn, often = np.zeros((1, ballots.votes.shape[1] * n_classes)), np.zeros(n_classes)
        is_first = np.isin(np.arange(len(common)), self.firsts)
        for span in spans(len(common)):
            said, own = ballots.part(span), self.common[span] >= 0
            common[span][own] = shares_in(said[own], n_classes).argmax(axis=1)
            first = said[is_first[span]]
            drawn += first.sum(axis=0)
            often += shares_in(first, n_classes).sum(axis=0)
        return replace(self, common=common, ballots=ballots, drawn=drawn, often=often)

    def said(self, rows: IntVector) -> csr_array | None:
        """What each of several annotators said of the contents of these rows, (m, A·K); None for one label per row."""
        return None if self.ballots is None else self.ballots.take(rows)

    def labels_of(self, firsts: IntVector) -> tuple[IntVector, IntVector, IntVector]:
        """All labels of the contents of these first rows: the place of each content among them, classes and rows."""
        place = np.full(len(self.firsts), -1)
        number = np.full(len(self.common), -1)
        number[self.firsts] = np.arange(len(self.firsts))
        place[number[firsts]] = np.arange(len(firsts))
        found = place[self.content]
        some = found >= 0
        return found[some], self.codes[some], self.labelled[some]
