"""A tiny example of a task: what example.py in the folder of a task makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DATA_ID = "example"


@dataclass(frozen=True)
class Example:
    """Two submissions to the data id `example`, one that is scored and one that is refused.

    suffix: of their names, with the dot. block: what the data set's block of parameters.yaml says besides task and ids.
    """

    suffix: str
    good: str
    broken: str
    block: Mapping[str, Any] = field(default_factory=dict)
