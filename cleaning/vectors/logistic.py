"""L2 logistic regression by scikit-learn, fitted to convergence, for code that needs a single fit."""

import warnings
from typing import TYPE_CHECKING

import numpy as np

from cleaning.data import FloatMatrix, IntVector

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

_TOLERANCE = 1e-8
# With more parameters than this, L-BFGS replaces Newton's method.
_LARGEST_HESSIAN = 1024


def fit_logistic(features: FloatMatrix, labels: IntVector, strength: float) -> "LogisticRegression":
    """The optimum of Σ log-loss + ‖w‖² / (2 · strength), intercept unpenalised; binary or multinomial.

    features (n, d), labels (n,) with at least two classes, strength = C > 0. Solved until the gradient of the
    mean loss is below 1e-8, by Newton's method if the Hessian is small and by L-BFGS otherwise. scikit-learn's default
    tolerance is too loose: it changes test accuracies by up to 0.012.
    """
    from sklearn.linear_model import LogisticRegression  # takes half a second, which few commands need

    classes = len(np.unique(labels))
    parameters = (features.shape[1] + 1) * (1 if classes == 2 else classes)
    solver = "newton-cholesky" if parameters <= _LARGEST_HESSIAN else "lbfgs"
    model = LogisticRegression(C=strength, tol=_TOLERANCE, max_iter=100_000, solver=solver)
    with warnings.catch_warnings():
        # few rows in many classes look like a regression problem to scikit-learn
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        return model.fit(features.astype(np.float64, copy=False), labels)  # that tolerance is out of reach of float32


def span_of_rows(train: FloatMatrix, *others: FloatMatrix) -> tuple[FloatMatrix, ...]:
    """The same rows in coordinates of the span of the training rows: min(n, d) columns instead of d.

    The weights of an L2-penalised linear model lie in that span, so fits and predictions are exactly the same.
    """
    if train.shape[1] <= train.shape[0]:
        return train, *others
    _, _, basis = np.linalg.svd(train, full_matrices=False)
    return tuple(np.ascontiguousarray(rows @ basis.T) for rows in (train, *others))
