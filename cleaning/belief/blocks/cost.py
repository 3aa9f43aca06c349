"""What the passes over very many rows cost, for the estimate of the time that is left."""

from dataclasses import dataclass

from cleaning.belief.basis import STACKED_ROWS
from cleaning.belief.blocks.forward import EVALUATIONS
from cleaning.belief.forward_learner import FOLDS
from cleaning.belief.primal_learners import LANDMARKS, REFERENCE, VOTE_COLUMNS
from cleaning.belief.shortlist import classes_fitted

# What a row costs, measured in multiplications: in the fit of a stack for each class, and in the count.
_PER_STACKED, _PER_COUNTED, _PER_COUNTED_CLASS = 130_000.0, 300_000.0, 2_500.0
# What a number costs that is read and looked at.
_PER_NUMBER = 60.0


@dataclass(frozen=True)
class Cost:
    """The cost of the passes, in multiplications. first and second: of the stacks before and after `forward`."""

    scan: float
    predicted: float
    grams: float
    first: float
    forward: float
    second: float
    judge: float
    count: float

    @classmethod
    def of(cls, n: int, width: int, n_classes: int, *, clean: bool, predicted: bool) -> "Cost":
        """For n rows. clean: whether there are trusted rows. predicted: whether the user's own model has a say."""
        learned = width**2 + 2 * width * LANDMARKS + LANDMARKS**2 + REFERENCE * VOTE_COLUMNS
        judge = learned + n_classes * (2 * width + LANDMARKS + 150.0)
        drawn = min(n, STACKED_ROWS)
        stack = drawn * (judge + _PER_STACKED * classes_fitted(n_classes))
        return cls(
            scan=n * width * _PER_NUMBER,
            predicted=n * n_classes * _PER_NUMBER * predicted,
            grams=n * float(width**2 + width * LANDMARKS + LANDMARKS**2),
            first=stack * (1 + clean),
            forward=n * (2.0 * width + 20) * n_classes * (FOLDS - 1) / FOLDS,
            second=stack * (1 + clean + predicted),
            judge=n * judge,
            count=drawn * (_PER_COUNTED + _PER_COUNTED_CLASS * n_classes),
        )

    @property
    def planned(self) -> float:
        """The cost of all passes."""
        once = self.scan + self.predicted + self.grams + self.first + self.second + self.judge + self.count
        return once + FOLDS * EVALUATIONS * self.forward
