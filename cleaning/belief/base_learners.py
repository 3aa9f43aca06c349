"""Closed-form leave-one-out class scores: what the features and the other rows' labels say of each row."""

from dataclasses import dataclass

import numpy as np

from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.vectors.neighbours import unit_rows

# Heavy noise variances (of two classes) are what lets a learner doubt labels; clean rows carry a share of them.
_CLEAN_SHARE = 0.15
_RBF_NOISE, _LINEAR_NOISE = 3.0, 30.0
RBF_WIDTH, LINEAR_GAIN = 0.15, 2.0
_GRAPH_NEIGHBOURS, _GRAPH_ALPHA, _GRAPH_CLEAN_WEIGHT = 30, 0.5, 2.5


@dataclass(frozen=True, eq=False)
class Evidence:
    """Rows to learn from: `noisy` training rows first, then clean ones.

    features (m, d) float; labels (m,) classes 0 … n_classes-1, all present; noisy: how many of the rows are noisy.
    """

    features: FloatMatrix
    labels: IntVector
    noisy: int
    n_classes: int

    def noise_weights(self) -> FloatVector:
        """The noise variance of each row relative to that of a noisy row, (m,)."""
        return np.where(np.arange(len(self.labels)) < self.noisy, 1.0, _CLEAN_SHARE)

    def noise_variances(self) -> tuple[float, float]:
        """Those of a noisy row in the RBF and the linear learner: less with more classes, each of which has fewer rows.

        3 and 30 for two classes, 0.9 and 2.7 for ten (chosen for the precision of the posterior on cases with two and
        with ten classes); in between with log₂ of the number of classes and its square.
        """
        bits = float(np.log2(max(self.n_classes, 2)))
        return _RBF_NOISE / bits, _LINEAR_NOISE / bits**2

    def centred_targets(self) -> FloatMatrix:
        """One-hot labels minus a class prior, halfway between the (clean, if any) frequencies and uniform, (m, K)."""
        targets = np.eye(self.n_classes)[self.labels]
        trusted = targets[self.noisy :] if self.noisy < len(targets) else targets
        return np.asarray(targets - (0.5 * trusted.mean(axis=0) + 0.5 / self.n_classes))


def views(features: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix]:
    """Two scales of the same (m, d) features, centred, rows of length 1.

    As given, and with signed square roots taken of the unit rows, which tames the few large entries of pooled
    activations (the Hellinger map).
    """
    roots = unit_rows(features)
    roots = np.sign(roots) * np.sqrt(np.abs(roots))
    return unit_rows(features - features.mean(axis=0)), unit_rows(roots - roots.mean(axis=0))


def dense_scores(evidence: Evidence) -> FloatMatrix:
    """(6, m, K) leave-one-out scores: Gaussian processes (RBF, linear) and label spreading on both views.

    Costs m³ and holds a few m × m matrices: for some thousands of rows. Standardised as by `standardised`.
    """
    scores = []
    rbf_noise, linear_noise = evidence.noise_variances()
    for rows in views(evidence.features):
        cosine = rows @ rows.T
        distance = np.maximum(2 - 2 * cosine, 0)
        median = float(np.median(distance[np.triu_indices(len(rows), 1)])) if len(rows) > 1 else 1.0
        targets, weights = evidence.centred_targets(), evidence.noise_weights()
        kernel = np.exp(-distance / (2 * RBF_WIDTH * max(median, 1e-12)))
        scores.append(_gaussian_process(kernel, targets, rbf_noise * weights))
        loud = targets * np.where(weights < 1, 1.0, LINEAR_GAIN)[:, None]
        scores.append(_gaussian_process(cosine, loud, linear_noise * weights))
        scores.append(_spread(cosine, evidence))
    return standardised(np.stack(scores))


def standardised(scores: FloatMatrix) -> FloatMatrix:
    """(learners, m, K) scores: the classes of a row sum to 0, and each learner has deviation 1 over all entries."""
    centred = scores - scores.mean(axis=2, keepdims=True)
    deviation = centred.std(axis=(1, 2), keepdims=True)
    return np.asarray(centred / np.where(deviation < 1e-12, 1.0, deviation))


def _gaussian_process(kernel: FloatMatrix, targets: FloatMatrix, noise: FloatVector) -> FloatMatrix:
    """Leave-one-out means f₋ᵢ = yᵢ - [M y]ᵢ / Mᵢᵢ with M = (K + noise)⁻¹ (Rasmussen and Williams, equation 5.12)."""
    inverse = np.linalg.inv(kernel + np.diag(noise))
    return np.asarray(targets - (inverse @ targets) / np.diag(inverse)[:, None])


def _spread(cosine: FloatMatrix, evidence: Evidence) -> FloatMatrix:
    """Log-shares of label spreading (Zhou et al. 2004) on the neighbour graph, without the row's own label."""
    m = len(cosine)
    count = min(_GRAPH_NEIGHBOURS, m - 1)
    masked = cosine.copy()
    np.fill_diagonal(masked, -np.inf)
    near = np.argsort(-masked, axis=1, kind="stable")[:, :count]
    graph = np.zeros((m, m))
    rows = np.repeat(np.arange(m), count)
    graph[rows, near.ravel()] = np.maximum(cosine[rows, near.ravel()], 0) ** 2
    graph = np.maximum(graph, graph.T)
    root = np.maximum(graph.sum(axis=1), 1e-9) ** -0.5
    resolvent = np.linalg.inv(np.eye(m) - _GRAPH_ALPHA * graph * root[:, None] * root)
    labels = np.eye(evidence.n_classes)[evidence.labels]
    labels[evidence.noisy :] *= _GRAPH_CLEAN_WEIGHT
    arrived = np.maximum(resolvent @ labels - np.diag(resolvent)[:, None] * labels, 1e-12)
    return log_shares(arrived)


def log_shares(votes: FloatMatrix) -> FloatMatrix:
    """Log of the votes' shares, (m, K), floored so that a unanimous neighbourhood is not certainty."""
    return np.asarray(np.log(np.clip(votes / votes.sum(axis=1, keepdims=True), 3e-3, 1.0)))
