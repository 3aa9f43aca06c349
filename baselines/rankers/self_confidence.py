"""cleanlab self-confidence: out-of-fold probability of the given label."""

import numpy as np

from cleaning.data import FloatVector, Split, class_count
from cleaning.vectors.folds import out_of_fold_probabilities


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Label-quality scores p(given label), (n,) in [0, 1], from 5-fold logistic regression; validation is not used.

    Source: Northcutt, Jiang and Chuang 2021, Confident Learning; computed by cleanlab.
    """
    from cleanlab.rank import get_label_quality_scores

    probabilities = out_of_fold_probabilities(train, class_count(train, validation), rng)
    scores = get_label_quality_scores(train.labels.copy(), probabilities, method="self_confidence")
    return np.asarray(scores, dtype=np.float64)
