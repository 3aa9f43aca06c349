"""Leave-one-out class scores for many rows: learners in the primal form, without any rows × rows matrix."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from cleaning.belief.base_learners import (
    LINEAR_GAIN,
    RBF_WIDTH,
    Evidence,
    log_shares,
    plain_view,
    root_view,
    squared_distances,
    standardised,
)
from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.vectors.neighbours import nearest

# Of the Nyström map. Time grows with their square.
LANDMARKS = 640
# The neighbour vote: reference rows, principal components, neighbours, and the weight of a clean row's vote. The last
# two are those of the dense learners' graph.
REFERENCE = 6000
VOTE_COLUMNS = 96
NEIGHBOURS = 30
CLEAN_VOTE = 2.5
_BLOCK = 8192


def primal_scores(evidence: Evidence, rng: np.random.Generator) -> FloatMatrix:
    """(3, m, K) leave-one-out scores in float32: Nyström RBF, linear ridge, neighbour vote.

    rng draws landmarks and the reference rows of the vote. Time grows with m · (d² + landmarks² + reference · 96),
    memory with m · d. Standardised like `dense_scores`.
    """
    features = evidence.features.astype(np.float32, copy=False)
    weights, targets = 1 / evidence.noise_weights(), evidence.centred_targets()
    rbf_noise, linear_noise = evidence.noise_variances()
    roots = root_view(features)
    landmarks, scale = drawn_landmarks(roots, rng)
    penalty = landmark_penalty(landmarks, scale, rbf_noise)
    scores = np.empty((3, *targets.shape), dtype=np.float32)
    scores[0] = _ridge(lambda block: rbf_kernel(roots[block], landmarks, scale), penalty, targets, weights)
    targets *= np.where(weights > 1, 1.0, LINEAR_GAIN)[:, None]
    flat = np.eye(features.shape[1]) * linear_noise
    scores[1] = _ridge(plain_view(features).__getitem__, flat, targets, weights)
    del targets
    scores[2] = _vote(roots, evidence, rng)
    return standardised(scores)


def drawn_landmarks(roots: FloatMatrix, rng: np.random.Generator) -> tuple[FloatMatrix, float]:
    """Some of the rows for the Nyström map, and the scale of the RBF kernel."""
    landmarks = roots[np.sort(rng.choice(len(roots), min(LANDMARKS, len(roots)), replace=False))]
    return landmarks, kernel_scale(landmarks)


def kernel_scale(landmarks: FloatMatrix) -> float:
    """The scale of the RBF kernel to these landmarks."""
    return 2 * RBF_WIDTH * max(float(np.median(squared_distances(landmarks @ landmarks.T))), 1e-6)


def landmark_penalty(landmarks: FloatMatrix, scale: float, noise: float) -> FloatMatrix:
    """The penalty of the ridge on the kernel to the landmarks, with the noise variance of a noisy row."""
    among = rbf_kernel(landmarks, landmarks, scale).astype(np.float64)
    return np.asarray((among + 1e-4 * np.eye(len(among))) * noise)


def rbf_kernel(rows: FloatMatrix, landmarks: FloatMatrix, scale: float) -> FloatMatrix:
    """The kernel between rows and landmarks."""
    kernel = rows @ landmarks.T
    kernel -= np.einsum("ij,ij->i", rows, rows)[:, None] / 2
    kernel -= np.einsum("ij,ij->i", landmarks, landmarks) / 2
    kernel *= 2 / scale
    return np.asarray(np.exp(kernel, out=kernel))


def _ridge(
    rows_of: Callable[[slice], FloatMatrix], penalty: FloatMatrix, targets: FloatMatrix, weights: FloatVector
) -> FloatMatrix:
    """Leave-one-out predictions (m, K) of weighted ridge: (f - h y) / (1 - h), with h the hat matrix's diagonal.

    rows_of: computes a block of the m rows. It is called twice for each, so that only one block is in memory.
    """
    gram = penalty.copy()
    right = np.zeros((len(penalty), targets.shape[1]))
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(targets), _BLOCK)]
    for block in blocks:
        rows = rows_of(block)
        weighted = rows * weights[block, None].astype(rows.dtype)
        gram += weighted.T @ rows
        right += weighted.T @ targets[block].astype(rows.dtype)
    factor = factored(gram)
    solution = cho_solve(factor, right).astype(np.float32)
    inverse = cho_solve(factor, np.eye(len(gram))).astype(np.float32)
    scores = np.empty(targets.shape, dtype=np.float32)
    for block in blocks:
        rows = rows_of(block)
        leverage = np.einsum("ij,ij->i", rows @ inverse, rows) * weights[block]
        leverage = np.clip(leverage, 0.0, 0.999)[:, None]
        scores[block] = (rows @ solution - leverage * targets[block]) / (1 - leverage)
    return scores


def factored(gram: FloatMatrix) -> Any:
    """What `cho_solve` needs, for a matrix that float32 rounding may have made indefinite, as with few columns."""
    for jitter in (0.0, 1e-6, 1e-5, 1e-4, 1e-3):
        try:
            return cho_factor(gram + jitter * float(np.diag(gram).mean()) * np.eye(len(gram)))
        except np.linalg.LinAlgError:
            continue
    return cho_factor(gram + np.diag(np.abs(gram).sum(axis=1)))  # diagonally dominant, so always possible


def _vote(rows: FloatMatrix, evidence: Evidence, rng: np.random.Generator) -> FloatMatrix:
    """Log-shares of the votes of nearby reference rows, on the leading principal components, own label left out."""
    reference, reduced = drawn_references(rows, evidence, rng)
    voters = Voters(reduced[reference], evidence.labels[reference], vote_weights(evidence)[reference])
    return voters.scores(reduced, evidence.n_classes, lambda index: reference[index] == np.arange(len(rows))[:, None])


def drawn_references(rows: FloatMatrix, evidence: Evidence, rng: np.random.Generator) -> tuple[IntVector, FloatMatrix]:
    """The numbers of the rows that vote, and all rows on the leading principal components."""
    clean = np.arange(evidence.noisy, len(rows))
    clean = clean if len(clean) <= REFERENCE // 2 else np.sort(rng.choice(clean, REFERENCE // 2, replace=False))
    noisy = rng.choice(evidence.noisy, min(evidence.noisy, REFERENCE - len(clean)), replace=False)
    reference = np.concatenate([np.sort(noisy), clean])
    return reference, np.ascontiguousarray(rows @ leading_axes(rows[reference]))


def similarity(distance: FloatMatrix) -> FloatMatrix:
    """The weight of a vote by the squared distance between rows of about length 1."""
    return np.asarray(np.maximum(1 - distance / 2, 0) ** 2)


def vote_weights(evidence: Evidence) -> FloatVector:
    """The weight of each row's vote, (m,)."""
    return np.where(evidence.noise_weights() < 1, CLEAN_VOTE, 1.0)


