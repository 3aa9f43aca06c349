"""A permutation test: do the features tell the labels apart at all?"""

from collections.abc import Sequence

import numpy as np

from cleaning.belief.base_learners import SINGLE_ROWS, inverse, median_of_pairs, root_view, squared_distances
from cleaning.data import FloatMatrix, FloatVector, IntMatrix, IntVector

# A sample of up to so many rows, of so many classes, is tested.
_ROWS, _CLASSES = 1500, 30
_PERMUTATIONS = 99
# Less noise than the base learners assume, since here nothing is believed about single rows.
_RBF_WIDTH, _RBF_NOISE, _LINEAR_NOISE = 0.5, 1.0, 5.0
# Permutations are tested together up to so many numbers in one array.
_ENTRIES = 4_000_000
# To sum over one pair of rows takes as long as so many multiplications (measured, with one thread).
_PAIR = 100
# Rows whose median squared distance is at most this are all alike.
_NO_SPREAD = 1e-9


def pairing_p_value(features: FloatMatrix, labels: IntVector, rng: np.random.Generator) -> float:
    """The p-value for labels (n,) that have nothing to do with the features (n, d): at least 0.01, small if they do.

    Statistic: how well the leave-one-out means of two Gaussian processes (RBF and linear) agree with the labels,
    compared with 99 permutations of the labels. 1 if (nearly) all rows are alike, for one class, and for fewer than
    four rows.
    """
    classes = np.unique(labels)
    if len(classes) > _CLASSES:
        chosen = np.flatnonzero(np.isin(labels, rng.choice(classes, _CLASSES, replace=False)))
        features, labels = features[chosen], labels[chosen]
    if len(labels) > _ROWS:
        chosen = np.sort(rng.choice(len(labels), _ROWS, replace=False))
        features, labels = features[chosen], labels[chosen]
    classes, compact = np.unique(labels, return_inverse=True)
    if len(classes) < 2 or len(labels) < 4:
        return 1.0
    rows = root_view(features.astype(np.float64))
    product = rows @ rows.T
    distance = squared_distances(product)
    median = median_of_pairs(distance)
    if not median > _NO_SPREAD:
        return 1.0
    distance /= -2 * _RBF_WIDTH * median
    inverses = []
    for kernel, noise in ((np.exp(distance, out=distance), _RBF_NOISE), (product, _LINEAR_NOISE)):
        kernel[np.diag_indices_from(kernel)] += noise
        inverses.append(inverse(kernel if len(kernel) < SINGLE_ROWS else kernel.astype(np.float32)))
    deals = np.stack([compact, *(rng.permutation(compact) for _ in range(_PERMUTATIONS))])
    sizes = np.bincount(compact)
    if _by_pairs(sizes, len(deals)):
        dealt = np.argsort(deals.astype(np.int16), axis=1, kind="stable")
        agreement = _agreement_in_pairs(inverses, dealt, sizes)
    else:
        agreement = np.sum([_agreement(each, deals) for each in inverses], axis=0)
    return float((1 + np.count_nonzero(agreement[1:] >= agreement[0] - 1e-12)) / len(deals))


def _by_pairs(sizes: IntVector, deals: int) -> bool:
    """Whether sums over pairs of rows are faster. They are not where one class has most of the rows."""
    n = int(sizes.sum())
    pairs = float((sizes * (sizes - 1)).sum()) / 2
    return deals * len(sizes) > n + _PAIR * deals * pairs / n**2


def _agreement(inverted: FloatMatrix, deals: IntMatrix) -> FloatVector:
    """Σ mean · target / ‖mean‖ of leave-one-out means, for each row of the (deals, n) labels."""
    n_classes, diagonal = int(deals.max()) + 1, np.diag(inverted)[:, None]
    each = np.eye(n_classes, dtype=inverted.dtype)
    found = []
    step = max(1, _ENTRIES // (len(inverted) * n_classes))
    for start in range(0, len(deals), step):
        targets = each[deals[start : start + step].T].reshape(len(inverted), -1)
        targets -= targets.mean(axis=0)
        means = targets - (inverted @ targets) / diagonal
        parts = (np.einsum("ij,ij->j", means, other).reshape(-1, n_classes).sum(axis=1) for other in (targets, means))
        agrees, length = parts
        found.append(agrees / np.maximum(np.sqrt(length), 1e-12))
    return np.concatenate(found)


def _agreement_in_pairs(inverses: Sequence[FloatMatrix], dealt: IntMatrix, sizes: IntVector) -> FloatVector:
    """The sum of `_agreement` by the sums over pairs of rows of one class, which is faster for many classes.

    dealt (deals, n): the rows by class, of which there are `sizes`.

    With the matrix A of `mean = A target` and centred targets C e, the sums over the classes of mean · target and of
    ‖mean‖² are those of eᵀ C A C e and of eᵀ C AᵀA C e for their indicator vectors e.
    """
    one, other = _pairs(sizes)
    forms = [_forms(inverted) for inverted in inverses]
    found = np.empty((len(inverses), 2, len(dealt)))
    for number, by_class in enumerate(dealt):
        pairs = by_class[one] * len(by_class) + by_class[other]
        for place, (agrees, length) in zip(found, forms, strict=True):
            place[:, number] = agrees.take(pairs).sum(), length.take(pairs).sum()
    found = 2 * found + np.array([[np.trace(one) for one in each] for each in forms])[:, :, None]
    return np.asarray((found[:, 0] / np.maximum(np.sqrt(np.maximum(found[:, 1], 0)), 1e-12)).sum(axis=0))


def _forms(inverted: FloatMatrix) -> tuple[FloatMatrix, FloatMatrix]:
    """The symmetric part of C A C, and C AᵀA C, (n, n)."""
    learnt = np.eye(len(inverted), dtype=inverted.dtype) - inverted / np.diag(inverted)[:, None]
    learnt -= learnt.mean(axis=1, keepdims=True)
    squared = learnt.T @ learnt
    learnt -= learnt.mean(axis=0)
    return np.asarray((learnt + learnt.T) / 2), np.asarray(squared)


def _pairs(sizes: IntVector) -> tuple[IntVector, IntVector]:
    """All pairs of different places that are in the same of several runs of places, each once."""
    starts = np.cumsum(sizes) - sizes
    parts = [np.stack(np.triu_indices(size, 1)) + start for size, start in zip(sizes.tolist(), starts, strict=True)]
    one, other = np.concatenate(parts, axis=1)
    return one, other
