"""Random order: the baseline that every ranker has to beat."""

import numpy as np

from cleaning.data import FloatVector, Split


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Uniform random label-quality scores, (n,), drawn in the order of the ids: shuffling rows changes nothing."""
    scores = np.empty(len(train))
    scores[train.order_by_id()] = rng.random(len(train))
    return scores
