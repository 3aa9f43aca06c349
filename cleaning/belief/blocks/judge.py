"""Beliefs about very many rows, with the statistics of `label_posterior`, by blocks.

Every pass reads the rows from their file; what is kept in memory grows with the rows only by a few numbers for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from cleaning.belief.base_learners import LINEAR_GAIN, noise_variances
from cleaning.belief.basis import STACKED_ROWS
from cleaning.belief.blocks.forward import EVALUATIONS, forward_models
from cleaning.belief.blocks.learners import Learners, Ridge, Views, Vote, grams, rows_at_once
from cleaning.belief.blocks.scan import scanned
from cleaning.belief.blocks.stored import Block, Digests, Single, Stored, block_rows, blocks_of
from cleaning.belief.blocks.work import Arrays, Total, Work
from cleaning.belief.caveats import Caveat, Unused, caveats_of
from cleaning.belief.count import Count, Judged, count_wrong, misjudged
from cleaning.belief.forward_learner import FOLDS
from cleaning.belief.primal_learners import LANDMARKS, REFERENCE, Voters, landmark_penalty, leading_axes
from cleaning.belief.stacking import Stack, classes_fitted, fit_stack, guessed_share
from cleaning.data import FloatMatrix, IntVector, Split
from cleaning.errors import InvalidInput, Place
from cleaning.parallel.engine import SERIAL, Engine, connected
from cleaning.progress import Progress, silent

# Rows are judged by blocks where `label_posterior` would need more bytes than this. It takes about so many bytes for
# each number, and for each row and class.
_MOST_BYTES, _PER_NUMBER, _PER_CLASS = 2_000_000_000, 12, 80
# What a row costs, measured in multiplications: in the fit of a stack for each class, and in the count.
_PER_STACKED, _PER_COUNTED, _PER_COUNTED_CLASS = 130_000.0, 300_000.0, 2_500.0


@dataclass(frozen=True, eq=False)
class Judgement:
    """What is believed about n rows.

    suspicion (n,): P(the given label is wrong), NaN for a row without a label. suggestion (n,): the most probable
    class. probability (n,): P(the suggestion is right). copy_of (n,): the first row with the same content, or -1.
    noise_matrix (K, K), rows sum to 1, for the classes (K,) that labels name. count: of wrong labels, None where the
    data cannot tell; deviations: those of `misjudged`.
    """

    suspicion: NDArray[np.float32]
    suggestion: IntVector
    probability: NDArray[np.float32]
    copy_of: IntVector
    classes: IntVector
    noise_matrix: FloatMatrix
    count: Count | None
    deviations: tuple[float, float]
    caveats: tuple[Caveat, ...]


def too_large(n: int, width: int, n_classes: int) -> bool:
    """Whether so many rows are judged by blocks."""
    return n * (_PER_NUMBER * width + _PER_CLASS * n_classes) > _MOST_BYTES and n_classes > 1


def judge_stored(
    stored: Stored,
    labels: IntVector,
    *,
    seed: int = 0,
    folder: Path | None = None,
    engine: Engine = SERIAL,
    progress: Progress = silent,
) -> Judgement:
    """Judges rows (n, d) in a file by their labels (n,), negative for none.

    folder: where finished work is kept, so that a run that was killed goes on; only for the same rows, labels and
    seed. Raises InvalidInput for fewer than two classes and for numbers that cannot be used.
    """
    classes, codes = np.unique(labels, return_inverse=True)
    codes -= int(np.count_nonzero(classes < 0))
    classes = classes[classes >= 0]
    codes = np.where(labels < 0, -1, codes)
    if len(classes) < 2:
        raise InvalidInput(Place(key="labels"), "there are fewer than two classes", "give labels of two or more")
    cost = _Cost.of(len(stored), stored.shape[1], len(classes))
    work = Work(folder, engine, progress, cost.planned)
    rows = block_rows(len(stored))
    spans = [(at, min(at + rows, len(stored))) for at in range(0, len(stored), rows)]
    with connected(engine):
        found = work.over("scan", scanned, (stored, seed), spans, cost.scan, "reading the rows")
        blocks = blocks_of(codes, found.rows[0], rows)
        return _Judging(stored, codes, found.rows[0], classes, blocks, work, cost, seed).judgement(found)


@dataclass(frozen=True)
class _Cost:
    """The cost of the passes, in multiplications."""

    scan: float
    grams: float
    forward: float
    judge: float
    stack: float
    count: float

    @classmethod
    def of(cls, n: int, width: int, n_classes: int) -> "_Cost":
        learned = width**2 + 2 * width * LANDMARKS + LANDMARKS**2 + REFERENCE * 96
        judge = learned + n_classes * (2 * width + LANDMARKS + 150.0)
        drawn = min(n, STACKED_ROWS)
        return cls(
            n * width * 60.0,
            n * float(width**2 + width * LANDMARKS + LANDMARKS**2),
            n * (2.0 * width + 20) * n_classes * (FOLDS - 1) / FOLDS,
            n * judge,
            drawn * (judge + _PER_STACKED * classes_fitted(n_classes)),
            drawn * (_PER_COUNTED + _PER_COUNTED_CLASS * n_classes),
        )

    @property
    def planned(self) -> float:
        """The cost of all passes."""
        forward = FOLDS * EVALUATIONS * self.forward
        return self.scan + self.grams + 2 * self.stack + forward + self.judge + self.count


@dataclass(frozen=True, eq=False)
class _Judging:
    stored: Stored
    codes: IntVector
    digests: Digests
    classes: IntVector
    blocks: Sequence[Block]
    work: Work
    cost: _Cost
    seed: int

    def judgement(self, scan: Total) -> Judgement:
        """The two stacks one after the other, and what the second one says of every row. scan: of `scanned`."""
        rng = np.random.default_rng(self.seed)
        firsts = self._distinct()
        landmarks, voters, drawn = (
            rng.choice(firsts, min(count, len(firsts)), replace=False) for count in (LANDMARKS, REFERENCE, STACKED_ROWS)
        )
        learners = self._learners(self._views(scan, landmarks), voters)
        sample = _Sample(self.stored.take(drawn), self.codes[drawn], self.digests[drawn])
        note = "what the noise looks like"
        noise = self.work.once("noise", lambda: (sample.stack(sample.scores(learners)[1]).noise,))[0]
        self.work.advance(self.cost.stack, note)
        cost = self.cost.forward
        models = forward_models(self.stored, learners.views, noise, self.blocks, self.work, cost)
        learners, scores = sample.scores(replace(learners, forward=models))
        stack = Stack(*self.work.once("stack", lambda: _as_arrays(sample.stack(scores))))
        self.work.advance(self.cost.stack, note)
        shared, note = (self.stored, learners, stack), "beliefs about the labels"
        found = self.work.over("judged", judged, shared, self.blocks, self.cost.judge, note).rows
        judgement = self._judgement(found, stack, sample, scores)
        self.work.advance(self.cost.count, "how many are wrong")
        return judgement

    def _judgement(self, found: Arrays, stack: Stack, sample: "_Sample", scores: Single) -> Judgement:
        suspicion, suggestion, probability = found
        given = self.classes[self.codes[self.codes >= 0]]
        some = Split.from_arrays(sample.rows, self.classes[sample.codes])
        caveats = caveats_of(given, some, None, Unused(0, 0, 0))
        hidden = any(one.hides_count for one in caveats)
        return Judgement(
            suspicion=suspicion,
            suggestion=self.classes[suggestion],
            probability=probability,
            copy_of=self._copies(),
            classes=self.classes,
            noise_matrix=stack.noise,
            count=None if hidden else _scaled(sample.count(stack, scores), len(sample.codes), suspicion),
            deviations=misjudged(0, len(self.classes)),
            caveats=caveats,
        )

    def _distinct(self) -> IntVector:
        """The first labelled row with each content, ordered by digest, which does not depend on the rows' order."""
        labelled = np.flatnonzero(self.codes >= 0)
        return labelled[np.unique(self.digests[labelled], return_index=True)[1]]

    def _copies(self) -> IntVector:
        _, first, number = np.unique(self.digests, return_index=True, return_inverse=True)
        original = first[number]
        return np.where(original == np.arange(len(original)), -1, original)

    def _views(self, scan: Total, landmarks: IntVector) -> Views:
        n = len(self.stored)
        mean, square, root = (one / n for one in scan.sums)
        deviation = np.sqrt(np.maximum(square - mean**2, 0))
        deviation = np.where(deviation < 1e-6 * np.maximum(np.abs(mean), 1e-6), 1.0, deviation)
        single = [one.astype(np.float32) for one in (mean, deviation, root)]
        empty = np.empty((0, len(mean)), dtype=np.float32)
        return Views(single[0], single[1], single[2], empty).with_landmarks(self.stored.take(landmarks))

    def _learners(self, views: Views, voters: IntVector) -> Learners:
        n_classes = len(self.classes)
        shared = (self.stored, views, n_classes)
        total = self.work.over("grams", grams, shared, self.blocks, self.cost.grams, "what the classes look like")
        plain, plain_sums, near, near_sums = total.sums
        frequency = np.bincount(self.codes[self.codes >= 0], minlength=n_classes) / np.count_nonzero(self.codes >= 0)
        prior = 0.5 * frequency + 0.5 / n_classes
        rbf_noise, linear_noise = noise_variances(n_classes)
        penalty = landmark_penalty(views.landmarks, views.scale, rbf_noise)
        roots = views.roots(self.stored.take(voters))
        axes = leading_axes(roots).astype(np.float32)
        reference = Voters(roots @ axes, self.codes[voters], np.ones(len(voters)))
        return Learners(
            views,
            Ridge.of(plain, plain_sums, np.eye(len(plain)) * linear_noise, LINEAR_GAIN, prior),
            Ridge.of(near, near_sums, penalty, 1.0, prior),
            Vote(reference, self.digests[voters], axes),
        )


