"""The registries of everything discovered by folder: tasks, rankers, bounds, predictors, learners, encoders."""

import importlib
import importlib.util
from functools import cache, reduce
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from cleaning import InvalidInput, Learner
from cleaning.discovery import (
    Component,
    Registry,
    discover,
    discover_entry_points,
    discover_folder,
    discover_parts,
    public_modules,
)
from cleaning.errors import Place, suggest
from evaluation.contract.box import LayOut, whole_problem
from evaluation.contract.problem import ProblemFiles
from evaluation.contract.task import Task
from evaluation.settings.limits import Allowed, LimitSpec, allowed
from evaluation.settings.parameters import LearnerSpec, Parameters
from evaluation.settings.rules import Rules

_RANKER = {"ranker": "rank"}
_PREDICTOR = {"predictor": "predict"}


@cache
def tasks() -> Registry:
    """The tasks: task.py in each folder of evaluation/tasks."""
    return _parts("task", "task", "TASK")


def task(name: str) -> Task:
    """A task by name. The error for an unknown name suggests the closest."""
    return cast("Task", tasks()[name].member)


def chosen_task(name: str | None, parameters: Parameters) -> Task:
    """A task by name; without one, the only task in parameters.yaml, or cleaning if it is one of several.

    Raises InvalidInput for an ambiguous choice or an unknown name.
    """
    if name is None and len(parameters.tasks) == 1:
        name = parameters.tasks[0]
    if name is None and "cleaning" in parameters.tasks:
        name = "cleaning"
    if name is None:
        raise InvalidInput(
            "--task", "parameters.yaml has several tasks", f"choose one of {', '.join(parameters.tasks)}"
        )
    return task(name)


def rules_of(task: Task, parameters: Parameters) -> Rules:
    """Which submissions count and how often a team may submit: from parameters.yaml, else the task's own rules."""
    return parameters.rules.get(task.name, Rules()).over(task.rules)


def limits_of(task: Task, parameters: Parameters) -> Allowed:
    """What a program of the closed division may use: from parameters.yaml, else the task's own, else the defaults."""
    return allowed(task.limits, parameters.limits.get(task.name, LimitSpec()))


@cache
def boxes() -> Registry:
    """What the tasks show to programs in the sandbox: box.py in the folders of the tasks that have one."""
    return _parts("box", "task with a box", "lay_out")


def box_of(task: Task) -> LayOut:
    """How the data of a task are laid out for a program in the sandbox."""
    known = boxes()
    return cast("LayOut", known[task.name].member) if task.name in known else whole_problem(task.suffixes[0])


@cache
def problems() -> Registry:
    """How the sister tasks' files are read and written: problem.py in each task's folder."""
    return _parts("problem", "task with predictors", "PROBLEM")


def problem_files(task: str) -> ProblemFiles:
    """How a sister task's problems are read and its answers written. An error suggests the closest task name."""
    return cast("ProblemFiles", problems()[task].member)


@cache
def makers_of_digits() -> Registry:
    """The makers of the tasks' default data: made_of_digits.py in each task's folder."""
    return _parts("made_of_digits", "task with default data", "write")


@cache
def examples() -> Registry:
    """The makers of the tasks' tiny examples: example.py in each task's folder."""
    return _parts("example", "task with an example", "write")


@cache
def own_rankers() -> Registry:
    """The rankers of baselines/rankers."""
    return discover(_package("baselines.rankers"), "ranker", "rank")


def rankers(folder: Path) -> Registry:
    """Our rankers, those of installed packages (entry points `fixfirst.rankers`) and those in the user's folder.

    Imports, and so runs, third-party code: only `create_baselines`, `ls` and the processes that `rounds` starts may
    call it.
    """
    installed = discover_entry_points("fixfirst.rankers", "ranker", "rank")
    return own_rankers().joined(installed).joined(discover_folder(folder, "ranker", "rank", beside=_PREDICTOR))


@cache
def bounds() -> Registry:
    """The bounds of baselines/bounds. They read the true labels, so they are not rankers."""
    return discover(_package("baselines.bounds"), "bound", "rank_with_truth")


@cache
def is_bound(method: str) -> bool:
    """Whether a method has the name of a bound. Imports none of them."""
    return method in public_modules(_package("baselines.bounds"))


@cache
def own_predictors() -> Registry:
    """The reference predictors of baselines/predictors, for all sister tasks."""
    places = [f"baselines.predictors.{name}" for name in problems()]
    folders = [_package(place) for place in places if importlib.util.find_spec(place)]
    return reduce(Registry.joined, (discover(folder, "predictor", "predict") for folder in folders))


def predictors(folder: Path) -> Registry:
    """Our predictors and those in the user's folder. Imports, and so runs, the user's files.

    Raises InvalidInput for a predictor whose `TASK` is not the name of a task.
    """
    known = own_predictors().joined(discover_folder(folder, "predictor", "predict", beside=_RANKER))
    for component in known.values():
        task_of(component)
    return known


def task_of(predictor: Component) -> str:
    """The task a predictor is for: the folder's name for our own, `TASK` for a user's file."""
    if predictor.name in own_predictors():
        return predictor.origin.parent.name
    name = getattr(predictor.module, "TASK", None)
    if not isinstance(name, str):
        raise InvalidInput(predictor.origin, "a predictor needs a public `TASK`", 'add for example TASK = "logo"')
    return problems()[name].name


@cache
def encoders() -> Registry:
    """The encoders of evaluation/embedding/encoders and of installed packages (entry points `fixfirst.encoders`)."""
    own = discover(_package("evaluation.embedding.encoders"), "encoder", "Encoder")
    return own.joined(discover_entry_points("fixfirst.encoders", "encoder", "Encoder"))


@cache
def learners() -> Registry:
    """The learners of cleaning/learners."""
    return discover(_package("cleaning.learners"), "learner", "Learner")


def make_learner(spec: LearnerSpec) -> Learner:
    """The learner that parameters.yaml asks for, in a block or at the top level.

    Raises InvalidInput for an unknown learner or option (suggesting the closest) and for a value of the wrong type.
    """
    kind = learners()[spec.name].member
    options = spec.model_extra or {}
    if hasattr(kind, "from_options"):  # it accepts options that are not fields
        return cast("Learner", kind.from_options(options))
    known = list(getattr(kind, "__dataclass_fields__", {}))
    for name in options:
        if name not in known:
            raise InvalidInput(f"learner {spec.name}", f"unknown option {name!r}", suggest(name, known))
    try:
        return cast("Learner", _options_of(kind).validate_python(options))
    except ValidationError as failure:
        error = failure.errors(include_url=False)[0]
        option = ".".join(str(step) for step in error["loc"])
        raise InvalidInput(
            Place(key=f"learner {spec.name}, option {option}"),
            f"{error['msg']}, found {error['input']!r}",
            "correct parameters.yaml",
        ) from None


@cache
def _options_of(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _parts(part: str, kind: str, member: str) -> Registry:
    return discover_parts(_package("evaluation.tasks"), part, kind, member)


def _package(name: str) -> ModuleType:
    """Imports a package by name, because no room imports statically what is discovered by folder."""
    return importlib.import_module(name)
