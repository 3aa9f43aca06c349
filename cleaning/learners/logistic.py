"""L2 logistic regression, solved to convergence."""

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.logistic import fit_logistic, span_of_rows
from cleaning.neighbours import unit_rows
from cleaning.simulate import LabelPath, Step

Scaling = Literal["none", "standard", "unit"]


@dataclass(frozen=True)
class Learner:
    """Minimises Σ log-loss + ‖w‖² / (2 C), intercept unpenalised, on scaled features.

    C: inverse strength of the L2 penalty, > 0. scaling: `none`, `standard` (each column to mean 0 and deviation 1 on
    the training rows), or `unit` (each row to length 1). A training set with a single class predicts that class.
    """

    C: float = 1.0
    scaling: Scaling = "none"

    def describe(self) -> dict[str, object]:
        """Name and options."""
        return {"name": "logistic", **asdict(self)}

    def accuracies(self, path: LabelPath, test: Split, step: Step) -> FloatVector:
        """Test accuracy in every state of the path: one converged fit each."""
        train_features, test_features = span_of_rows(*scaled(path.features, test.features, self.scaling))
        accuracy = np.empty(len(path))
        labels = path.labels.copy()
        for state in range(len(path)):
            if state:
                labels[path.rows[state - 1]] = path.values[state - 1]
            predicted = _predict(train_features, labels, test_features, self.C)
            accuracy[state] = np.mean(predicted == test.labels)
            step(state + 1, len(path))
        return accuracy


def scaled(train: FloatMatrix, test: FloatMatrix, scaling: Scaling) -> tuple[FloatMatrix, FloatMatrix]:
    """Both feature matrices in float64 on the scale the training rows define; a constant column stays as it is."""
    train, test = train.astype(np.float64), test.astype(np.float64)
    if scaling == "standard":
        mean, deviation = train.mean(axis=0), train.std(axis=0)
        deviation[deviation == 0] = 1.0
        return (train - mean) / deviation, (test - mean) / deviation
    if scaling == "unit":
        return unit_rows(train), unit_rows(test)
    return train, test


def _predict(features: FloatMatrix, labels: IntVector, test: FloatMatrix, strength: float) -> IntVector:
    classes = np.unique(labels)
    if len(classes) == 1:
        return np.full(len(test), classes[0])
    return np.asarray(fit_logistic(features, labels, strength).predict(test), dtype=np.int64)
