"""The last pass over very many rows: what is believed about each, and about the annotators if there are several."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from scipy.special import softmax

from cleaning.belief.ballots import bits_told, voted_on
from cleaning.belief.blocks.block import Block
from cleaning.belief.blocks.learners import Known, Learners, rows_at_once
from cleaning.belief.blocks.predicted import Predicted
from cleaning.belief.blocks.stored import Single, Stored
from cleaning.belief.blocks.work import Arrays, Total
from cleaning.belief.stacking import Stack, given_votes, guessed_share, with_guesses
from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.progress import Progress


@dataclass(frozen=True, eq=False)
class Annotators:
    """What is believed about A annotators of n rows.

    quality (A,): P(a vote is right). told (A,): how much a missing vote should tell about the label of a row with other
    votes, in bits, on average; NaN if none is missing. ask (n,): whose missing vote should tell most, or -1. A vote on
    a row is one on all rows that are equal.
    """

    quality: FloatVector
    told: FloatVector
    ask: IntVector

    @classmethod
    def of(cls, noise: FloatMatrix, sums: Arrays, ask: IntVector) -> "Annotators":
        """noise: of a stack. sums: of `judged`."""
        share, told, absent = sums
        n_classes = len(share)
        right = np.einsum("cac->ac", noise.reshape(n_classes, -1, n_classes))
        return cls(right @ share / share.sum(), np.where(absent > 0, told / np.maximum(absent, 1), np.nan), ask)


def judged(
    stored: Stored, predicted: Predicted | None, learners: Learners, stack: Stack, block: Block, _: Progress
) -> Total:
    """rows: suspicion (NaN without a label), suggestion, and the probability that it is right, of one block.

    With several annotators, also rows: whose vote to ask for; and sums: of the beliefs of rows with votes, (K,); of the
    bits that missing votes should tell, (A,); and how many are missing, (A,).
    """
    found: list[Arrays] = []
    sums: list[Arrays] = []
    weights, offset = stack.weights.astype(np.float32), stack.offset.astype(np.float32)
    for part in block.parts(rows_at_once(len(offset))):
        codes, common = block.codes[part], block.common[part]
        start, stop = block.start + part.start, block.start + part.stop
        voice = None if predicted is None else predicted.voice(start, stop)
        ballots = None if block.ballots is None else block.ballots.part(part)
        known = Known(stored.block(start, stop), common, block.digests[part], voice=voice, ballots=ballots)
        belief = softmax(np.tensordot(weights, learners.scores(known), 1) + offset, axis=1)
        own = np.flatnonzero(codes >= 0)
        belief[own] = _told(belief[own], stack, common[own], None if ballots is None else ballots[own])
        more: Arrays = ()
        if ballots is not None:
            told, missing = votes_missing(belief[own], stack.noise, ballots[own])
            sums.append((belief[own].sum(axis=0, dtype=np.float64), told.sum(axis=0), missing.sum(axis=0)))
            more = (np.full(len(codes), -1),)
            more[0][own] = to_ask(told)
        found.append((*_of_rows(belief, codes, own), *more))
    total = tuple(np.sum(one, axis=0) for one in zip(*sums, strict=True))
    return Total(total, tuple(np.concatenate(one) for one in zip(*found, strict=True)))


def _told(before: FloatMatrix, stack: Stack, common: IntVector, ballots: csr_array | None) -> FloatMatrix:
    """The beliefs (m, K) about rows with labels, by what these are."""
    guessed = guessed_share(before.shape[1])
    if ballots is not None:
        return given_votes(before, stack.row_noise, ballots, guessed)
    looks = before[np.arange(len(common)), common]
    column = np.ascontiguousarray(stack.row_noise.T, dtype=np.float32)[common]
    belief = before * with_guesses(column, looks, np.float32(guessed))
    return np.asarray(belief / np.maximum(belief.sum(axis=1, keepdims=True), np.float32(1e-30)))


def _of_rows(belief: Single, codes: IntVector, own: IntVector) -> Arrays:
    """Suspicion, suggestion and its probability of each row. own: the rows with a label."""
    best, most = belief.argmax(axis=1), belief.max(axis=1)
    given = belief[own, codes[own]]
    best[own] = np.where(most[own] > given, best[own], codes[own])
    doubt = np.full(len(codes), np.nan, dtype=np.float32)
    without = belief[own]
    without[np.arange(len(own)), codes[own]] = 0
    doubt[own] = np.clip(without.sum(axis=1), 0, 1)
    return doubt, best, most


def votes_missing(belief: FloatMatrix, noise: FloatMatrix, ballots: csr_array) -> tuple[FloatMatrix, FloatMatrix]:
    """How much each missing vote should tell, (m, A), 0 where there is one; and 1 where it is missing, (m, A).

    As in `Consensus.missing`.
    """
    missing = ~voted_on(ballots, belief.shape[1])
    told = np.zeros(missing.shape)
    for one, matrix in enumerate(np.split(noise, missing.shape[1], axis=1)):
        told[missing[:, one], one] = np.maximum(bits_told(belief[missing[:, one]], matrix), 0)
    return told, missing.astype(np.float64)


def to_ask(told: FloatMatrix) -> IntVector:
    """Whose missing vote should tell most of each row, (m,), or -1, by the first number of `votes_missing`."""
    if not len(told):
        return np.empty(0, dtype=np.int64)
    best = told.argmax(axis=1)
    return np.where(told[np.arange(len(best)), best] > 0, best, -1)
