"""A permutation test: do the features tell the labels apart at all?"""

import numpy as np

from cleaning.belief.base_learners import inverse, root_view
from cleaning.data import FloatMatrix, IntVector

# A sample of up to so many rows, of so many classes, is tested.
_ROWS, _CLASSES = 1500, 30
_PERMUTATIONS = 99
# Less noise than the base learners assume, since here nothing is believed about single rows.
_RBF_WIDTH, _RBF_NOISE, _LINEAR_NOISE = 0.5, 1.0, 5.0
# Permutations are tested together up to so many numbers in one array.
_ENTRIES = 4_000_000
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
    cosine = rows @ rows.T
    distance = np.maximum(2 - 2 * cosine, 0)
    median = float(np.median(distance[np.triu_indices(len(rows), 1)]))
    if not median > _NO_SPREAD:
        return 1.0
    distance /= -2 * _RBF_WIDTH * median
    inverses = []
    for kernel, noise in ((np.exp(distance, out=distance), _RBF_NOISE), (cosine, _LINEAR_NOISE)):
        kernel[np.diag_indices_from(kernel)] += noise
        inverses.append(inverse(kernel))
    deals = [compact, *(rng.permutation(compact) for _ in range(_PERMUTATIONS))]
    agreement = np.zeros(len(deals))
    step = max(1, _ENTRIES // (len(rows) * len(classes)))
    for start in range(0, len(deals), step):
        targets = np.stack([np.eye(len(classes))[deal] for deal in deals[start : start + step]])
        targets -= targets.mean(axis=1, keepdims=True)
        for each in inverses:
            agreement[start : start + step] += _agreement(each, targets)
    return float((1 + np.count_nonzero(agreement[1:] >= agreement[0] - 1e-12)) / len(deals))


def _agreement(inverted: FloatMatrix, targets: FloatMatrix) -> FloatMatrix:
    """Σ mean · target / ‖mean‖ of leave-one-out means, for each of (deals, n, K) targets."""
    deals, n, n_classes = targets.shape
    flat = targets.transpose(1, 0, 2).reshape(n, deals * n_classes)
    means = (flat - (inverted @ flat) / np.diag(inverted)[:, None]).reshape(n, deals, n_classes).transpose(1, 0, 2)
    length = np.sqrt((means**2).sum(axis=(1, 2)))
    return np.asarray((means * targets).sum(axis=(1, 2)) / np.maximum(length, 1e-12))
