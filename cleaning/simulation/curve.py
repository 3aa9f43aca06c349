"""Test accuracy as labels are fixed one by one, and the scores that are derived from it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatVector, IntVector
from cleaning.errors import InvalidInput

_REFERENCE_TARGET = 0.95
# Far below the step of an accuracy, 1 / (test rows), and far above the rounding error of 0.95 × clean.
_ROUNDING = 1e-9


def reaches(accuracy: FloatVector, goal: float) -> NDArray[np.bool_]:
    """Which accuracies are at least the goal."""
    return accuracy >= goal - _ROUNDING


def reference_rounding(accuracy: FloatVector) -> FloatVector:
    """Accuracies rounded to 2 decimals like the reference evaluator, with NumPy, which differs from Python at ties."""
    return np.round(accuracy, 2)


@dataclass(frozen=True, eq=False)
class CleaningCurve:
    """Test accuracy as more and more labels are fixed.

    Parameters
    ----------
    fixes : array of int, shape (p,)
        Ascending numbers of fixed labels, starting with 0.
    accuracy : array of shape (p,)
        Test accuracy after each number of fixes, in [0, 1].
    dirty : float
        Accuracy before any fix.
    clean : float
        Accuracy of the model trained on the true labels.

    Raises
    ------
    InvalidInput
        If the lengths differ or the fixes do not start at 0.
    """

    fixes: IntVector
    accuracy: FloatVector
    dirty: float
    clean: float

    def __post_init__(self) -> None:
        if len(self.fixes) != len(self.accuracy) or not len(self.fixes) or self.fixes[0] != 0:
            raise InvalidInput("cleaning curve", "fixes and accuracy do not match or do not start at 0 fixes")

    def fixes_needed(self, target: float = 0.95) -> int:
        """Count the fixes that reach a share of the clean accuracy.

        Parameters
        ----------
        target : float, default 0.95
            The share of `clean` to reach.

        Returns
        -------
        int
            The smallest number of fixes whose accuracy is at least target × clean, or the last number if none is. Lower
            is better.
        """
        reached = np.flatnonzero(reaches(self.accuracy, target * self.clean))
        return int(self.fixes[reached[0]] if len(reached) else self.fixes[-1])

    def score(self, target: float = 0.95) -> float:
        """Give `fixes_needed` as a share of all training rows.

        Parameters
        ----------
        target : float, default 0.95
            The share of `clean` to reach.

        Returns
        -------
        float
            In [0, 1]; lower is better.
        """
        return self.fixes_needed(target) / int(self.fixes[-1]) if self.fixes[-1] else 0.0

    def area(self) -> float:
        """Average the accuracy over the whole budget, by trapezoids.

        Returns
        -------
        float
            In [0, 1]; higher is better.
        """
        if len(self.fixes) == 1:
            return float(self.accuracy[0])
        return float(np.trapezoid(self.accuracy, self.fixes) / (self.fixes[-1] - self.fixes[0]))

    def fraction_fixes(self) -> float:
        """Compute the score of the reference evaluator, bug for bug, for comparison with Dynabench.

        Returns
        -------
        float
            The 0-based index of the first accuracy that is at least 0.95 × the last, over n: k fixes give (k-1)/n.
            The accuracies are those after 1 … n fixes, rounded to 2 decimals. Lower is better.

        Raises
        ------
        InvalidInput
            If the curve does not have a point for every number of fixes.

        Notes
        -----
        Source: the evaluator of dataperf-vision-debugging.
        """
        if not np.array_equal(self.fixes, np.arange(len(self.fixes))):
            raise InvalidInput(
                "cleaning curve", "fraction_fixes needs a point for every fix", "simulate without budgets"
            )
        after = reference_rounding(self.accuracy[1:])
        if not len(after):
            return 0.0
        return int(np.argmax(after >= _REFERENCE_TARGET * after[-1])) / len(after)
