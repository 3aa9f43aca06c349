"""cleanlab's confident learning: labels flagged by its filter first, then the rest, both by self-confidence."""

import numpy as np

from cleaning.data import FloatVector, Split, class_count
from cleaning.vectors.folds import out_of_fold_probabilities


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Label-quality scores (n,): p(given label), minus 1 for rows the filter prunes by the estimated noise rates.

    Probabilities are out of fold, by logistic regression. Source: Northcutt, Jiang and Chuang 2021, Confident
    Learning, method "prune by noise rate" with the counts of the confident joint; computed by cleanlab.
    """
    from cleanlab.filter import find_label_issues

    probabilities = out_of_fold_probabilities(train, class_count(train, validation), rng)
    given = np.asarray(probabilities[np.arange(len(train)), train.labels], dtype=np.float64)
    present, labels = np.unique(train.labels, return_inverse=True)
    if len(present) < 2:
        return given
    # cleanlab requires rows that sum to one over the classes that are present
    known = probabilities[:, present] + 1e-12
    issues = find_label_issues(labels, known / known.sum(axis=1, keepdims=True), n_jobs=1)
    return given - np.asarray(issues, dtype=np.float64)
