"""The score of one answer, without a trace in the results."""

from collections.abc import Mapping
from dataclasses import replace

from cleaning.errors import FixfirstError
from cleaning.parallel.engine import thread_pools
from cleaning.progress import silent
from evaluation.contract.task import Case, Task
from evaluation.files.whole import write_whole
from evaluation.sandbox.room import room
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters

_NAME = "answer"


def check(content: bytes, data_id: str, task: Task, folders: Folders, parameters: Parameters) -> None:
    """Raises FixfirstError if the task does not accept the answer."""
    with room() as place:
        path = place / f"{data_id}_{_NAME}{task.suffixes[0]}"
        write_whole(path, content)
        task.validate(path, folders, parameters)


def metrics_of(
    content: bytes, data_id: str, task: Task, folders: Folders, parameters: Parameters
) -> Mapping[str, float]:
    """The metrics of an answer on the whole truth. Raises FixfirstError if it is not accepted."""
    with room() as place:
        write_whole(place / f"{data_id}_{_NAME}{task.suffixes[0]}", content)
        alone = parameters.model_copy(update={"bounds": ()})
        found = task.load(replace(folders, submission_folder=place), alone)
        for item in found:
            if not isinstance(item, Case):
                raise item.error
            with thread_pools().limit(limits=1):
                return task.score(replace(item, folders=folders), silent).metrics
    raise FixfirstError(f"{data_id} is not a data id of the task {task.name}.")
