"""How many labels are wrong among very many rows, at first and after some have been looked at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaning.belief.basis import STACKED_ROWS
from cleaning.belief.blocks.contents import Contents
from cleaning.belief.blocks.learners import Known, Learners
from cleaning.belief.blocks.predicted import Predicted
from cleaning.belief.blocks.sample import Facts, Sample
from cleaning.belief.blocks.stored import Single, Stored
from cleaning.belief.blocks.trusted import Noisy
from cleaning.belief.count import Count
from cleaning.belief.shown import between, shown_by
from cleaning.belief.stacking import Stack, given_votes, guessed_share
from cleaning.data import FloatVector, IntVector


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

    def after(self, ahead: NDArray[np.bool_], checked: IntVector, right: IntVector) -> Count:
        """How many labels of the rows `ahead` (n,) are wrong, after the labels `right` (c,) of the rows `checked` (c,)
        have become facts. These rows had a label.

        As in `next_round`, they tell of the noise, and of how far off the beliefs are; the bounds that need no model
        are those of the rows ahead. What the learners say of other rows stays what it was. The interval also covers
        beliefs that are off by more or less where rows are less suspicious than those that were looked at.
        """
        some = self.sample.among(ahead)
        many = int(np.count_nonzero(ahead))
        if not len(some.given):
            return Count(0.0, 0.0, float(many))
        scores = self.learners.scores_of(some.noisy, some.clean)
        stack, gold = self.stack, self.gold
        facts = self._facts(checked, right) if len(checked) else None
        if facts is not None and len(facts.known.right):
            learnt = facts.known
            stack = some.stack(scores, facts=learnt, earlier=stack)
            gold = None if gold is None else some.stack(scores, gold=True, facts=learnt, earlier=gold)
        count = some.count(stack, scores, gold)
        if facts is not None:
            shown, ahead_of = _suspicion(stack, facts), some.suspicion(stack, scores)
            count = shown_by(shown, facts.wrong).counted(ahead_of, count)
            less, more = between(shown, facts.wrong, ahead_of)
            count = Count(count.expected, min(count.low, np.floor(less)), max(count.high, np.ceil(more)))
        return _scaled(count, many, len(some.given))

    def _facts(self, rows: IntVector, right: IntVector) -> Facts:
        """One for each content, and no more than the stack is fitted on."""
        classes, digests = self.noisy.classes, self.noisy.digests
        _, first = np.unique(digests[rows], return_index=True)
        if len(first) > STACKED_ROWS:
            first = np.random.default_rng(0).choice(first, STACKED_ROWS, replace=False)
        rows, right = rows[first], right[first]
        place = np.minimum(np.searchsorted(classes, right), len(classes) - 1)
        code = np.where(classes[place] == right, place, -1)
        voice = None if self.predicted is None else self.predicted.take(rows)
        known = Known(self.stored.take(rows), self.contents.common[rows], digests[rows], voice=voice)
        return Facts(self.learners.scores_of(known), code, self.noisy.codes[rows])


def _suspicion(stack: Stack, facts: Facts) -> FloatVector:
    """P(the label was wrong) of each, by the features and by the label that it had."""
    before, rows = stack.before_label(facts.scores), np.arange(len(facts.given))
    votes = np.eye(before.shape[1])[facts.given]
    return np.asarray(1 - given_votes(before, stack.noise, votes, guessed_share(before.shape[1]))[rows, facts.given])


def _scaled(sampled: Count, rows: int, drawn: int) -> Count:
    """The count among so many rows, as a share of the rows that of the `drawn` ones.

    A sample says less of chance than all rows do, so the interval is rather too wide.
    """
    expected, low, high = (rows / drawn * one for one in sampled)
    return Count(expected, float(np.floor(low)), float(np.ceil(high)))
