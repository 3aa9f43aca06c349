"""The rows that the stack is fitted on: a sample of the noisy ones, and clean ones."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from cleaning.belief.ballots import shares_of
from cleaning.belief.base_learners import Evidence, standardised
from cleaning.belief.blocks.learners import Known, Learners
from cleaning.belief.blocks.stored import Single
from cleaning.belief.count import Count, Judged, count_wrong
from cleaning.belief.forward_learner import forward_scores
from cleaning.belief.stacking import Stack, fit_stack, guessed_share, log_likelihood
from cleaning.data import FloatMatrix, FloatVector, IntVector


@dataclass(frozen=True, eq=False)
class Facts:
    """Rows that somebody has looked at, with the scores (learners, c, K) of the learners.

    right (c,) and given (c,): their classes now and before; right is -1 for a class that no other row has. said (c, K),
    or (c, A·K) for A annotators: what equal rows were called before.
    """

    scores: Single
    right: IntVector
    given: IntVector
    said: csr_array

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Whether the label was wrong, (c,)."""
        return np.not_equal(self.right, self.given)

    @property
    def known(self) -> "Facts":
        """Those of classes that other rows have."""
        kept = np.flatnonzero(self.right >= 0)
        return Facts(self.scores[:, kept], self.right[kept], self.given[kept], self.said[kept])


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows for the stack, one of each content.

    group (r,) and given (r,): the noisy row whose content each label is of, and its class; rows (r,): the numbers of
    the labelled rows. share: how much of the noisy rows these are, relative to the share of the clean ones.
    """

    noisy: Known
    clean: Known
    group: IntVector
    given: IntVector
    rows: IntVector
    share: float = 1.0

    def scores(self, learners: Learners) -> tuple[Learners, Single]:
        """The learners whose scores of all rows have deviation 1, and the scores of these rows."""
        return learners.scaled_by(self.noisy, self.clean, self.share)

    def stack(
        self,
        scores: Single,
        *,
        gold: bool = False,
        facts: Facts | None = None,
        weight: float = 1.0,
        earlier: Stack | None = None,
    ) -> Stack:
        """The stack for these scores, with gold correction if asked for. earlier: where to begin; see `fit_stack`.

        weight: how much a fact counts. Where the noisy rows are a sample of all open ones, it is their share.
        """
        n_classes, ballots = scores.shape[2], self.noisy.ballots
        votes, before = self._votes(n_classes), np.empty((0, n_classes if ballots is None else ballots.shape[1]))
        if facts is not None:
            each = np.eye(n_classes)
            votes = np.concatenate([votes, weight * each[facts.right]])
            before = each[facts.given] if ballots is None else facts.said.toarray()
            scores = np.concatenate([scores, facts.scores], axis=1)
        many = len(self.noisy)
        return fit_stack(scores, votes, many, before=before, gold=gold, ballots=ballots, earlier=earlier)

    def alone(self) -> "Sample":
        """The noisy rows only."""
        return replace(self, clean=self.clean.take(np.empty(0, dtype=np.int64)), share=1.0)

    def among(self, kept: NDArray[np.bool_]) -> "Sample":
        """The same without the labels of rows that are not kept, (n,)."""
        some = kept[self.rows]
        noisy, group = np.unique(self.group[some], return_inverse=True)
        return replace(self, noisy=self.noisy.take(noisy), group=group, given=self.given[some], rows=self.rows[some])

    def predicted(self, stack: Stack, scores: Single) -> FloatVector:
        """The log-likelihood of each noisy label, or of the votes, by a belief that does not know it."""
        said = self.noisy.ballots
        if said is None:
            said = one_hot(self.noisy.codes, scores.shape[2])
        return log_likelihood(stack.before_label(scores[:, : len(self.noisy)]), stack.noise, said)

    def predicted_forward(self, stack: Stack, scores: Single) -> FloatVector:
        """The same with a forward learner of these rows as one more, which passes through the noise of this stack."""
        n_classes = scores.shape[2]
        rows = np.concatenate([self.noisy.rows, self.clean.rows])
        none, ballots = np.empty((0, n_classes)), self.noisy.ballots
        evidence = Evidence(rows, self._votes(n_classes), len(self.noisy), none, ballots)
        more = standardised(forward_scores(evidence, stack.noise, np.random.default_rng(0))[None])
        scores = np.concatenate([scores, more])
        return self.predicted(self.stack(scores), scores)

    def count(self, stack: Stack, scores: Single, gold: Stack | None) -> Count:
        """How many of the noisy labels are wrong. gold: the stack with gold correction, if any row is clean."""
        plain = self.judged(stack, scores)
        return count_wrong(plain, None if gold is None else self.judged(gold, scores))

    def belief(self, stack: Stack, scores: Single) -> FloatMatrix:
        """The beliefs about the noisy rows, by their features and by what they are called."""
        many, n_classes = len(self.noisy), scores.shape[2]
        said = self._votes(n_classes)[:many] if self.noisy.ballots is None else self.noisy.ballots
        return stack.posterior(scores[:, :many], said, guessed_share(n_classes))

    def judged(self, stack: Stack, scores: Single) -> Judged:
        """What the stack says of these rows."""
        many = len(self.noisy)
        votes = self._votes(scores.shape[2])
        seen = scores, stack.logits(scores), votes, many
        return Judged(*seen, stack.noise, self.group, self.given, self.noisy.ballots)

    def _votes(self, n_classes: int) -> FloatMatrix:
        many = len(self.noisy)
        votes = np.zeros((many + len(self.clean), n_classes))
        if self.noisy.ballots is None:
            np.add.at(votes, (self.group, self.given), 1 / np.bincount(self.group, minlength=many)[self.group])
        else:
            votes[:many] = shares_of(self.noisy.ballots, n_classes)
        votes[np.arange(many, len(votes)), self.clean.codes] = 1
        return votes


def one_hot(codes: IntVector, n_classes: int) -> csr_array:
    """The label of each row as its only vote, (m, K)."""
    return csr_array((np.ones(len(codes)), codes, np.arange(len(codes) + 1)), shape=(len(codes), n_classes))
