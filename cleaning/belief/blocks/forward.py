"""The forward learner of many rows: every step of its fit is a pass over the blocks."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b

import numpy as np
from scipy.sparse import csr_array

from cleaning.belief.blocks.block import Block
from cleaning.belief.blocks.learners import Known, Views, fold_of, rows_at_once
from cleaning.belief.blocks.stored import Single, Stored
from cleaning.belief.blocks.work import Arrays, Total, Work
from cleaning.belief.forward_learner import FOLDS, STEPS, TRUSTED_FLOOR, TRUSTED_WEIGHT, likelihood, minimised
from cleaning.data import FloatMatrix, IntVector
from cleaning.progress import Progress

# How often a model is probably evaluated in 12 steps of L-BFGS, for the estimate of the time that is left.
EVALUATIONS = 15
# A pass works on up to so many entries (rows × classes) at a time: few enough for the processor's cache.
_ENTRIES = 1_000_000


def forward_models(
    stored: Stored, views: Views, noise: FloatMatrix, blocks: Sequence[Block], clean: Known, work: Work, cost: float
) -> Single:
    """(folds, d + 1, K): the models of `forward_scores`, each fitted without its fold. cost: of one pass.

    clean: rows whose labels are known to be right.

    The work plans FOLDS · EVALUATIONS passes. How many there are shows on the way.
    """
    labelled = np.concatenate([block.codes for block in blocks]) >= 0
    fold = fold_of(np.concatenate([block.digests for block in blocks]), FOLDS)
    called = np.ascontiguousarray(noise.T, dtype=np.float32)
    models, expected = [], EVALUATIONS
    for number in range(FOLDS):
        sure = clean.take(np.flatnonzero(fold_of(clean.digests, FOLDS) != number))
        passes = _Passes(stored, views, called, number, blocks, sure, work, cost, expected)
        many = np.count_nonzero(labelled & (fold != number)) + TRUSTED_WEIGHT * len(sure)
        models.append(work.once(f"model{number}", partial(passes.fitted, float(many)))[0])
        work.forget(f"forward{number}-")
        if passes.done:
            less = min(passes.done - expected, 0)
            work.expect(cost * (less + (FOLDS - 1 - number) * (passes.done - expected)))
            expected = passes.done
        else:  # the model is from an earlier run
            work.advance(cost * expected, passes.note)
    return np.stack(models)


@dataclass
class _Passes:
    """The passes that the model of one fold needs; `expected` of them are planned. clean: of the other folds."""

    stored: Stored
    views: Views
    called: Single
    number: int
    blocks: Sequence[Block]
    clean: Known
    work: Work
    cost: float
    expected: int
    done: int = 0

    @property
    def note(self) -> str:
        """What is done, for people."""
        return f"model {self.number + 1} of {FOLDS}"

    def fitted(self, total: float) -> Arrays:
        """The model. total: the weight of the rows that it learns from."""
        start = np.zeros((self.stored.shape[1] + 1, self.called.shape[1]), dtype=np.float32)
        return (minimised(self._sums, start, total, STEPS),)

    def _sums(self, model: FloatMatrix) -> tuple[float, FloatMatrix]:
        self.done += 1
        if self.done > self.expected:
            self.work.expect(self.cost)
        name = f"forward{self.number}-{blake2b(model.tobytes(), digest_size=8).hexdigest()}"
        shared = (self.stored, self.views, self.called, model, self.number)
        total = self.work.over(name, _likelihoods, shared, self.blocks, self.cost, self.note)
        value, gradient = self._of_clean(model)
        return float(total.sums[0]) + value, total.sums[1] + gradient

    def _of_clean(self, model: FloatMatrix) -> tuple[float, FloatMatrix]:
        n_classes, value, gradient = model.shape[1], 0.0, np.zeros(model.shape)
        for part in self.clean.parts(rows_at_once(n_classes, _ENTRIES)):
            seen = np.full((len(part), n_classes), TRUSTED_FLOOR / n_classes, dtype=np.float32)
            seen[np.arange(len(part)), part.codes] += np.float32(1 - TRUSTED_FLOOR)
            weights = np.full(len(part), TRUSTED_WEIGHT, dtype=np.float32)
            likely, minus = likelihood(self.views.standard(part.rows), seen, weights, model, np.empty_like(seen))
            value, gradient = value + likely, gradient + minus
        return value, gradient


def _likelihoods(
    stored: Stored, views: Views, called: Single, model: Single, held_out: int, block: Block, _: Progress
) -> Total:
    """sums: the `likelihood` of the labelled rows of the other folds."""
    n_classes = model.shape[1]
    value, gradient = 0.0, np.zeros(model.shape)
    for part in block.parts(rows_at_once(n_classes, _ENTRIES)):
        kept = (fold_of(block.digests[part], FOLDS) != held_out) & (block.codes[part] >= 0)
        rows = views.standard(stored.block(block.start + part.start, block.start + part.stop)[kept])
        said = None if block.ballots is None else block.ballots.part(part)[kept]
        seen = _heard(called, block.codes[part][kept], said)
        likely, minus = likelihood(rows, seen, np.ones(len(rows), dtype=np.float32), model, np.empty_like(seen))
        value += likely
        gradient += minus
    return Total((np.array(value), gradient.astype(np.float32)), ())


def _heard(called: Single, codes: IntVector, ballots: csr_array | None) -> Single:
    """P(what each row was called | its class), (m, K); by several votes, up to a factor for each row.

    called (A·K, K): P(label | class) of each annotator; codes (m,): the label of each row; ballots (m, A·K): the votes.
    """
    if ballots is None:
        return called[codes]
    logs = ballots @ np.log(called + 1e-30)
    return np.asarray(np.exp(logs - logs.max(axis=1, keepdims=True)), dtype=np.float32)
