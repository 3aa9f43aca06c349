"""How many labels are wrong among very many rows, at first and after some have been looked at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cleaning.belief.basis import STACKED_ROWS
from cleaning.belief.blocks.contents import Contents
from cleaning.belief.blocks.learners import Known, Learners
from cleaning.belief.blocks.predicted import Predicted
from cleaning.belief.blocks.said import Annotators, to_ask, votes_missing
from cleaning.belief.blocks.sample import Facts, Sample, one_hot
from cleaning.belief.blocks.stored import Single, Stored
from cleaning.belief.blocks.trusted import Noisy
from cleaning.belief.count import Count
from cleaning.belief.shown import shown_by
from cleaning.belief.stacking import Stack, guessed_share
from cleaning.data import FloatMatrix, FloatVector, IntVector

# So many of the most suspicious rows are judged anew after decisions; the sample speaks for the others.
_CERTAIN = 4000


@dataclass(frozen=True, eq=False)
class Later:
    """How many labels of open rows are wrong, and what is believed about the annotators, if there are several."""

    count: Count
    annotators: Annotators | None


@dataclass(frozen=True, eq=False)
class Recount:
    """Counts the wrong labels of very many rows by a sample of them.

    sample: rows to count by. stack and gold: fitted on them before anything was looked at; gold: None without clean
    rows. annotators: what was believed about them then, if there are several.
    """

    stored: Stored
    predicted: Predicted | None
    noisy: Noisy
    contents: Contents
    learners: Learners
    sample: Sample
    stack: Stack
    gold: Stack | None
    annotators: Annotators | None

    def first(self, scores: Single) -> Count:
        """How many labels are wrong, before any was looked at. scores: of the sample."""
        labelled = int(np.count_nonzero(self.noisy.codes >= 0))
        return _scaled(self.sample.count(self.stack, scores, self.gold), labelled, len(self.sample.given))

    def after(self, ahead: NDArray[np.bool_], suspicion: FloatVector, checked: IntVector, right: IntVector) -> Later:
        """What is believed of the rows `ahead` (n,), after the labels `right` (c,) of the rows `checked` (c,) have
        become facts. These rows had a label. suspicion (n,): before anything was looked at.

        As in `next_round`, they tell of the noise, and of how far off the beliefs are; the bounds that need no model
        are those of the rows ahead. What the learners say of other rows stays what it was. The interval also covers
        beliefs that are off by more or less where rows are less suspicious than those that were looked at.
        """
        some, many = self.sample.among(ahead), int(np.count_nonzero(ahead))
        if not len(some.given):
            return Later(Count(float(suspicion[ahead].sum()), 0.0, float(many)), self.annotators)
        scores, stack, gold = self.learners.scores_of(some.noisy, some.clean), self.stack, self.gold
        facts = self._facts(checked, right) if len(checked) else None
        if facts is not None and len(facts.known.right):
            learnt, weight = facts.known, len(some.given) / many
            stack = some.stack(scores, facts=learnt, weight=weight, earlier=stack)
            gold = None if gold is None else some.stack(scores, gold=True, facts=learnt, weight=weight, earlier=gold)
        sampled, top = some.belief(stack, scores), self._top(some, ahead, suspicion)
        first = _belief(stack, self._scores(top), self._said(top)) if len(top) else sampled[:0]
        annotators = self._annotators(stack, some, sampled, top, first)
        count = _scaled(some.count(stack, scores, gold), many, len(some.given))
        if facts is None:
            return Later(count, annotators)
        shown = _wrong(_belief(stack, facts.scores, facts.said), facts.given)
        rest = ~np.isin(some.rows, top)
        others = np.concatenate([_wrong(first, self.noisy.codes[top]), _wrong(sampled[some.group], some.given)[rest]])
        return Later(shown_by(shown, facts.wrong).counted(others, count, _weights(many, len(top), others)), annotators)

    def _top(self, some: Sample, ahead: NDArray[np.bool_], suspicion: FloatVector) -> IntVector:
        """The most suspicious rows `ahead`, which are judged anew; none if all rows are in the sample."""
        rows, digests = np.flatnonzero(ahead), self.noisy.digests
        if len(rows) == len(some.given):
            return rows[:0]
        return rows[np.lexsort((digests[rows], -suspicion[rows]))[:_CERTAIN]]

    def _annotators(
        self, stack: Stack, some: Sample, sampled: FloatMatrix, top: IntVector, first: FloatMatrix
    ) -> Annotators | None:
        """What is believed about the annotators by the rows of the sample; `first`: the beliefs about the rows `top`.

        Whom to ask about other rows stays what it was.
        """
        if self.annotators is None or some.noisy.ballots is None:
            return None
        told, missing = votes_missing(sampled, stack.noise, some.noisy.ballots)
        rows, ask = np.bincount(some.group, minlength=len(sampled)), self.annotators.ask.copy()
        ask[some.rows] = to_ask(told)[some.group]
        ask[top] = to_ask(votes_missing(first, stack.noise, self._said(top))[0])
        return Annotators.of(stack.noise, (rows @ sampled, rows @ told, rows @ missing), ask)

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


def _belief(stack: Stack, scores: Single, said: csr_array) -> FloatMatrix:
    """The beliefs about rows, (m, K), by their features and by what they are called."""
    return stack.posterior(scores, said, guessed_share(scores.shape[2]))


def _wrong(belief: FloatMatrix, given: IntVector) -> FloatVector:
    """P(the label `given` is wrong) of each row, (m,)."""
    return np.asarray(1 - belief[np.arange(len(given)), given], dtype=np.float64)


def _weights(rows: int, top: int, suspicion: FloatVector) -> FloatVector:
    """How many of so many rows each of these stands for: the `top` ones for themselves, the others for all others."""
    rest = len(suspicion) - top
    if not rest:
        return np.full(top, rows / top)
    return np.repeat([1.0, (rows - top) / rest], [top, rest])


def _scaled(sampled: Count, rows: int, drawn: int) -> Count:
    """The count among so many rows, as a share of the rows that of the `drawn` ones.

    A sample says less of chance than all rows do, so the interval is rather too wide.
    """
    expected, low, high = (rows / drawn * one for one in sampled)
    return Count(expected, float(np.floor(low)), float(np.ceil(high)))
