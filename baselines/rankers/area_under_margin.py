"""Area under the margin: the given label's mean lead over the others while a linear network is trained."""

import numpy as np
from scipy.special import softmax

from cleaning.data import FloatMatrix, FloatVector, Split, class_count
from cleaning.vectors.logistic import span_of_rows

_EPOCHS = 30
_BATCH = 64
_RATE = 0.1
_MOMENTUM = 0.9
_DECAY = 1e-4


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Margin of the given label over the best other label, (n,), averaged over the epochs; validation is not used.

    Stochastic gradient descent on the softmax cross-entropy of standardised features, with momentum and weight decay.
    Source: Pleiss et al. 2020, Identifying Mislabeled Data using the Area Under the Margin Ranking, equation 2.
    """
    n, n_classes = len(train), max(class_count(train, validation), 2)
    features = _standardised(train.features)
    targets = np.eye(n_classes)[train.labels]
    weights, velocity = np.zeros((features.shape[1], n_classes)), np.zeros((features.shape[1], n_classes))
    ordered, total = train.order_by_id(), np.zeros(n)
    for _ in range(_EPOCHS):
        shuffled = ordered[rng.permutation(n)]
        for start in range(0, n, _BATCH):
            rows = shuffled[start : start + _BATCH]
            residual = softmax(features[rows] @ weights, axis=1) - targets[rows]
            velocity = _MOMENTUM * velocity - _RATE * (features[rows].T @ residual / len(rows) + _DECAY * weights)
            weights = weights + velocity
        total += _margins(features @ weights, targets)
    return total / _EPOCHS


def _standardised(features: FloatMatrix) -> FloatMatrix:
    """Centred features in coordinates of their span, with mean square length 1 and a column of ones appended."""
    (rows,) = span_of_rows(features.astype(np.float64) - features.mean(axis=0, dtype=np.float64))
    length = float(np.sqrt((rows**2).sum(axis=1).mean()))
    return np.hstack([rows / (length or 1.0), np.ones((len(rows), 1))])


def _margins(scores: FloatMatrix, targets: FloatMatrix) -> FloatVector:
    given = (scores * targets).sum(axis=1)
    return np.asarray(given - np.where(targets > 0, -np.inf, scores).max(axis=1), dtype=np.float64)
