"""How many labels are wrong among very many rows, at first and after some have been looked at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cleaning.belief.basis import STACKED_ROWS
from cleaning.belief.blocks.contents import Contents
from cleaning.belief.blocks.learners import Known, Learners
from cleaning.belief.blocks.predicted import Predicted
from cleaning.belief.blocks.sample import Facts, Sample, one_hot
from cleaning.belief.blocks.stored import Single, Stored
from cleaning.belief.blocks.trusted import Noisy
from cleaning.belief.count import Count
from cleaning.belief.shown import shown_by
from cleaning.belief.stacking import Stack, guessed_share
from cleaning.data import FloatVector, IntVector

# So many of the most suspicious rows are judged anew after decisions; the sample speaks for the others.
_CERTAIN = 4000


@dataclass(frozen=True, eq=False)
class Recount:
    """Counts the wrong labels of very many rows by a sample of them.

    sample: rows to count by. stack and gold: fitted on them before anything was looked at; gold: None without clean
    rows.
    """

    stored: Stored
    predicted: Predicted | None
    noisy: Noisy
    contents: Contents
    learners: Learners
    sample: Sample
    stack: Stack
    gold: Stack | None

    def first(self, scores: Single) -> Count:
        """How many labels are wrong, before any was looked at. scores: of the sample."""
        labelled = int(np.count_nonzero(self.noisy.codes >= 0))
        return _scaled(self.sample.count(self.stack, scores, self.gold), labelled, len(self.sample.given))

    def after(self, ahead: NDArray[np.bool_], suspicion: FloatVector, checked: IntVector, right: IntVector) -> Count:
        """How many labels of the rows `ahead` (n,) are wrong, after the labels `right` (c,) of the rows `checked` (c,)
        have become facts. These rows had a label. suspicion (n,): before anything was looked at.

        As in `next_round`, they tell of the noise, and of how far off the beliefs are; the bounds that need no model
        are those of the rows ahead. What the learners say of other rows stays what it was. The interval also covers
        beliefs that are off by more or less where rows are less suspicious than those that were looked at.
        """
        some, many = self.sample.among(ahead), int(np.count_nonzero(ahead))
        if not len(some.given):
            return Count(float(suspicion[ahead].sum()), 0.0, float(many))
        scores, stack, gold = self.learners.scores_of(some.noisy, some.clean), self.stack, self.gold
        facts = self._facts(checked, right) if len(checked) else None
        if facts is not None and len(facts.known.right):
            learnt, weight = facts.known, len(some.given) / many
            stack = some.stack(scores, facts=learnt, weight=weight, earlier=stack)
            gold = None if gold is None else some.stack(scores, gold=True, facts=learnt, weight=weight, earlier=gold)
        count = _scaled(some.count(stack, scores, gold), many, len(some.given))
        if facts is None:
            return count
        shown = _suspicion(stack, facts.scores, facts.said, facts.given)
        others, weights = self._others(stack, some, some.suspicion(stack, scores), ahead, suspicion)
        return shown_by(shown, facts.wrong).counted(others, count, weights)

    def _others(
        self, stack: Stack, some: Sample, sampled: FloatVector, ahead: NDArray[np.bool_], suspicion: FloatVector
    ) -> tuple[FloatVector, FloatVector]:
        """The suspicion of rows `ahead`, and how many rows each stands for: the most suspicious ones for themselves,
        the others of the sample, with the suspicion `sampled`, for all others.
        """
        many, digests = int(np.count_nonzero(ahead)), self.noisy.digests
        if many == len(some.given):
            return sampled, np.ones(many)
        rows = np.flatnonzero(ahead)
        top = rows[np.lexsort((digests[rows], -suspicion[rows]))[:_CERTAIN]]
        first = _suspicion(stack, self._scores(top), self._said(top), self.noisy.codes[top])
        rest = sampled[~np.isin(some.rows, top)]
        if not len(rest):
            return first, np.full(len(top), many / len(top))
        each = np.full(len(rest), (many - len(top)) / len(rest))
        return np.concatenate([first, rest]), np.concatenate([np.ones(len(top)), each])

    def _facts(self, rows: IntVector, right: IntVector) -> Facts:
        """One for each content, and no more than the stack is fitted on."""
        classes = self.noisy.classes
        _, first = np.unique(self.noisy.digests[rows], return_index=True)
        if len(first) > STACKED_ROWS:
            first = np.random.default_rng(0).choice(first, STACKED_ROWS, replace=False)
        rows, right = rows[first], right[first]
        place = np.minimum(np.searchsorted(classes, right), len(classes) - 1)
        code = np.where(classes[place] == right, place, -1)
        return Facts(self._scores(rows), code, self.noisy.codes[rows], self._said(rows))

    def _said(self, rows: IntVector) -> csr_array:
        """What rows with the contents of these were called, (m, K), or (m, A·K) for A annotators."""
        said = self.contents.said(rows)
        return one_hot(self.contents.common[rows], len(self.noisy.classes)) if said is None else said

    def _scores(self, rows: IntVector) -> Single:
        voice = None if self.predicted is None else self.predicted.take(rows)
        common, digests = self.contents.common[rows], self.noisy.digests[rows]
        said = self.contents.said(rows)
        return self.learners.scores_of(Known(self.stored.take(rows), common, digests, voice=voice, ballots=said))


def _suspicion(stack: Stack, scores: Single, said: csr_array, given: IntVector) -> FloatVector:
    """P(the label `given` is wrong) of each row, (m,), by its features and by what it is called."""
    belief = stack.posterior(scores, said, guessed_share(scores.shape[2]))
    return np.asarray(1 - belief[np.arange(len(given)), given])


def _scaled(sampled: Count, rows: int, drawn: int) -> Count:
    """The count among so many rows, as a share of the rows that of the `drawn` ones.

    A sample says less of chance than all rows do, so the interval is rather too wide.
    """
    expected, low, high = (rows / drawn * one for one in sampled)
    return Count(expected, float(np.floor(low)), float(np.ceil(high)))
