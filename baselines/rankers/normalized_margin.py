"""cleanlab normalized margin: out-of-fold probability of the given label minus that of the best other label."""

import numpy as np

from cleaning.data import FloatVector, Split, class_count
from cleaning.vectors.folds import out_of_fold_probabilities


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Label-quality scores (p(given) - max p(other) + 1) / 2, (n,) in [0, 1], from 5-fold logistic regression.

    With two classes the order is the same as for self-confidence. Source: Northcutt, Jiang and Chuang 2021;
    computed by cleanlab.
    """
    from cleanlab.rank import get_label_quality_scores

    probabilities = out_of_fold_probabilities(train, max(class_count(train, validation), 2), rng)
    scores = get_label_quality_scores(train.labels.copy(), probabilities, method="normalized_margin")
    return np.asarray(scores, dtype=np.float64)
