"""First-order effects of training rows on a fitted logistic regression."""

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg

from cleaning.data import FloatMatrix, FloatVector

# The loss does not change if all intercepts move together. This small penalty keeps the system positive definite.
_INTERCEPT_PENALTY = 1e-6


def inverse_hessian(
    features: FloatMatrix, probability: FloatMatrix, gradient: FloatMatrix, strength: float
) -> FloatMatrix:
    """H⁻¹ gradient, (d + 1, classes), for H = Σ xxᵀ ⊗ (diag p - ppᵀ) + I / C with an unpenalised intercept.

    features (n, d + 1), whose last column is all ones (the intercept); probability (n, classes) at the optimum;
    gradient (d + 1, classes); strength is C. Solved by conjugate gradients, preconditioned by the diagonal of H.
    """
    shape = gradient.shape
    penalty = np.full((shape[0], 1), 1.0 / strength)
    penalty[-1] = _INTERCEPT_PENALTY
    diagonal = ((features**2).T @ (probability * (1 - probability)) + penalty).ravel()

    def product(vector: FloatVector) -> FloatVector:
        weights = vector.reshape(shape)
        scores = features @ weights
        curved = probability * (scores - (probability * scores).sum(axis=1, keepdims=True))
        return np.asarray(features.T @ curved + penalty * weights).ravel()

    size = (gradient.size, gradient.size)
    hessian = LinearOperator(size, matvec=product, dtype=np.float64)
    rescale = LinearOperator(size, matvec=lambda vector: vector / diagonal, dtype=np.float64)
    solution, _ = cg(hessian, gradient.ravel(), rtol=1e-8, maxiter=2000, M=rescale)
    return np.asarray(solution).reshape(shape)
