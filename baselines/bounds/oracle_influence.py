"""Bound that reads the true labels: wrong labels first, in the order in which fixing them helps most."""

import numpy as np

from cleaning.belief.use import Beliefs, order_by_use
from cleaning.data import GroundTruth, Split, class_count
from cleaning.ranking import Ranking


def rank_with_truth(train: Split, validation: Split | None, truth: GroundTruth, *, rng: np.random.Generator) -> Ranking:
    """The order of `expected_use` if every posterior were certain and correct; test rows are not used."""
    n_classes = max(class_count(train, validation), int(truth.labels.max()) + 1)
    certain = np.eye(n_classes)[truth.labels]
    checked = np.empty((0, n_classes)) if validation is None else np.eye(n_classes)[validation.labels]
    return Ranking(order_by_use(train, validation, Beliefs(certain, certain, checked))[0])
