"""What a sister task's module in evaluation/problems says: how to read a problem and how to write an answer."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class ProblemFiles:
    """load: the problem in a folder, and the names its answer needs. content: the bytes of a submission.
    probabilities: those of a table for `fixfirst blend`, where the submission itself is none.

    load raises InvalidInput that names file, row and value. suffix: of the submission file.
    """

    suffix: str
    load: Callable[[Path], "Loaded"]
    content: Callable[[Any, "Loaded"], bytes]
    probabilities: Callable[[Any, "Loaded"], bytes] | None = None


@dataclass(frozen=True, eq=False)
class Loaded:
    """problem: what the predictor gets. names: what the answer's rows and columns are called. notes: what to know."""

    problem: Any
    names: Any
    notes: tuple[str, ...] = ()
