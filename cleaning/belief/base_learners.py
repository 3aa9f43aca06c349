"""Closed-form leave-one-out class scores: each row is predicted from its features and the labels of the other rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import dtrmm, strmm
from scipy.linalg.lapack import dpotrf, dpotri, dtrtri, spotrf, spotri, strtri
from scipy.sparse import coo_array, csr_array

from cleaning.belief.stacking import Votes
from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.vectors.lengths import radius_of, soft_unit_rows

# Large noise variances (here for two classes) let a learner doubt labels. Clean rows have CLEAN_SHARE of the variance.
# That share, the RBF variance, the RBF width (relative to the median distance) and the 30 neighbours come from the
# ranking study's prototype. The linear variance was chosen as described in `Evidence.noise_variances`.
CLEAN_SHARE = 0.15
_RBF_NOISE, _LINEAR_NOISE = 3.0, 30.0
RBF_WIDTH = 0.15
# In the linear learner, the targets of noisy rows are multiplied by this.
LINEAR_GAIN = 2.0
_GRAPH_NEIGHBOURS, _GRAPH_ALPHA, _GRAPH_CLEAN_WEIGHT = 30, 0.5, 2.5
_MIRRORED = 256
# From so many rows on, systems are solved in single precision, in half the time.
SINGLE_ROWS = 1000
# So many rows are worked on at once, since memory for temporary copies of all rows would be most of what is needed.
_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class Evidence:
    """Rows to learn from: `noisy` training rows first, then clean ones, the last of which have been checked.

    features (m, d) float; votes (m, K): the shares of each row's labels, one-hot for a single label; noisy: the number
    of noisy rows; before (c, K): the votes that the last c rows had until they were checked. Since such rows were
    looked at because they were suspicious, their class frequencies mean nothing. ballots (noisy, A·K): what each of A
    annotators said of the noisy rows, if there are several; `before` is then (c, A·K).
    """

    features: FloatMatrix
    votes: FloatMatrix
    noisy: int
    before: FloatMatrix
    ballots: csr_array | None = None

    def __len__(self) -> int:
        return len(self.votes)

    @property
    def said(self) -> Votes:
        """The votes that the noise matrices are about, (noisy, K), or (noisy, A·K) for A annotators."""
        return self.votes[: self.noisy] if self.ballots is None else self.ballots

    @property
    def checked(self) -> int:
        """The number of checked rows."""
        return len(self.before)

    @property
    def n_classes(self) -> int:
        """K."""
        return int(self.votes.shape[1])

    @property
    def labels(self) -> IntVector:
        """The label with the most votes of each row, (m,), the first of equals."""
        return np.asarray(self.votes.argmax(axis=1), dtype=np.int64)

    def noise_weights(self) -> FloatVector:
        """The noise variance of each row relative to that of a noisy row, (m,)."""
        return np.where(np.arange(len(self)) < self.noisy, 1.0, CLEAN_SHARE)

    def noise_variances(self) -> tuple[float, float]:
        """The noise variances of a noisy row in the RBF and in the linear learner.

        They fall with the number of classes, since each class then has fewer rows: 3 and 30 for two classes, 0.9 and
        2.7 for ten. These were chosen for the precision of the posterior on cases with two and with ten classes. In
        general they are divided by log₂ of the number of classes and by its square.
        """
        return noise_variances(self.n_classes)

    def centred_targets(self) -> FloatMatrix:
        """The votes minus a class prior, (m, K): half uniform, half the frequencies (of trusted rows, if any)."""
        targets, drawn = self.votes, len(self) - self.checked
        trusted = targets[self.noisy : drawn] if self.noisy < drawn else targets
        return np.asarray(targets - (0.5 * trusted.mean(axis=0) + 0.5 / self.n_classes))


def noise_variances(n_classes: int) -> tuple[float, float]:
    """Those of `Evidence.noise_variances` for so many classes."""
    bits = float(np.log2(max(n_classes, 2)))
    return _RBF_NOISE / bits, _LINEAR_NOISE / bits**2


def plain_view(features: FloatMatrix) -> FloatMatrix:
    """The (m, d) features, centred and of about length 1 (see `soft_unit_rows`)."""
    centred = features - features.mean(axis=0)
    return soft_unit_rows(centred, radius_of(centred))


def root_view(features: FloatMatrix) -> FloatMatrix:
    """The `signed_roots`, centred and of about length 1, (m, d).

    They dampen the few large entries of pooled activations.
    """
    roots = signed_roots(features, radius_of(features))
    roots -= roots.mean(axis=0)
    return soft_unit_rows(roots, radius_of(roots))


def signed_roots(features: FloatMatrix, radius: float) -> FloatMatrix:
    """The signed square roots of the (m, d) rows, made about as long as 1 (the Hellinger map)."""
    roots = soft_unit_rows(features, radius)
    for start in range(0, len(roots), _BLOCK):
        part = roots[start : start + _BLOCK]
        part[:] = np.sign(part) * np.sqrt(np.abs(part))
    return roots


def dense_scores(evidence: Evidence) -> FloatMatrix:
    """(6, m, K) leave-one-out scores: Gaussian processes (RBF, linear) and label spreading on both views
    of the features.

    Takes O(m³) time and a few m × m matrices, so it is for up to a few thousand rows. The scores are `standardised`.
    """
    scores = []
    rbf_noise, linear_noise = evidence.noise_variances()
    targets, weights = evidence.centred_targets(), evidence.noise_weights()
    amplified = targets * np.where(weights < 1, 1.0, LINEAR_GAIN)[:, None]
    labels = spread_labels(evidence)
    for view in (plain_view, root_view):
        rows = as_solved(view(evidence.features))
        kernel, product, similar = kernels(rows)
        scores.append(_gaussian_process(kernel, targets, rbf_noise * weights))
        scores.append(_linear_process(rows, product, amplified, linear_noise * weights))
        spread, itself = solved(_spreading(similar), labels)
        scores.append(log_arrived(spread - itself[:, None] * labels))
    return standardised(np.stack(scores))


def as_solved(rows: FloatMatrix) -> FloatMatrix:
    """Many rows (m, d) in single precision, in which their systems are solved."""
    return rows.astype(np.float32, copy=False) if len(rows) >= SINGLE_ROWS else rows


def kernels(rows: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix, FloatMatrix]:
    """The (m, m) kernels of the two Gaussian processes, RBF and linear, and the similarity for label spreading.

    For (m, d) rows. Similarity: 1 - distance² / 2, the cosine if rows have length 1.
    """
    product = rows @ rows.T
    distance = squared_distances(product)
    similar = 1 - distance / 2
    distance /= -2 * RBF_WIDTH * max(median_of_pairs(distance), 1e-12)
    return np.exp(distance, out=distance), product, similar


def squared_distances(product: FloatMatrix) -> FloatMatrix:
    """Those between rows with these inner products, (m, m)."""
    length = np.diag(product).copy()
    distance = product * product.dtype.type(-2)
    distance += length
    distance += length[:, None]
    return np.asarray(np.maximum(distance, 0, out=distance))


def median_of_pairs(distance: FloatMatrix) -> float:
    """The median of the (m, m) distances between two different rows; 1 for a single row."""
    pairs = np.concatenate([part[row + 1 :] for row, part in enumerate(distance)])
    if not len(pairs):
        return 1.0
    middle = (len(pairs) - 1) // 2
    pairs.partition(middle)  # one place at a time, which is ten times as fast as the three of `numpy.median`
    least = pairs[middle]
    return float(least if len(pairs) % 2 else (least + pairs[middle + 1 :].min()) / 2)


def standardised(scores: FloatMatrix) -> FloatMatrix:
    """(learners, m, K) scores, shifted so that every row sums to 0 and scaled so that every learner has deviation 1."""
    found = np.empty_like(scores)
    for one, its in zip(scores, found, strict=True):  # one at a time, since a copy of all may be most of the memory
        np.subtract(one, one.mean(axis=1, keepdims=True), out=its)
        deviation = its.std()
        its /= deviation if deviation >= 1e-12 else 1.0
    return found


def _gaussian_process(kernel: FloatMatrix, targets: FloatMatrix, noise: FloatVector) -> FloatMatrix:
    """Leave-one-out means f₋ᵢ = yᵢ - [M y]ᵢ / Mᵢᵢ with M = (K + noise)⁻¹ (Rasmussen and Williams, equation 5.12)."""
    system = kernel.astype(_kind(kernel))
    system[np.diag_indices_from(system)] += noise
    weights, diagonal = solved(system, targets)
    return np.asarray(targets - weights / diagonal[:, None])


def _linear_process(rows: FloatMatrix, product: FloatMatrix, targets: FloatMatrix, noise: FloatVector) -> FloatMatrix:
    """The same for the kernel `product` of the (m, d) rows; with few columns by the d × d inverse (Woodbury)."""
    m, width = rows.shape
    if 2 * width > m:
        return _gaussian_process(product, targets, noise)
    kind = _kind(rows)
    root = (noise**-0.5).astype(kind)[:, None]
    weighted = rows * root
    half = _half_inverse(np.eye(width, dtype=kind) + weighted.T @ weighted)
    if half is None:
        return _gaussian_process(product, targets, noise)
    reached = weighted @ half
    leverage = np.einsum("ij,ij->i", reached, reached)[:, None]
    fitted = reached @ (reached.T @ (targets * root).astype(kind)) / root
    return np.asarray((fitted - leverage * targets) / (1 - leverage), dtype=np.float64)


def _kind(rows: FloatMatrix) -> np.dtype[Any]:
    """The precision in which systems of so many rows are solved."""
    return np.dtype(np.float32 if len(rows) >= SINGLE_ROWS else np.float64)


def solved(matrix: FloatMatrix, right: FloatMatrix) -> tuple[FloatMatrix, FloatVector]:
    """M⁻¹ y (m, K) and the diagonal of M⁻¹ (m,) for a symmetric positive definite (m, m) matrix M and y (m, K).

    In single precision from 1,000 rows on, unless the factorisation fails. The noise variances of the learners are
    large enough for that; with a matrix that is nearly singular, it might not fail and yet be off.
    """
    for kind in (_kind(matrix), np.dtype(np.float64)):
        half = _half_inverse(matrix.astype(kind))
        if half is not None:
            product = strmm if kind == np.float32 else dtrmm
            applied = product(1.0, half, product(1.0, half, np.asfortranarray(right, dtype=kind), trans_a=True))
            return np.ascontiguousarray(applied), np.einsum("ij,ij->i", half, half)
    whole = np.linalg.inv(matrix)
    return np.asarray(whole @ right), np.diag(whole)


def _half_inverse(matrix: FloatMatrix) -> FloatMatrix | None:
    """The upper triangle U with U Uᵀ = M⁻¹ for a symmetric matrix M, which is overwritten; None if that fails."""
    factored, inverted = (spotrf, strtri) if matrix.dtype == np.float32 else (dpotrf, dtrtri)
    upper, failed = factored(matrix.T, lower=False, overwrite_a=True)  # the transpose is in the order that LAPACK reads
    if failed:
        return None
    half, failed = inverted(upper, lower=False, overwrite_c=True)
    return None if failed else np.asarray(half)


def inverse(matrix: FloatMatrix) -> FloatMatrix:
    """That of a symmetric positive definite matrix: by Cholesky, 2 to 3 times as fast as `numpy.linalg.inv`."""
    factored, inverted = (spotrf, spotri) if matrix.dtype == np.float32 else (dpotrf, dpotri)
    factor, failed = factored(matrix, lower=True)
    found, also_failed = inverted(factor, lower=True, overwrite_c=True)
    if failed or also_failed:
        return np.asarray(np.linalg.inv(matrix))
    for start in range(0, len(found), _MIRRORED):
        stop = start + _MIRRORED
        found[start:stop, stop:] = found[stop:, start:stop].T
        part = found[start:stop, start:stop]
        part[:] = np.tril(part) + np.tril(part, -1).T
    return np.asarray(found)


def resolvent(similar: FloatMatrix) -> FloatMatrix:
    """How label spreading (Zhou et al. 2004) carries labels from row to row of the neighbour graph, (m, m)."""
    return inverse(_spreading(similar))


def _spreading(similar: FloatMatrix) -> FloatMatrix:
    """The inverse of `resolvent`: what is left of a label at its row minus what goes to the neighbours, (m, m)."""
    m = len(similar)
    rows, columns = np.divmod(np.flatnonzero(_nearest(similar)), m)
    graph = csr_array((np.maximum(similar[rows, columns], 0).astype(np.float64) ** 2, (rows, columns)), shape=(m, m))
    both = coo_array(graph.maximum(graph.T))
    root = np.maximum(both.sum(axis=1), 1e-9) ** -0.5
    left, (one, other) = np.eye(m, dtype=_kind(similar)), both.coords
    left[one, other] -= _GRAPH_ALPHA * both.data * root[one] * root[other]
    return left


def _nearest(similar: FloatMatrix) -> NDArray[np.bool_]:
    """Which rows are among the 30 nearest of each row, (m, m). Of equally near rows, the first are taken."""
    m = len(similar)
    count = min(_GRAPH_NEIGHBOURS, m - 1)
    if not count:
        return np.zeros((m, m), dtype=np.bool_)
    others = similar.copy()
    np.fill_diagonal(others, -np.inf)
    last = np.partition(others, m - count, axis=1)[:, m - count, None]
    near = others >= last
    for row in np.flatnonzero(np.count_nonzero(near, axis=1) > count):
        tied = np.flatnonzero(others[row] == last[row])
        near[row, tied[count - int(near[row].sum()) :]] = False
    return near


def spread_labels(evidence: Evidence) -> FloatMatrix:
    """The labels that are spread, (m, K): the votes, with more weight on clean rows."""
    labels = evidence.votes.copy()
    labels[evidence.noisy :] *= _GRAPH_CLEAN_WEIGHT
    return labels


def log_arrived(arrived: FloatMatrix) -> FloatMatrix:
    """The scores (m, K) for the labels that arrived at each row from others."""
    return log_shares(np.maximum(arrived, 1e-12))


def log_shares(votes: FloatMatrix) -> FloatMatrix:
    """Logarithms of the shares of votes, (m, K), with a floor so that a unanimous neighbourhood is not a certainty."""
    return np.asarray(np.log(np.clip(votes / votes.sum(axis=1, keepdims=True), 3e-3, 1.0)))
