"""What problem.py in the folder of a sister task says: how to read a problem and how to write an answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Content = Callable[[Any, "Loaded"], bytes | Iterable[bytes]]


@dataclass(frozen=True)
class ProblemFiles:
    """load: the problem in a folder, and the names its answer needs. content: the bytes of a submission, or pieces.
    probabilities: those of a table for `fixfirst blend`, where the submission itself is none.

    load raises InvalidInput that names file, row and value. suffix: of the submission file. others: further forms of
    the submission by their suffix, for predictors whose block says `format:`.
    """

    suffix: str
    load: Callable[[Path], "Loaded"]
    content: Content
    probabilities: Callable[[Any, "Loaded"], bytes] | None = None
    others: Mapping[str, Content] = field(default_factory=dict)

    @property
    def forms(self) -> dict[str, Content]:
        """Every form of the submission by its suffix, the usual one first."""
        return {self.suffix: self.content, **self.others}


@dataclass(frozen=True, eq=False)
class Loaded:
    """problem: what the predictor gets. names: what the answer's rows and columns are called. notes: what to know."""

    problem: Any
    names: Any
    notes: tuple[str, ...] = ()
