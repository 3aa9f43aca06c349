"""What `evaluate` scores besides the files in the submission folder: every submission that `submit` accepted."""

from collections.abc import Sequence
from dataclasses import replace

from cleaning.errors import FixfirstError, InvalidInput, first_three
from evaluation.contest.accepted import accepted_folder, unlogged
from evaluation.contest.log import Entry, Slot, SubmissionLog
from evaluation.contract.task import Case, Rejected, Task
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.submissions.division import read_division


def accepted_slots(task: Task, log: SubmissionLog, parameters: Parameters) -> dict[Slot, list[Entry]]:
    """The entries that accepted a submission to an enabled data id of the task, by slot."""
    enabled = {data_id for name, block in parameters.enabled(task.name).items() for data_id in block.data_ids(name)}
    slots = {slot: log.accepted(slot) for slot in log.slots if slot[0] == task.name and slot[1] in enabled}
    return {slot: entries for slot, entries in slots.items() if entries}


def accepted_case(entry: Entry, task: Task, folders: Folders, parameters: Parameters) -> Case | Rejected:
    """An accepted submission as it was stored; a rejection if its file is not there or is not the one accepted."""
    place = accepted_folder(folders, entry.dataset, entry.team) / f"{entry.number}"
    problem = f"the file of submission {entry.number} of {entry.team} to {entry.dataset}, which was accepted,"
    fix = "restore the folder from a backup; the scores it had still count"
    if not place.is_dir():
        return Rejected(place, InvalidInput(place, f"{problem} is missing", fix))
    try:
        found = task.load(replace(folders, submission_folder=place), parameters.model_copy(update={"bounds": ()}))
    except FixfirstError as error:
        return Rejected(place, error)
    case = next(iter(found), None)
    if isinstance(case, Rejected):
        return case
    if case is None or len(found) > 1 or (case.dataset, case.submission_sha256) != (entry.dataset, entry.sha256):
        return Rejected(place, InvalidInput(place, f"{problem} has been changed", fix))
    if read_division(case.path).get("code_sha256") != entry.code_sha256:
        problem = f"the note about the algorithm of submission {entry.number} of {entry.team} to {entry.dataset}"
        return Rejected(place, InvalidInput(place, f"{problem} has been changed", fix))
    return replace(case, folders=folders, seed=entry.seed, number=entry.number)


def unlogged_warning(task: Task, log: SubmissionLog, folders: Folders, parameters: Parameters) -> str | None:
    """A one-line warning about stored submissions to the task that the log does not have, or None."""
    ids = [data_id for name, block in parameters.enabled(task.name).items() for data_id in block.data_ids(name)]
    known = {(entry.dataset, entry.team, entry.number or 0) for entry in log.entries if entry.verdict == "accepted"}
    found = unlogged(folders, ids, known)
    if not found:
        return None
    return (
        f"{log.path}: it does not have these stored submissions, which are not scored ({first_three(found)}). "
        "Fix: restore the log from a backup, or submit them again; a run that was killed may also have left one."
    )


def loose(found: Sequence[Case | Rejected], accepted: dict[Slot, list[Entry]], task: Task) -> list[Case | Rejected]:
    """What was found in the submission folder itself, without copies of accepted files.

    Any other file of a team that has submitted to the data id is rejected: it did not pass the rate limits.
    """
    kept: list[Case | Rejected] = []
    for item in found:
        entries = (
            [] if isinstance(item, Rejected) else accepted.get((task.name, item.dataset, item.method, item.seed), [])
        )
        if not entries:
            kept.append(item)
        elif isinstance(item, Case) and item.submission_sha256 not in {entry.sha256 for entry in entries}:
            problem = f"{item.method} submits to {item.dataset} with `fixfirst submit`, and this file was not accepted"
            kept.append(Rejected(item.path, InvalidInput(item.path, problem, "submit it, or remove it from here")))
    return kept
