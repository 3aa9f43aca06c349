"""Base learners that remember what does not depend on labels, and so follow a review without being fitted anew.

Rows that were checked or left out change the targets, and the weights of a few rows: factorisations are updated by as
many ranks as rows have changed, and neighbours are kept. Nothing depends on earlier updates.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import cho_solve
from scipy.sparse import csr_array

from cleaning.belief.base_learners import (
    LINEAR_GAIN,
    Evidence,
    as_solved,
    inverse,
    kernels,
    log_arrived,
    plain_view,
    resolvent,
    root_view,
    spread_labels,
    standardised,
)
from cleaning.belief.primal_learners import (
    NEIGHBOURS,
    drawn_landmarks,
    drawn_references,
    factored,
    landmark_penalty,
    log_tally,
    rbf_kernel,
    similarity,
    vote_weights,
)
from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.vectors.neighbours import nearest


@dataclass(frozen=True, eq=False)
class Placed:
    """Evidence about rows that learners remember: `place` (m,) is the remembered row of each row of the evidence.

    A remembered row has no place if it was left out, and two if one of several copies was checked.
    """

    evidence: Evidence
    place: IntVector
    rows: int

    @cached_property
    def _at(self) -> csr_array:
        count = len(self.place)
        return csr_array((np.ones(count), (self.place, np.arange(count))), shape=(self.rows, count))

    def gathered(self, values: FloatMatrix) -> FloatMatrix:
        """The sum of the (m, …) values at each remembered row, (rows, …)."""
        return np.asarray(self._at @ values)

    @cached_property
    def targets(self) -> tuple[FloatMatrix, FloatMatrix]:
        """Those of the RBF and of the linear learner, (m, K)."""
        targets, weights = self.evidence.centred_targets(), self.evidence.noise_weights()
        return targets, targets * np.where(weights < 1, 1.0, LINEAR_GAIN)[:, None]


@dataclass(frozen=True, eq=False)
class _Ridge:
    """rows (r, p) float32 with weights (r,); gram (p, p): penalty included, with its inverse; reach (r,): φᵀ G⁻¹ φ."""

    rows: FloatMatrix
    weights: FloatVector
    gram: FloatMatrix
    inverse: FloatMatrix
    reach: FloatVector

    @classmethod
    def of(cls, rows: FloatMatrix, penalty: FloatMatrix, weights: FloatVector) -> "_Ridge":
        gram = penalty + (rows * weights[:, None].astype(rows.dtype)).T @ rows
        inverted = cho_solve(factored(gram), np.eye(len(gram))).astype(np.float32)
        return cls(rows, weights, gram, inverted, np.einsum("ij,ij->i", rows @ inverted, rows))

    def scores(self, placed: Placed, targets: FloatMatrix) -> FloatMatrix:
        """Leave-one-out predictions, (m, K)."""
        weights = 1 / placed.evidence.noise_weights()
        by = placed.gathered(weights) - self.weights
        changed = np.flatnonzero(np.abs(by) > 1e-9)
        among = self.rows[changed]
        factor = factored(self.gram + among.T.astype(np.float64) @ (by[changed, None] * among))
        right = self.rows.T @ placed.gathered(targets * weights[:, None]).astype(np.float32)
        found = self.rows @ cho_solve(factor, right.astype(np.float64)).astype(np.float32)
        leverage = np.clip(self._reach(by, changed, factor)[placed.place] * weights, 0.0, 0.999)[:, None]
        return np.asarray((found[placed.place] - leverage * targets) / (1 - leverage), dtype=np.float32)

    def _reach(self, by: FloatVector, changed: IntVector, factor: Any) -> FloatVector:
        """With the weights changed `by` so much: of low rank where few have changed (Woodbury)."""
        if 2 * len(changed) > len(self.gram):
            inverted = cho_solve(factor, np.eye(len(self.gram))).astype(np.float32)
            return np.asarray(np.einsum("ij,ij->i", self.rows @ inverted, self.rows), dtype=np.float64)
        among = self.inverse @ self.rows[changed].T
        core = np.linalg.inv(np.diag(1 / by[changed]) + self.rows[changed] @ among).astype(np.float32)
        across = self.rows @ among
        return np.asarray(self.reach - np.einsum("ij,ij->i", across @ core, across), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Votes:
    """The nearest reference rows of each of r rows, index and distance (r, k); reduced: rows to find more with."""

    reduced: FloatMatrix
    reference: IntVector
    index: IntVector
    distance: FloatMatrix

    @classmethod
    def of(cls, roots: FloatMatrix, evidence: Evidence, rng: np.random.Generator) -> "_Votes":
        reference, reduced = drawn_references(roots, evidence, rng)
        distance, index = nearest(reduced, reduced[reference], NEIGHBOURS + 1)
        return cls(reduced, reference, reference[index], distance.astype(np.float32))

    def scores(self, placed: Placed) -> FloatMatrix:
        """Log-shares of the votes, (m, K), without those of the row itself."""
        evidence, rows = placed.evidence, len(self.reduced)
        own = np.eye(evidence.n_classes)[evidence.labels] * vote_weights(evidence)[:, None]
        # checked rows vote in any case
        index, distance = self._with(np.setdiff1d(placed.place[len(placed.place) - evidence.checked :], self.reference))
        similar = similarity(distance)
        start = np.arange(0, index.size + 1, index.shape[1])
        near = csr_array((similar.ravel(), index.ravel(), start), shape=(rows, rows))
        itself = (similar * (index == np.arange(rows)[:, None])).sum(axis=1)
        tally = np.asarray(near @ placed.gathered(own))[placed.place] - itself[placed.place, None] * own
        return log_tally(np.maximum(tally, 0))

    def _with(self, more: IntVector) -> tuple[IntVector, FloatMatrix]:
        """The neighbours of each row, the reference rows `more` included."""
        if not len(more):
            return self.index, self.distance
        length = np.einsum("ij,ij->i", self.reduced, self.reduced)
        apart = np.maximum(length[:, None] + length[more] - 2 * (self.reduced @ self.reduced[more].T), 0)
        hit = np.flatnonzero((apart < self.distance.max(axis=1)[:, None]).any(axis=1))
        index, distance, count = self.index.copy(), self.distance.copy(), self.index.shape[1]
        far = np.concatenate([distance[hit], apart[hit]], axis=1)
        which = np.concatenate([index[hit], np.broadcast_to(more, apart[hit].shape)], axis=1)
        kept = np.argpartition(far, count - 1, axis=1)[:, :count]
        index[hit], distance[hit] = np.take_along_axis(which, kept, axis=1), np.take_along_axis(far, kept, axis=1)
        return index, distance


@dataclass(frozen=True, eq=False)
class ManyRows:
    """The learners of `primal_scores`."""

    rbf: _Ridge
    linear: _Ridge
    votes: _Votes

    @classmethod
    def of(cls, evidence: Evidence, rng: np.random.Generator) -> "ManyRows":
        """Fitted on the same landmarks and reference rows as `primal_scores` draws from this generator."""
        features = evidence.features.astype(np.float32, copy=False)
        weights, (rbf_noise, linear_noise) = 1 / evidence.noise_weights(), evidence.noise_variances()
        linear = _Ridge.of(plain_view(features), np.eye(features.shape[1]) * linear_noise, weights)
        roots = root_view(features)
        landmarks, scale = drawn_landmarks(roots, rng)
        penalty = landmark_penalty(landmarks, scale, rbf_noise)
        rbf = _Ridge.of(rbf_kernel(roots, landmarks, scale), penalty, weights)
        return cls(rbf, linear, _Votes.of(roots, evidence, rng))

    def scores(self, placed: Placed) -> FloatMatrix:
        """(3, m, K), standardised."""
        targets, amplified = placed.targets
        rbf, linear = self.rbf.scores(placed, targets), self.linear.scores(placed, amplified)
        return standardised(np.stack([rbf, linear, self.votes.scores(placed)]))


@dataclass(frozen=True, eq=False)
class _Process:
    """A Gaussian process: inverted (r, r) = (K + noise)⁻¹ for the noise (r,)."""

    inverted: FloatMatrix
    noise: FloatVector

    @classmethod
    def of(cls, kernel: FloatMatrix, noise: FloatVector) -> "_Process":
        return cls(inverse(kernel + np.diag(noise)).astype(np.float32), noise)

    def scores(self, placed: Placed, targets: FloatMatrix, noise: FloatVector) -> FloatMatrix:
        """Leave-one-out means, (m, K), for rows with this noise (m,).

        Rows of one place are one observation of less noise; what is left of it without one of them is added back.
        """
        place = placed.place
        precision = placed.gathered(1 / noise)
        known = np.maximum(precision, 1e-12)
        mean = placed.gathered(targets / noise[:, None]) / known[:, None]
        gone = precision < 1e-12
        more = np.where(gone, np.inf, 1 / known - self.noise)
        changed = np.flatnonzero(np.abs(more) > 1e-9)
        across = self.inverted[:, changed].astype(np.float64)
        core = np.linalg.inv(np.diag(1 / more[changed]) + across[changed])
        spread = across @ core
        weights = self.inverted @ mean - spread @ (across.T @ mean)
        diagonal = np.maximum(np.diag(self.inverted) - np.einsum("ij,ij->i", spread, across), 1e-12)[place]
        without = mean[place] - weights[place] / diagonal[:, None]
        others = precision[place] - 1 / noise
        if not (others > 1e-9).any():
            return np.asarray(without)
        latent = 1 / np.maximum(1 / diagonal - 1 / precision[place], 1e-12)
        rest = mean[place] * precision[place, None] - targets / noise[:, None]
        joined = (without * latent[:, None] + rest) / (latent + others)[:, None]
        return np.asarray(np.where((others > 1e-9)[:, None], joined, without))


@dataclass(frozen=True, eq=False)
class FewRows:
    """The learners of `dense_scores`: for each view RBF and linear process, and the resolvent of label spreading."""

    views: tuple[tuple[_Process, _Process, FloatMatrix], ...]

    @classmethod
    def of(cls, evidence: Evidence) -> "FewRows":
        """Fitted on this evidence."""
        rbf_noise, linear_noise = evidence.noise_variances()
        weights, views = evidence.noise_weights(), []
        for view in (plain_view, root_view):
            kernel, product, similar = kernels(as_solved(view(evidence.features)))
            rbf, linear = _Process.of(kernel, rbf_noise * weights), _Process.of(product, linear_noise * weights)
            views.append((rbf, linear, resolvent(similar).astype(np.float32)))
        return cls(tuple(views))

    def scores(self, placed: Placed) -> FloatMatrix:
        """(6, m, K), standardised."""
        evidence, place, found = placed.evidence, placed.place, []
        weights, labels = evidence.noise_weights(), spread_labels(evidence)
        gathered = placed.gathered(labels)
        for *processes, spread in self.views:
            for one, targets, noise in zip(processes, placed.targets, evidence.noise_variances(), strict=True):
                found.append(one.scores(placed, targets, noise * weights))
            found.append(log_arrived((spread @ gathered)[place] - np.diag(spread)[place, None] * labels))
        return standardised(np.stack(found))
