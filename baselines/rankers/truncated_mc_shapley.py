"""Truncated Monte-Carlo Shapley: a row's mean effect on validation accuracy over random orders of arrival."""

import numpy as np

from cleaning.data import FloatMatrix, FloatVector, IntVector, Split, class_count
from cleaning.errors import Unsuitable
from cleaning.progress import Progress, silent
from cleaning.vectors.logistic import span_of_rows
from cleaning.vectors.neighbours import unit_rows

_ITERATIONS = 100
_TOLERANCE = 0.01
_PENALTY = 0.1
# Total of n · d² over all orders.
_BUDGET = 2e11


def rank(
    train: Split,
    validation: Split | None,
    *,
    rng: np.random.Generator,
    iterations: int = _ITERATIONS,
    progress: Progress = silent,
) -> FloatVector:
    """Monte-Carlo Shapley values (n,) for validation accuracy, low for rows that hurt.

    The learner is a ridge classifier that is updated row by row (recursive least squares), so one order costs n · d²
    instead of n fits. The walk through an order ends as soon as the accuracy is within 0.01 of the full model's.
    iterations: the number of orders; fewer, but at least one, if their total cost exceeds a fixed budget of operations.
    progress receives the number of orders done and the total.
    Source: Ghorbani and Zou 2019, Data Shapley, Algorithm 1.
    """
    if validation is None or not len(validation):
        raise Unsuitable("it needs clean validation labels, but this data id has none")
    n_classes = class_count(train, validation)
    features, checked = span_of_rows(*(unit_rows(part.features.astype(np.float64)) for part in (train, validation)))
    features, checked = (np.hstack([rows, np.ones((len(rows), 1))]) for rows in (features, checked))
    affordable = int(_BUDGET / (len(train) * features.shape[1] ** 2 + 1))
    walks = max(1, min(iterations, affordable))
    ordered, total = train.order_by_id(), np.zeros(len(train))
    for done in range(walks):
        order = ordered[rng.permutation(len(train))]
        total[order] += _marginals(features[order], train.labels[order], checked, validation.labels, n_classes)
        progress(done + 1, walks)
    return total / walks


def _marginals(
    features: FloatMatrix, labels: IntVector, checked: FloatMatrix, truth: IntVector, n_classes: int
) -> FloatVector:
    """The change of validation accuracy as each row arrives, (n,); zero after the point where the walk is truncated."""
    targets = np.eye(n_classes)[labels] - 1.0 / n_classes
    gram = features.T @ features + _PENALTY * np.eye(features.shape[1])
    full = float(np.mean((checked @ np.linalg.solve(gram, features.T @ targets)).argmax(axis=1) == truth))
    inverse = np.eye(features.shape[1]) / _PENALTY
    scores = np.zeros((len(checked), n_classes))
    weights = np.zeros((features.shape[1], n_classes))
    reached = float(np.max(np.bincount(truth)) / len(truth))
    marginal = np.zeros(len(features))
    for row, (sample, target) in enumerate(zip(features, targets, strict=True)):
        direction = inverse @ sample
        gain = direction / (1.0 + sample @ direction)
        step = np.outer(gain, target - sample @ weights)
        weights += step
        inverse -= np.outer(gain, direction)
        scores = checked @ weights
        now = float(np.mean(scores.argmax(axis=1) == truth))
        marginal[row], reached = now - reached, now
        if abs(full - now) < _TOLERANCE:
            break
    return marginal
