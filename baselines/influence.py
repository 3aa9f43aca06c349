"""Influence function: how much each label raises the validation loss of a logistic regression."""

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from cleaning.data import FloatMatrix, FloatVector, Split, class_count
from cleaning.errors import Unsuitable
from cleaning.folds import class_probabilities
from cleaning.logistic import span_of_rows

_STRENGTH = 1.0


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Label-quality scores (n,): minus the first-order change of validation loss when the row gets more weight.

    ∇L(validation)ᵀ H⁻¹ ∇ℓᵢ at the optimum of Σ log-loss + ‖w‖² / 2, so a row that hurts validation scores low.
    Solved by conjugate gradients on Hessian products; no matrix larger than the features is made.
    Source: Koh and Liang 2017, Understanding Black-box Predictions via Influence Functions.
    """
    if validation is None or not len(validation):
        raise Unsuitable("it follows the loss on clean validation labels, and this data id has none")
    n_classes = class_count(train, validation)
    fitted, checked = span_of_rows(train.features.astype(np.float64), validation.features.astype(np.float64))
    probability = class_probabilities(fitted, train.labels, np.vstack([fitted, checked]), n_classes, _STRENGTH)
    residual = probability[: len(train)] - np.eye(n_classes)[train.labels]
    gradient = checked.T @ (probability[len(train) :] - np.eye(n_classes)[validation.labels])
    direction = _inverse_hessian(fitted, probability[: len(train)], gradient)
    return np.asarray(np.einsum("ik,ik->i", fitted @ direction, residual), dtype=np.float64)


def _inverse_hessian(features: FloatMatrix, probability: FloatMatrix, gradient: FloatMatrix) -> FloatMatrix:
    """H⁻¹ gradient, (d, classes), for H = Σ xxᵀ ⊗ (diag p - ppᵀ) + I / C."""
    shape = gradient.shape

    def product(vector: FloatVector) -> FloatVector:
        weights = vector.reshape(shape)
        scores = features @ weights
        curved = probability * (scores - (probability * scores).sum(axis=1, keepdims=True))
        return np.asarray(features.T @ curved + weights / _STRENGTH).ravel()

    operator = LinearOperator((gradient.size, gradient.size), matvec=product, dtype=np.float64)
    solution, _ = cg(operator, gradient.ravel(), rtol=1e-8, maxiter=1000)
    return np.asarray(solution).reshape(shape)
