"""The forward learner of many rows: every step of its fit is a pass over the blocks."""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b

import numpy as np

from cleaning.belief.blocks.learners import Views, fold_of
from cleaning.belief.blocks.stored import Block, Single, Stored
from cleaning.belief.blocks.work import Arrays, Total, Work
from cleaning.belief.forward_learner import FOLDS, STEPS, likelihood, minimised
from cleaning.data import FloatMatrix
from cleaning.progress import Progress

# How often a model is evaluated in 12 steps of L-BFGS, for the estimate of the time that is left.
EVALUATIONS = 14
# A pass works on up to so many entries (rows × classes) at a time: few enough for the processor's cache.
_ENTRIES, _MOST_ROWS = 1_000_000, 8192


def forward_models(
    stored: Stored, views: Views, noise: FloatMatrix, blocks: Sequence[Block], work: Work, cost: float
) -> Single:
    """(folds, d + 1, K): the models of `forward_scores`, each fitted without its fold. cost: of one pass."""
    labelled = np.concatenate([block.codes for block in blocks]) >= 0
    fold = fold_of(np.concatenate([block.digests for block in blocks]), FOLDS)
    called = np.ascontiguousarray(noise.T, dtype=np.float32)
    start = np.zeros((stored.shape[1] + 1, len(noise)), dtype=np.float32)
    models, before = [], work.done
    for number in range(FOLDS):
        note = f"model {number + 1} of {FOLDS}"

        def sums(model: FloatMatrix, number: int = number, note: str = note) -> tuple[float, FloatMatrix]:
            name = f"forward{number}-{blake2b(model.tobytes(), digest_size=8).hexdigest()}"
            shared = (stored, views, called, model, number)
            total = work.over(name, _likelihoods, shared, blocks, cost, note)
            return float(total.sums[0]), total.sums[1]

        many = float(np.count_nonzero(labelled & (fold != number)))
        models.append(work.once(f"model{number}", partial(_fitted, sums, start, many))[0])
        work.forget(f"forward{number}-")
        work.reach(before + (number + 1) * EVALUATIONS * cost)
    return np.stack(models)


def _fitted(sums: Callable[[FloatMatrix], tuple[float, FloatMatrix]], start: Single, total: float) -> Arrays:
    return (minimised(sums, start, total, STEPS),)


def _likelihoods(
    stored: Stored, views: Views, called: Single, model: Single, held_out: int, block: Block, _: Progress
) -> Total:
    """sums: the `likelihood` of the labelled rows of the other folds."""
    n_classes = model.shape[1]
    value, gradient = 0.0, np.zeros(model.shape)
    for part in block.parts(max(64, min(_MOST_ROWS, _ENTRIES // n_classes))):
        kept = (fold_of(block.digests[part], FOLDS) != held_out) & (block.codes[part] >= 0)
        rows = views.standard(stored.block(block.start + part.start, block.start + part.stop)[kept])
        seen = called[block.codes[part][kept]]
        likely, minus = likelihood(rows, seen, np.ones(len(rows), dtype=np.float32), model, np.empty_like(seen))
        value += likely
        gradient += minus
    return Total((np.array(value), gradient.astype(np.float32)), ())
