"""The progress interface shared by rankers, predictors, learners, the simulation and the display."""

from typing import Protocol


class Progress(Protocol):
    """Receives the steps done (fractions are allowed), the total (0 if unknown) and an optional note."""

    def __call__(self, done: float, total: float, note: str = "", /) -> None:
        """Takes one report and returns immediately."""
        ...


def silent(done: float, total: float, note: str = "", /) -> None:
    """A Progress that does nothing."""
