"""Bound, reads the truth: wrong labels first, ordered by their use for train and validation rows."""

import numpy as np

from cleaning.data import FloatVector, GroundTruth, Split, class_count
from cleaning.errors import Unsuitable
from cleaning.ranking import Ranking
from cleaning.use import Beliefs, order_by_use


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Raises Unsuitable: without the truth there is nothing it could do."""
    raise Unsuitable("it is a bound that reads the true labels, not a ranker; ask for bounds to see it")


def rank_with_truth(train: Split, validation: Split | None, truth: GroundTruth, *, rng: np.random.Generator) -> Ranking:
    """The order of `expected_use` if every posterior were certain and right; test rows stay unseen."""
    n_classes = max(class_count(train, validation), int(truth.labels.max()) + 1)
    certain = np.eye(n_classes)[truth.labels]
    checked = np.empty((0, n_classes)) if validation is None else np.eye(n_classes)[validation.labels]
    return Ranking(order_by_use(train, validation, Beliefs(certain, certain, checked)))
