"""`from classifier import LogisticClassifier`, as in the challenge's original: the network that is retrained there."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleaning.data import FloatMatrix, IntVector
from cleaning.learners.dataperf import predictor


class LogisticClassifier:
    """The network of the challenge's evaluator, for labels 0 and 1."""

    def __init__(self) -> None:
        self._predict: Callable[[FloatMatrix], IntVector] | None = None

    def fit(self, features: ArrayLike, labels: ArrayLike) -> None:
        """Trains on features (n, d) and labels (n,) or (n, 1)."""
        self._predict = predictor(np.asarray(features), np.asarray(labels, dtype=np.int64).ravel())

    def predict(self, features: ArrayLike) -> NDArray[np.float64]:
        """The class of each row, as 0.0 or 1.0."""
        if self._predict is None:
            raise ValueError("call fit first")
        return self._predict(np.asarray(features)).astype(np.float64)

    def evaluate(self, features: ArrayLike, labels: ArrayLike) -> float:
        """The accuracy, rounded to 2 decimals."""
        return round(float(np.mean(self.predict(features) == np.asarray(labels).ravel())), 2)
