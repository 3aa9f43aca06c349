"""Which of a team's submissions to a data id counts."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from evaluation.contract.task import Task
from evaluation.settings.rules import Rules

T = TypeVar("T")


def that_counts(valid: Sequence[T], public: Callable[[T], float], task: Task, rules: Rules) -> T:
    """The one that counts of one team's scored submissions to a data id, which are given in order of arrival.

    public: the main metric on the public part of the truth, or on everything if it is not split.
    """
    sign = 1.0 if task.main.greater_is_better else -1.0
    chosen = valid[0]
    for one in valid[1:]:
        if rules.counts != "best" or sign * public(one) > sign * public(chosen):
            chosen = one
    return chosen
