"""How long work says how far it is: one way for rankers, predictors, learners, the simulation and the screen."""

from typing import Protocol


class Progress(Protocol):
    """Told the steps done (fractions are welcome), the steps in all (0: not known), and perhaps what is going on."""

    def __call__(self, done: float, total: float, note: str = "", /) -> None:
        """Takes a report; returns at once."""
        ...


def silent(done: float, total: float, note: str = "", /) -> None:
    """The Progress nobody watches."""
