"""What the iterations for many classes ask of a metric; see `leading` and `blocks`."""

from typing import Protocol

from cleaning.data import FloatMatrix, IntVector


class Metric(Protocol):
    """An approximation of the Hessian, made at one state for those near it.

    moving: rows, ascending, whose probabilities in each state are taken into account.
    """

    @property
    def moving(self) -> IntVector:
        """See above."""
        ...

    def solve(self, gradient: FloatMatrix, chance: FloatMatrix) -> FloatMatrix:
        """The Newton step, up to its sign, for gradients (size + 1, outputs, states) in float32.

        chance (outputs, moving rows, states): probabilities of the states.
        """
        ...