def log_tally(tally: FloatMatrix) -> FloatMatrix:
    """The scores (m, K) for the votes of each row's neighbours."""
    return log_shares(tally + 1e-6).astype(np.float32)


def leading_axes(rows: FloatMatrix) -> FloatMatrix:
    """The axes of most variance, (d, up to 96): eigh sorts ascending, so they are its last columns."""
    return np.asarray(np.linalg.eigh(rows.T @ rows)[1][:, -VOTE_COLUMNS:])


@dataclass(frozen=True, eq=False)
class Voters:
    """Reference rows on the leading axes, their labels, and the weights of their votes."""

    rows: FloatMatrix
    labels: IntVector
    weights: FloatVector

    def scores(self, rows: FloatMatrix, n_classes: int, own: Callable[[IntVector], NDArray[np.bool_]]) -> FloatMatrix:
        """Log-shares of the votes of the nearest voters, (m, K), float32.

        own: which of the voters numbered (m, neighbours) must not vote for a row, since they are the row itself.
        """
        distance, index = nearest(rows, self.rows, NEIGHBOURS + 1)
        similar = similarity(distance) * self.weights[index]
        similar[own(index)] = 0.0
        tally = _tally(similar, self.labels[index], n_classes)
        return log_tally(tally)


def _tally(weights: FloatMatrix, labels: IntVector, n_classes: int) -> FloatMatrix:
    rows = np.arange(len(labels))[:, None] * n_classes + labels
    tally = np.bincount(rows.ravel(), weights.ravel(), minlength=len(labels) * n_classes)
    return np.asarray(tally, dtype=np.float64).reshape(-1, n_classes)
