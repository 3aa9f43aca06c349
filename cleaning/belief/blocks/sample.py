"""The rows that the stack is fitted on: a sample of the noisy ones, and clean ones."""

from dataclasses import dataclass

import numpy as np

from cleaning.belief.base_learners import Evidence, standardised
from cleaning.belief.blocks.learners import Known, Learners
from cleaning.belief.blocks.stored import Single
from cleaning.belief.count import Count, Judged, count_wrong
from cleaning.belief.forward_learner import forward_scores
from cleaning.belief.stacking import Stack, fit_stack
from cleaning.data import FloatMatrix, FloatVector, IntVector


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows for the stack, one of each content.

    group (r,) and given (r,): the noisy row whose content each label is of, and its class. share: how much of the noisy
    rows these are, relative to the share of the clean ones.
    """

    noisy: Known
    clean: Known
    group: IntVector
    given: IntVector
    share: float = 1.0

    def scores(self, learners: Learners) -> tuple[Learners, Single]:
        """The learners whose scores of all rows have deviation 1, and the scores of these rows."""
        return learners.scaled_by(self.noisy, self.clean, self.share)

    def stack(self, scores: Single, *, gold: bool = False) -> Stack:
        """The stack for these scores, with gold correction if asked for."""
        votes = self._votes(scores.shape[2])
        return fit_stack(scores, votes, len(self.noisy), before=np.empty((0, scores.shape[2])), gold=gold)

    def alone(self) -> "Sample":
        """The noisy rows only."""
        return Sample(self.noisy, self.clean.take(np.empty(0, dtype=np.int64)), self.group, self.given)

    def predicted(self, stack: Stack, scores: Single) -> FloatVector:
        """The log-likelihood of each noisy label by a belief that does not know it."""
        before = stack.before_label(scores[:, : len(self.noisy)])
        likely = np.einsum("ic,ci->i", before, stack.noise[:, self.noisy.codes])
        return np.asarray(np.log(likely + 1e-300), dtype=np.float64)

    def predicted_forward(self, stack: Stack, scores: Single) -> FloatVector:
        """The same with a forward learner of these rows as one more, which passes through the noise of this stack."""
        n_classes = scores.shape[2]
        rows = np.concatenate([self.noisy.rows, self.clean.rows])
        evidence = Evidence(rows, self._votes(n_classes), len(self.noisy), np.empty((0, n_classes)))
        more = standardised(forward_scores(evidence, stack.noise, np.random.default_rng(0))[None])
        scores = np.concatenate([scores, more])
        return self.predicted(self.stack(scores), scores)

    def count(self, stack: Stack, scores: Single, gold: Stack | None) -> Count:
        """How many of the noisy labels are wrong. gold: the stack with gold correction, if any row is clean."""
        plain = self.judged(stack, scores)
        return count_wrong(plain, None if gold is None else self.judged(gold, scores))

    def judged(self, stack: Stack, scores: Single) -> Judged:
        """What the stack says of these rows."""
        many = len(self.noisy)
        votes = self._votes(scores.shape[2])
        return Judged(stack.logits(scores), votes, many, stack.noise, self.group, self.given)

    def _votes(self, n_classes: int) -> FloatMatrix:
        many = len(self.noisy)
        votes = np.zeros((many + len(self.clean), n_classes))
        np.add.at(votes, (self.group, self.given), 1 / np.bincount(self.group, minlength=many)[self.group])
        votes[np.arange(many, len(votes)), self.clean.codes] = 1
        return votes
