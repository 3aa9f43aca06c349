"""Files in the submission folder that look like submissions but that no task reads."""

from pathlib import Path

from cleaning.errors import first_three
from evaluation.contract import registry
from evaluation.files.names import is_hidden
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.submissions.rankings import longest_id, seed_folders
from evaluation.submissions.round_logs import SUFFIX as ROUNDS
from evaluation.submissions.time_files import is_called_like_one


def unread_warning(folders: Folders, parameters: Parameters) -> str | None:
    """A one-line warning about files that no task reads, or None.

    These are files that are named after a data id but whose suffix its task does not read, and files without a suffix.
    Time files, round logs, hidden files, README files and answers to tasks that parameters.yaml leaves out are not
    reported.
    """
    known: dict[str, set[str]] = {}
    every = [(data_id, block.task) for name, block in parameters.enabled().items() for data_id in block.data_ids(name)]
    for data_id, task in every:
        if task in parameters.tasks:
            known.setdefault(data_id, set()).update(registry.task(task).suffixes)
    ids = [data_id for data_id, _ in every]
    places = seed_folders(folders.submission_folder, parameters.seeds[0])
    odd = [path for place, _ in places if place.is_dir() for path in place.iterdir() if _is_odd(path, ids, known)]
    if not odd:
        return None
    names = sorted(path.relative_to(folders.submission_folder).as_posix() for path in odd)
    return (
        f"{folders.submission_folder}: no task reads these files ({first_three(names)}). "
        "Fix: give them the suffix of their task, or remove them."
    )


def _is_odd(path: Path, ids: list[str], known: dict[str, set[str]]) -> bool:
    beside = is_hidden(path.name) or path.name.startswith("README") or path.suffix == ROUNDS
    if beside or is_called_like_one(path) or not path.is_file():
        return False
    data_id = longest_id(path.stem, ids)
    if data_id is None or not path.suffix:
        return not path.suffix
    return data_id in known and path.suffix not in known[data_id]
