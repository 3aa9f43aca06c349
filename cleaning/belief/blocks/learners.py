"""The base learners of many rows, as they judge one block: Nyström RBF, linear ridge, neighbour vote, forward model."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import cho_solve
from scipy.sparse import csr_array
from scipy.special import log_softmax

from cleaning.belief.ballots import shares_in
from cleaning.belief.base_learners import CLEAN_SHARE, signed_roots
from cleaning.belief.blocks.block import Block
from cleaning.belief.blocks.stored import Digests, Single, Stored
from cleaning.belief.blocks.work import Total
from cleaning.belief.primal_learners import CLEAN_VOTE, Voters, factored, kernel_scale, leading_axes, rbf_kernel
from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.progress import Progress
from cleaning.vectors.lengths import radius_of, soft_unit_rows

# The weight of a clean row in the ridge learners.
_CLEAN_WEIGHT = 1 / CLEAN_SHARE
# Scores are computed for up to so many entries (rows × classes) at a time, and up to so many rows.
_ENTRIES, _MOST_ROWS = 2_000_000, 8192


def rows_at_once(n_classes: int, entries: int = _ENTRIES) -> int:
    """How many rows are worked on at a time, so that they have up to so many entries (rows × classes)."""
    return max(64, min(_MOST_ROWS, entries // n_classes))


@dataclass(frozen=True, eq=False)
class Known:
    """Rows (m, d) in memory, their classes (m,) and digests (m,).

    clean: whether their labels are known to be right. voice (m, K): what the user's own model says of them, if it does.
    ballots (m, A·K): what each of A annotators said of them, if there are several.
    """

    rows: Single
    codes: IntVector
    digests: Digests
    clean: bool = False
    voice: Single | None = None
    ballots: csr_array | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, chosen: IntVector) -> "Known":
        """Some of them."""
        voice = None if self.voice is None else self.voice[chosen]
        ballots = None if self.ballots is None else self.ballots[chosen]
        return Known(self.rows[chosen], self.codes[chosen], self.digests[chosen], self.clean, voice, ballots)

    def shares(self, n_classes: int) -> csr_array | None:
        """The share of each class among the votes on each row, (m, K); None for one label per row."""
        return None if self.ballots is None else shares_in(self.ballots, n_classes)

    def split(self, classes: IntVector) -> Split:
        """The same with these numbers for the classes."""
        return Split.from_arrays(self.rows, classes[self.codes])

    def parts(self, rows: int) -> "list[Known]":
        """All of them, in parts of up to so many rows."""
        every = np.arange(len(self))
        return [self.take(every[at : at + rows]) for at in range(0, len(self), rows)]


@dataclass(frozen=True, eq=False)
class Views:
    """What the rows look like to the learners; see `plain_view` and `root_view` of the learners of few rows.

    mean and deviation (d,): of all rows. root_mean (d,), and the radius of the centred rows, of the rows as they are,
    and of their centred roots: of a sample. landmarks (p, d).
    """

    mean: Single
    deviation: Single
    root_mean: Single
    radii: tuple[float, float, float]
    landmarks: Single
    scale: float

    @classmethod
    def of(cls, mean: Single, deviation: Single, sample: Single, weights: FloatVector, landmarks: Single) -> "Views":
        """With the statistics of a sample (r, d) of rows, which count by their weights (r,), and rows as landmarks."""
        around, raw = radius_of(sample - mean), radius_of(sample)
        roots = signed_roots(sample, raw)
        root_mean = np.average(roots, axis=0, weights=weights).astype(np.float32)
        empty = np.empty((0, len(mean)), dtype=np.float32)
        found = cls(mean, deviation, root_mean, (around, raw, radius_of(roots - root_mean)), empty, 1.0)
        marks = found.roots(landmarks)
        return replace(found, landmarks=marks, scale=kernel_scale(marks))

    def plain(self, rows: Single) -> Single:
        """Centred rows of about length 1."""
        return np.asarray(soft_unit_rows(rows - self.mean, self.radii[0]), dtype=np.float32)

    def roots(self, rows: Single) -> Single:
        """Centred signed roots, of about length 1."""
        return np.asarray(
            soft_unit_rows(signed_roots(rows, self.radii[1]) - self.root_mean, self.radii[2]), dtype=np.float32
        )

    def kernel(self, roots: Single) -> Single:
        """Similarities to the landmarks, (m, p)."""
        return np.asarray(rbf_kernel(roots, self.landmarks, self.scale), dtype=np.float32)

    def standard(self, rows: Single) -> Single:
        """Each column with mean 0 and deviation 1."""
        return np.asarray((rows - self.mean) / self.deviation, dtype=np.float32)


def grams(stored: Stored, views: Views, n_classes: int, block: Block, _: Progress) -> Total:
    """sums: the Gram matrices of the plain rows and of the similarities, each with the sums by class, (K, columns)."""
    found: list[FloatMatrix] = []
    for part in block.parts(_MOST_ROWS):
        labelled = block.codes[part] >= 0
        rows = stored.block(block.start + part.start, block.start + part.stop)[labelled]
        codes = block.codes[part][labelled]
        shares = None if block.ballots is None else shares_in(block.ballots.part(part)[labelled], n_classes)
        for place, one in enumerate((views.plain(rows), views.kernel(views.roots(rows)))):
            fresh = [one.T @ one, by_class(one, codes, n_classes, shares)]
            if len(found) < 2 * place + 2:
                found += [each.astype(np.float64) for each in fresh]
            else:
                found[2 * place] += fresh[0]
                found[2 * place + 1] += fresh[1]
    return Total(tuple(found), ())


def by_class(rows: Single, codes: IntVector, n_classes: int, shares: csr_array | None = None) -> FloatMatrix:
    """The sums of the rows of each class, (K, columns). shares (m, K): how much of each row is of each class."""
    if shares is not None:
        return np.asarray(shares.T @ rows, dtype=np.float64)
    total = np.zeros((n_classes, rows.shape[1]))
    if not len(rows):
        return total
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    total[codes[order][starts]] = np.add.reduceat(rows[order], starts, axis=0, dtype=np.float64)
    return total


@dataclass(frozen=True, eq=False)
class Ridge:
    """A fitted ridge learner whose targets are gain · (one-hot label - prior); for clean rows without the gain.

    solution (p, K); inverse (p, p): that of the penalised Gram matrix.
    """

    solution: Single
    inverse: Single
    gain: float
    prior: FloatVector

    @classmethod
    def of(
        cls,
        gram: FloatMatrix,
        sums: FloatMatrix,
        penalty: FloatMatrix,
        gain: float,
        prior: FloatVector,
        clean: Single,
        codes: IntVector,
    ) -> "Ridge":
        """Fits it to the Gram matrix (p, p) and the sums by class (K, p) of the labelled rows.

        clean (m, p): rows whose classes are known to be `codes` (m,).
        """
        sure = by_class(clean, codes, len(sums))
        factor = factored(gram + penalty + _CLEAN_WEIGHT * (clean.T @ clean).astype(np.float64))
        right = (gain * _centred(sums, prior) + _CLEAN_WEIGHT * _centred(sure, prior)).T
        inverse = cho_solve(factor, np.eye(len(gram)))
        return cls(cho_solve(factor, right).astype(np.float32), inverse.astype(np.float32), gain, prior)

    def scores(self, rows: Single, codes: IntVector, *, clean: bool = False, shares: csr_array | None = None) -> Single:
        """Leave-one-out predictions (m, K); as they are for rows without a label, which were not learned from.

        shares (m, K): how much of each row's label is of each class, if not all is of one.
        """
        gain, weight = (1.0, np.float32(_CLEAN_WEIGHT)) if clean else (self.gain, np.float32(1))
        leverage = np.clip(np.einsum("ij,ij->i", rows @ self.inverse, rows) * weight, 0.0, 0.999)
        leverage = np.where(codes >= 0, leverage, 0).astype(np.float32)
        scores = rows @ self.solution
        scores += np.outer(leverage, (gain * self.prior).astype(np.float32))
        if shares is None:
            own = np.flatnonzero(codes >= 0)
            scores[own, codes[own]] -= leverage[own] * np.float32(gain)
        else:
            row, column = shares.tocoo().coords
            scores[row, column] -= leverage[row] * np.float32(gain) * shares.data.astype(np.float32)
        scores /= (1 - leverage)[:, None]
        return np.asarray(scores, dtype=np.float32)


def _centred(sums: FloatMatrix, prior: FloatVector) -> FloatMatrix:
    return np.asarray(sums - np.outer(prior, sums.sum(axis=0)))


@dataclass(frozen=True, eq=False)
class Vote:
    """The voters, with the digests of their contents (r,), and the axes (d, ·) on which rows are compared."""

    voters: Voters
    digests: Digests
    axes: Single

    @classmethod
    def of(cls, views: Views, noisy: Known, clean: Known) -> "Vote":
        """Of these rows; clean ones have more weight."""
        roots = views.roots(np.concatenate([noisy.rows, clean.rows]))
        axes = leading_axes(roots).astype(np.float32)
        codes = np.concatenate([noisy.codes, clean.codes])
        weights = np.repeat([1.0, CLEAN_VOTE], [len(noisy), len(clean)])
        return cls(Voters(roots @ axes, codes, weights), np.concatenate([noisy.digests, clean.digests]), axes)

    def scores(self, roots: Single, digests: Digests, n_classes: int) -> Single:
        """Log-shares of votes; a row and its copies do not vote for it."""
        found = self.voters.scores(roots @ self.axes, n_classes, lambda near: self.digests[near] == digests[:, None])
        return np.asarray(found, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Learners:
    """All base learners.

    forward (folds, d + 1, K), or none. heard: whether the user's own model is one more learner. deviations (learners,):
    by which scores are divided.
    """

    views: Views
    linear: Ridge
    rbf: Ridge
    vote: Vote
    forward: Single | None = None
    heard: bool = False
    deviations: FloatVector | None = None

    def scores(self, known: Known) -> Single:
        """(learners, m, K) scores in which no row is judged by its own label, standardised."""
        rows, codes, digests, clean = known.rows, known.codes, known.digests, known.clean
        roots, n_classes = self.views.roots(rows), len(self.linear.prior)
        shares = known.shares(n_classes)
        found = [
            self.rbf.scores(self.views.kernel(roots), codes, clean=clean, shares=shares),
            self.linear.scores(self.views.plain(rows), codes, clean=clean, shares=shares),
            self.vote.scores(roots, digests, n_classes),
        ]
        if self.forward is not None:
            found.append(_held_out(self.views.standard(rows), fold_of(digests, len(self.forward)), self.forward))
        if self.heard:  # it says nothing of rows without a voice
            found.append(np.zeros_like(found[0]) if known.voice is None else known.voice)
        scores = np.stack(found)
        scores -= scores.mean(axis=2, keepdims=True)
        if self.deviations is not None:
            scores /= self.deviations.astype(np.float32)[:, None, None]
        return scores

    def scores_of(self, *every: Known) -> Single:
        """The same of many rows, some of them at a time, one after the other."""
        parts = [part for known in every for part in known.parts(rows_at_once(len(self.linear.prior)))]
        return np.concatenate([self.scores(part) for part in parts], axis=1)

    def scaled_by(self, noisy: Known, clean: Known, share: float) -> "tuple[Learners, Single]":
        """The learners whose scores of all rows have deviation 1, and these scores of some noisy and of clean rows.

        share: how much of the noisy rows these are, relative to the share of the clean ones.
        """
        scores = self.scores_of(noisy, clean)
        each = np.einsum("lmk,lmk->lm", scores, scores, dtype=np.float64)
        weights = np.where(np.arange(scores.shape[1]) < len(noisy), 1.0, share)
        deviation = np.sqrt(each @ weights / (weights.sum() * scores.shape[2]))
        deviation = np.where(deviation < 1e-12, 1.0, deviation)
        scores /= deviation.astype(np.float32)[:, None, None]
        return replace(self, deviations=deviation), scores


def fold_of(digests: Digests, folds: int) -> IntVector:
    """The fold of each row: the same for copies, so that no row is judged by a model that has seen its copy."""
    return (digests % np.uint64(folds)).astype(np.int64)


def _held_out(rows: Single, fold: IntVector, models: Single) -> Single:
    scores = np.empty((len(rows), models.shape[2]), dtype=np.float32)
    for number, model in enumerate(models):
        held = fold == number
        scores[held] = log_softmax(rows[held] @ model[:-1] + model[-1], axis=1)
    return scores
