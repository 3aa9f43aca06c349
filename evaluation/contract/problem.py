"""What a sister task's problem.py defines: how to read a problem and how to write an answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Content = Callable[[Any, "Loaded"], bytes | Iterable[bytes]]


@dataclass(frozen=True)
class ProblemFiles:
    """How a sister task's problems are read and its answers written.

    suffix: the suffix of the submission file. load: reads the problem in a folder, with the names its answer needs;
    raises InvalidInput with the file, row and value.
    content: the bytes of a submission, whole or in pieces.
    probabilities: the bytes of a probability table for `fixfirst blend`, if the submission itself is not such a table.
    others: further formats of the submission by suffix, for predictors whose block sets `format:`.
    """

    suffix: str
    load: Callable[[Path], "Loaded"]
    content: Content
    probabilities: Callable[[Any, "Loaded"], bytes] | None = None
    others: Mapping[str, Content] = field(default_factory=dict)

    @property
    def forms(self) -> dict[str, Content]:
        """Every format of the submission by its suffix, the default first."""
        return {self.suffix: self.content, **self.others}


@dataclass(frozen=True, eq=False)
class Loaded:
    """A problem that was read.

    problem: what the predictor receives. names: the names of the answer's rows and columns. notes: warnings to print.
    """

    problem: Any
    names: Any
    notes: tuple[str, ...] = ()
