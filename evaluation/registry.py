"""Everything that is found by folder: rankers, tasks, learners."""

from functools import cache
from pathlib import Path
from typing import cast

from pydantic import TypeAdapter, ValidationError

from cleaning import InvalidInput, Learner
from cleaning.discovery import Registry, discover, discover_folder, nearest
from evaluation.parameters import LearnerSpec
from evaluation.task import Task


@cache
def own_rankers() -> Registry:
    """The rankers of the baselines room."""
    import baselines

    return discover(baselines, "ranker", "rank")


def rankers(folder: Path) -> Registry:
    """Our rankers and the user's. Imports (runs) the user's files: only for `create_baselines` and `ls`."""
    return own_rankers().joined(discover_folder(folder, "ranker", "rank"))


@cache
def tasks() -> Registry:
    """The tasks of evaluation/tasks."""
    import evaluation.tasks

    return discover(evaluation.tasks, "task", "TASK")


def task(name: str) -> Task:
    """A task by name; an unknown one is answered with the nearest."""
    return cast("Task", tasks()[name].member)


@cache
def learners() -> Registry:
    """The learners of cleaning/learners."""
    import cleaning.learners

    return discover(cleaning.learners, "learner", "Learner")


def make_learner(spec: LearnerSpec) -> Learner:
    """The learner a block or the whole of parameters.yaml asks for.

    Raises InvalidInput for an unknown learner or option (with the nearest known one) or a value of the wrong type.
    """
    kind = learners()[spec.name].member
    options = spec.model_extra or {}
    known = list(getattr(kind, "__dataclass_fields__", {}))
    for name in options:
        if name not in known:
            raise InvalidInput(f"learner {spec.name}", f"unknown option {name!r}", nearest(name, known))
    try:
        return cast("Learner", TypeAdapter(kind).validate_python(options))
    except ValidationError as failure:
        error = failure.errors(include_url=False)[0]
        place = ".".join(str(step) for step in error["loc"])
        raise InvalidInput(
            f"learner {spec.name}, option {place}",
            f"{error['msg']}, found {error['input']!r}",
            "correct parameters.yaml",
        ) from None
