"""Out-of-fold class probabilities: each row is predicted by a model that was not trained on it."""

import numpy as np

from cleaning.data import FloatMatrix, IntVector, Split
from cleaning.vectors.logistic import fit_logistic, span_of_rows

# The number of folds, and C of the logistic regression.
_FOLDS, _STRENGTH = 5, 1.0


def stratified_folds(train: Split, folds: int, rng: np.random.Generator) -> IntVector:
    """A fold number 0 … folds-1 for each row, (n,), with every class spread evenly over the folds.

    Rows are assigned in the order of their ids, so shuffling the rows does not change which rows share a fold.
    """
    fold = np.empty(len(train), dtype=np.int64)
    ordered = train.order_by_id()
    offset = 0
    for label in np.unique(train.labels):
        members = rng.permutation(ordered[train.labels[ordered] == label])
        fold[members] = (offset + np.arange(len(members))) % folds
        offset += len(members)
    return fold


def out_of_fold_probabilities(train: Split, n_classes: int, rng: np.random.Generator) -> FloatMatrix:
    """(n, n_classes) probabilities by L2 logistic regression (C = 1) in five folds, rows summing to 1.

    A class that is missing from the other folds gets probability 0. If there are fewer rows than folds, every row is a
    fold of its own. A single row gets uniform probabilities.
    """
    (features,) = span_of_rows(train.features.astype(np.float64))
    fold = stratified_folds(train, min(_FOLDS, max(len(train), 1)), rng)
    probabilities = np.full((len(train), n_classes), 1.0 / n_classes)
    for number in np.unique(fold):
        held_out = fold == number
        seen = train.labels[~held_out]
        if len(seen):
            probabilities[held_out] = class_probabilities(
                features[~held_out], seen, features[held_out], n_classes, _STRENGTH
            )
    return probabilities


def class_probabilities(
    features: FloatMatrix, labels: IntVector, rows: FloatMatrix, n_classes: int, strength: float
) -> FloatMatrix:
    """(len(rows), n_classes) probabilities of a logistic regression fitted on features and labels."""
    classes = np.unique(labels)
    probabilities = np.zeros((len(rows), n_classes))
    if len(classes) == 1:
        probabilities[:, classes[0]] = 1.0
    else:
        probabilities[:, classes] = fit_logistic(features, labels, strength).predict_proba(rows)
    return probabilities
