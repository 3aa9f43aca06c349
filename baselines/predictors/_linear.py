"""Linear models for large data, fitted in float32: softmax, independent sigmoids and a shrinkage discriminant."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

from cleaning.data import Single

Link = Literal["softmax", "sigmoid"]

# Rows per block.
_BLOCK = 16_384


@dataclass(frozen=True, eq=False)
class Scale:
    """Scales columns to mean 0 and deviation 1 on the training rows; a constant column becomes 0."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, features: NDArray[np.floating]) -> "Scale":
        """The scale of training rows (n, d)."""
        mean = np.asarray(np.mean(features, axis=0, dtype=np.float64))
        deviation = np.asarray(np.std(features, axis=0, dtype=np.float64))
        return cls(mean, np.where(deviation > 1e-12, deviation, np.inf))

    def apply(self, features: NDArray[np.floating]) -> Single:
        """The scaled rows, float32."""
        return ((features - self.mean.astype(np.float32)) / self.deviation.astype(np.float32)).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Linear:
    """scores = rows @ weights + bias; weights (d, classes)."""

    weights: Single
    bias: Single

    def scores(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Logits (n, classes)."""
        return np.asarray(rows @ self.weights + self.bias, dtype=np.float64)


def fit_linear(
    features: Single,
    targets: Single,
    link: Link,
    *,
    strength: float,
    steps: int = 200,
    report: Callable[[int], None] | None = None,
) -> Linear:
    """Minimises Σ cross-entropy + ‖W‖² / (2 · strength), bias unpenalised, by L-BFGS from zero weights.

    features (n, d), targets (n, classes) in [0, 1] (for softmax, rows sum to 1). Stops after `steps` iterations, or
    when the gradient of the mean loss is below 1e-5. That is enough for probabilities, but not for the last digit of
    the optimum. `report` receives the number of iterations done.
    """
    n, d = features.shape
    classes = targets.shape[1]
    rates = np.clip(np.mean(targets, axis=0, dtype=np.float64), 1e-6, 1 - 1e-6)
    start = np.zeros((d + 1, classes))
    start[d] = np.log(rates / (1 - rates)) if link == "sigmoid" else np.log(rates)

    def objective(vector: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        parameters = vector.reshape(d + 1, classes)
        loss, slope = _loss(features, targets, parameters.astype(np.float32), link)
        loss += 0.5 / strength * float((parameters[:d] ** 2).sum())
        slope[:d] += parameters[:d] / strength
        return loss / n, slope.ravel() / n

    done = 0

    def callback(_: NDArray[np.float64]) -> None:
        nonlocal done
        done += 1
        if report is not None:
            report(done)

    found = minimize(  # type: ignore[call-overload]  # the stubs want vectors of known rank
        objective,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps, "gtol": 1e-5},
        callback=callback,
    )
    best = found.x.reshape(d + 1, classes).astype(np.float32)
    return Linear(best[:d], best[d])


def _loss(features: Single, targets: Single, parameters: Single, link: Link) -> tuple[float, NDArray[np.float64]]:
    """Summed cross-entropy and its gradient (d + 1, classes), in blocks of rows so that memory does not grow with n."""
    d = features.shape[1]
    loss, slope = 0.0, np.zeros(parameters.shape)
    for start in range(0, len(features), _BLOCK):
        rows, goal = features[start : start + _BLOCK], targets[start : start + _BLOCK]
        scores = rows @ parameters[:d] + parameters[d]
        if link == "softmax":
            normaliser = logsumexp(scores, axis=1, keepdims=True)
            loss += float((normaliser[:, 0] - (goal * scores).sum(axis=1)).sum(dtype=np.float64))
            error = np.exp(scores - normaliser) - goal
        else:
            loss += float((np.logaddexp(0, scores) - goal * scores).sum(dtype=np.float64))
            error = expit(scores) - goal
        slope[:d] += rows.T @ error
        slope[d] += error.sum(axis=0)
    return loss, slope


def softmax(scores: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rows of probabilities (n, classes)."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float64)


def fit_discriminant(features: Single, labels: NDArray[np.int64], n_classes: int) -> Linear:
    """Linear discriminant analysis with the pooled covariance shrunk towards a multiple of the identity.

    The scores are log prior + Gaussian log density up to a constant; a class without rows scores -inf. The shrinkage is
    Ledoit and Wolf's (2004, A Well-Conditioned Estimator for Large-Dimensional Covariance Matrices).
    """
    from sklearn.covariance import ledoit_wolf

    counts = np.bincount(labels, minlength=n_classes)
    means = np.zeros((n_classes, features.shape[1]))
    np.add.at(means, labels, features)
    means /= np.maximum(counts, 1)[:, None]
    spare = len(labels) - np.count_nonzero(counts)
    covariance = np.eye(features.shape[1])
    if spare:
        within, _ = ledoit_wolf(features - means.astype(np.float32)[labels], assume_centered=True)
        covariance = np.asarray(within, dtype=np.float64) * len(labels) / spare
    covariance[np.diag_indices_from(covariance)] += 1e-6 * max(float(np.trace(covariance)) / len(covariance), 1e-6)
    weights = cho_solve(cho_factor(covariance, lower=True), means.T)
    with np.errstate(divide="ignore"):
        prior = np.log(counts / len(labels))
    bias = prior - 0.5 * np.einsum("cd,dc->c", means, weights)
    return Linear(weights.astype(np.float32), bias.astype(np.float32))
