"""Everything that is found by folder: rankers, tasks, learners."""

from functools import cache
from pathlib import Path
from typing import cast

from pydantic import TypeAdapter, ValidationError

from cleaning import InvalidInput, Learner
from cleaning.discovery import Component, Registry, discover, discover_folder, nearest
from evaluation.parameters import LearnerSpec, Parameters
from evaluation.problem import ProblemFiles
from evaluation.rules import Rules
from evaluation.task import Task

_RANKER = {"ranker": "rank"}
_PREDICTOR = {"predictor": "predict"}


@cache
def own_rankers() -> Registry:
    """The rankers of the baselines room."""
    import baselines

    return discover(baselines, "ranker", "rank", beside=_PREDICTOR)


def rankers(folder: Path) -> Registry:
    """Our rankers and the user's. Imports (runs) the user's files: only for `create_baselines` and `ls`."""
    return own_rankers().joined(discover_folder(folder, "ranker", "rank", beside=_PREDICTOR))


@cache
def own_predictors() -> Registry:
    """The reference predictors of the baselines room, of all sister tasks."""
    import baselines

    return discover(baselines, "predictor", "predict", beside=_RANKER)


def predictors(folder: Path) -> Registry:
    """Our predictors and the user's, each with the task it is for. Imports (runs) the user's files.

    Raises InvalidInput for a predictor whose `TASK` is not the name of a task.
    """
    known = own_predictors().joined(discover_folder(folder, "predictor", "predict", beside=_RANKER))
    for component in known.values():
        task_of(component)
    return known


def task_of(predictor: Component) -> str:
    """The task a predictor is for, its module's `TASK`."""
    name = getattr(predictor.module, "TASK", None)
    if not isinstance(name, str):
        raise InvalidInput(predictor.origin, "a predictor needs a public `TASK`", 'write TASK = "logo", say')
    return problems()[name].name


@cache
def tasks() -> Registry:
    """The tasks of evaluation/tasks."""
    import evaluation.tasks

    return discover(evaluation.tasks, "task", "TASK")


def task(name: str) -> Task:
    """A task by name; an unknown one is answered with the nearest."""
    return cast("Task", tasks()[name].member)


def rules_of(task: Task, parameters: Parameters) -> Rules:
    """Which submissions of a task count and how often one may submit: parameters.yaml, else the task's own rules."""
    return parameters.rules.get(task.name, Rules()).over(task.rules)


@cache
def problems() -> Registry:
    """The sister tasks' files, evaluation/problems."""
    import evaluation.problems

    return discover(evaluation.problems, "task with predictors", "PROBLEM")


def problem_files(task: str) -> ProblemFiles:
    """How a sister task's problems are read and its answers written; an unknown task is answered with the nearest."""
    return cast("ProblemFiles", problems()[task].member)


@cache
def defaults() -> Registry:
    """The makers of the sister tasks' default data, evaluation/defaults."""
    import evaluation.defaults

    return discover(evaluation.defaults, "task with default data", "write")


@cache
def examples() -> Registry:
    """The makers of the tasks' tiny examples, evaluation/examples."""
    import evaluation.examples

    return discover(evaluation.examples, "task with an example", "write")


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
    if hasattr(kind, "from_options"):  # it knows more options than its fields
        return cast("Learner", kind.from_options(options))
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
