"""Which task and data id a file that somebody hands in is an answer to."""

from collections.abc import Mapping
from pathlib import Path

from cleaning.errors import InvalidInput, suggest
from evaluation.contract import registry
from evaluation.contract.task import Task
from evaluation.settings.parameters import Parameters
from evaluation.submissions.rankings import longest_id


def addressed(path: Path, task: str | None, parameters: Parameters) -> tuple[Task, str]:
    """The task and the data id that a file answers, in any folder.

    The name says it (`DATAID_ANYTHING` or `DATAID`), or there is only one data id that a file with this suffix can
    answer. task: the task it has to be.

    Raises InvalidInput for a file that fits no data id or several, for one of a task that `evaluate` does not score,
    and for a suffix that the task does not read.
    """
    tasks = _tasks(parameters)
    if task is not None:
        registry.task(task)
    known = [data_id for data_id, own in tasks.items() if task in (None, own)]
    data_id = path.stem if path.stem in known else longest_id(path.stem, known)
    if data_id is None:
        data_id = _only_one(path, known, tasks)
    found = registry.task(tasks[data_id])
    if found.name not in parameters.tasks:
        raise InvalidInput(
            path,
            f"it answers {data_id}, a data id of the task {found.name}, which `evaluate` does not score",
            f"add {found.name} to `tasks:` in parameters.yaml",
        )
    if path.suffix not in found.suffixes:
        form = " or ".join(f"{data_id}_NAME{suffix}" for suffix in found.suffixes)
        raise InvalidInput(path, f"the task {found.name} does not read the suffix {path.suffix!r}", f"name it {form}")
    return found, data_id


def named(path: Path, parameters: Parameters) -> tuple[str, str] | None:
    """The task and the data id in the name of a file that `evaluate` reads; None if it has no known data id."""
    tasks = _tasks(parameters)
    data_id = longest_id(path.stem, list(tasks))
    return None if data_id is None else (tasks[data_id], data_id)


def _tasks(parameters: Parameters) -> dict[str, str]:
    """The task of each enabled data id."""
    blocks = parameters.enabled().items()
    return {data_id: block.task for name, block in blocks for data_id in block.data_ids(name)}


def _only_one(path: Path, known: list[str], tasks: Mapping[str, str]) -> str:
    fitting = [data_id for data_id in known if path.suffix in registry.task(tasks[data_id]).suffixes]
    if len(fitting) != 1:
        raise InvalidInput(
            path,
            "the name does not start with a known data id and an underscore",
            f"name it DATAID_NAME{path.suffix}; {suggest(path.stem.rpartition('_')[0] or path.stem, known)}",
        )
    return fitting[0]
