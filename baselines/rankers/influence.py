"""Influence function: how much each label raises the validation loss of a logistic regression."""

import numpy as np

from cleaning.data import FloatVector, Split, class_count
from cleaning.errors import Unsuitable
from cleaning.vectors.folds import class_probabilities
from cleaning.vectors.influence import inverse_hessian
from cleaning.vectors.logistic import span_of_rows

_STRENGTH = 1.0


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Label-quality scores (n,): minus the first-order change of validation loss when the row gets more weight.

    The score is ∇L(validation)ᵀ H⁻¹ ∇ℓᵢ at the optimum of Σ log-loss + ‖w‖² / 2 with an unpenalised intercept, so a row
    that hurts validation scores low. Solved by conjugate gradients on Hessian products, without any matrix larger than
    the features. Source: Koh and Liang 2017, Understanding Black-box Predictions via Influence Functions.
    """
    if validation is None or not len(validation):
        raise Unsuitable("it needs clean validation labels, but this data id has none")
    n_classes = class_count(train, validation)
    fitted, checked = span_of_rows(train.features.astype(np.float64), validation.features.astype(np.float64))
    probability = class_probabilities(fitted, train.labels, np.vstack([fitted, checked]), n_classes, _STRENGTH)
    residual = probability[: len(train)] - np.eye(n_classes)[train.labels]
    fitted, checked = (np.hstack([rows, np.ones((len(rows), 1))]) for rows in (fitted, checked))
    gradient = checked.T @ (probability[len(train) :] - np.eye(n_classes)[validation.labels])
    # a binary fit penalises one weight vector w; written as one per class, ±w / 2, the penalty has to count double
    strength = _STRENGTH / 2 if len(np.unique(train.labels)) == 2 else _STRENGTH
    direction = inverse_hessian(fitted, probability[: len(train)], gradient, strength)
    return np.asarray(np.einsum("ik,ik->i", fitted @ direction, residual), dtype=np.float64)