def judged(stored: Stored, learners: Learners, stack: Stack, block: Block, _: Progress) -> Total:
    """rows: suspicion (NaN without a label), suggestion, and the probability that it is right, of one block."""
    suspicion, suggestion, probability = [], [], []
    weights, offset = stack.weights.astype(np.float32), stack.offset.astype(np.float32)
    called = np.ascontiguousarray(stack.noise.T, dtype=np.float32)
    guessed = np.float32(guessed_share(len(offset)))
    for part in block.parts(rows_at_once(len(offset))):
        codes = block.codes[part]
        rows = stored.block(block.start + part.start, block.start + part.stop)
        scores = learners.scores(rows, codes, block.digests[part])
        belief = softmax(np.tensordot(weights, scores, 1) + offset, axis=1)
        own = np.flatnonzero(codes >= 0)
        looks = belief[own, codes[own]]
        belief[own] *= (1 - guessed) * called[codes[own]] + guessed * looks[:, None]
        belief /= np.maximum(belief.sum(axis=1, keepdims=True), np.float32(1e-30))
        best, most = belief.argmax(axis=1), belief.max(axis=1)
        given = belief[own, codes[own]]
        best[own] = np.where(most[own] > given, best[own], codes[own])
        belief[own, codes[own]] = 0
        doubt = np.full(len(codes), np.nan, dtype=np.float32)
        doubt[own] = np.clip(belief[own].sum(axis=1), 0, 1)
        suspicion.append(doubt)
        suggestion.append(best)
        probability.append(most)
    return Total((), tuple(np.concatenate(one) for one in (suspicion, suggestion, probability)))


