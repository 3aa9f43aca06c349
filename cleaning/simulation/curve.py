"""Test accuracy as labels are fixed one by one, and the scores read off it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatVector, IntVector
from cleaning.errors import InvalidInput

_REFERENCE_TARGET = 0.95
# Accuracies are multiples of 1 / (test rows): far coarser than this, far finer than rounding in 0.95 × clean.
_ROUNDING = 1e-9


def reaches(accuracy: FloatVector, goal: float) -> NDArray[np.bool_]:
    """Which accuracies are at least the goal."""
    return accuracy >= goal - _ROUNDING


def reference_rounding(accuracy: FloatVector) -> FloatVector:
    """Accuracies to 2 decimals as the reference evaluator rounds: NumPy's way, which parts from Python's at ties."""
    return np.round(accuracy, 2)


@dataclass(frozen=True, eq=False)
class CleaningCurve:
    """fixes: ascending numbers of fixed labels, from 0; accuracy: test accuracy after each, in [0, 1].

    dirty is the accuracy before any fix, clean that of the model trained on the true labels.
    """

    fixes: IntVector
    accuracy: FloatVector
    dirty: float
    clean: float

    def __post_init__(self) -> None:
        if len(self.fixes) != len(self.accuracy) or not len(self.fixes) or self.fixes[0] != 0:
            raise InvalidInput("cleaning curve", "fixes and accuracy do not match or do not start at 0 fixes")

    def fixes_needed(self, target: float = 0.95) -> int:
        """Smallest number of fixes k ≥ 0 whose accuracy is at least target × clean (lower is better)."""
        reached = np.flatnonzero(reaches(self.accuracy, target * self.clean))
        return int(self.fixes[reached[0]] if len(reached) else self.fixes[-1])

    def score(self, target: float = 0.95) -> float:
        """fixes_needed as a share of all training rows, in [0, 1]; lower is better."""
        return self.fixes_needed(target) / int(self.fixes[-1]) if self.fixes[-1] else 0.0

    def area(self) -> float:
        """Mean accuracy over the whole budget (trapezoids), in [0, 1]; higher is better."""
        if len(self.fixes) == 1:
            return float(self.accuracy[0])
        return float(np.trapezoid(self.accuracy, self.fixes) / (self.fixes[-1] - self.fixes[0]))

    def fraction_fixes(self) -> float:
        """The score of the reference evaluator, bug for bug, for comparison with Dynabench; lower is better.

        Accuracies after 1 … n fixes rounded to 2 decimals; the 0-based index of the first that is at least 0.95 × the
        last of them, whatever target the other scores have, over n: k fixes give (k-1)/n. Source: the
        dataperf-vision-debugging evaluator. Needs a point for every single fix.
        """
        if not np.array_equal(self.fixes, np.arange(len(self.fixes))):
            raise InvalidInput(
                "cleaning curve", "fraction_fixes needs a point for every fix", "simulate without budgets"
            )
        after = reference_rounding(self.accuracy[1:])
        if not len(after):
            return 0.0
        return int(np.argmax(after >= _REFERENCE_TARGET * after[-1])) / len(after)
