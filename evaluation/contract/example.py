"""A tiny example of a task, as made by the task's example.py."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DATA_ID = "example"


@dataclass(frozen=True)
class Example:
    """The contents of two submissions to the data id `example`, one that is scored and one that is refused.

    suffix: the suffix of their file names, with the dot. block: the keys of the data set's block in parameters.yaml
    other than task and ids.
    """

    suffix: str
    good: str
    broken: str
    block: Mapping[str, Any] = field(default_factory=dict)