def _as_arrays(stack: Stack) -> Arrays:
    return stack.weights, stack.offset, stack.noise


@dataclass(frozen=True, eq=False)
class _Sample:
    """The rows that the stack is fitted on."""

    rows: Single
    codes: IntVector
    digests: Digests

    def scores(self, learners: Learners) -> tuple[Learners, Single]:
        """The learners whose scores of these rows have deviation 1, and these scores."""
        return learners.scaled_by(self.rows, self.codes, self.digests)

    def stack(self, scores: Single) -> Stack:
        """The stack for these scores."""
        n_classes = scores.shape[2]
        return fit_stack(scores, np.eye(n_classes)[self.codes], len(self.codes), before=np.empty((0, n_classes)))

    def count(self, stack: Stack, scores: Single) -> Count:
        """How many of these labels are wrong."""
        votes, numbers = np.eye(scores.shape[2])[self.codes], np.arange(len(self.codes))
        return count_wrong(Judged(stack.logits(scores), votes, len(votes), stack.noise, numbers, self.codes), None)


def _scaled(sampled: Count, drawn: int, suspicion: NDArray[np.float32]) -> Count:
    """The count among all labelled rows, as a share of the rows that of the sample.

    A sample says less of chance than all rows do, so the interval is rather too wide.
    """
    n = int(np.count_nonzero(~np.isnan(suspicion)))
    expected, low, high = (n / drawn * one for one in sampled)
    return Count(expected, float(np.floor(low)), float(np.ceil(high)))
