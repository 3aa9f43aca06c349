"""The evaluate task: score what is new, reuse what is known, record every failure, and go on."""

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from math import inf
from pathlib import Path
from shutil import rmtree
from typing import Any

from cleaning.errors import BadData, FixfirstError, InvalidInput, printable
from cleaning.parallel import Engine, NoCluster, WorkersLost, finished_jobs
from evaluation import registry
from evaluation.files import sha256_file
from evaluation.folders import Folders
from evaluation.parameters import Parameters, load_parameters
from evaluation.progress import Reporter
from evaluation.record import Record, append_record, environment, fingerprint, finite, latest, now, read_records
from evaluation.submission_log import SubmissionLog
from evaluation.task import Case, Rejected, Step, Task
from evaluation.unread import unread_warning


def evaluate(folders: Folders, reporter: Reporter, *, lenient: bool = False) -> int:
    """Scores every submission of every task in parameters.yaml and returns how many failed.

    lenient: as if parameters.yaml said so. A task without submissions is a failure too, and the others go on.
    A submission whose record is there already, for the same files, task version, learner and seed, is not scored again.
    Each result is written as soon as it is there, so a killed run loses at most the submissions in hand, and of a long
    curve at most the blocks in hand.
    """
    parameters = load_parameters(folders.parameters_file)
    if lenient:
        parameters = parameters.model_copy(update={"lenient": True})
    unread, failures = unread_warning(folders, parameters), 0
    if unread is not None:
        reporter.warn(unread)
    for name in parameters.tasks:
        failures += _evaluate_task(registry.task(name), folders, parameters, reporter)
    return failures


def _evaluate_task(task: Task, folders: Folders, parameters: Parameters, reporter: Reporter) -> int:
    path = folders.results_file
    found = task.load(folders, parameters)
    if not found:
        reporter.warn(
            f"failed: {folders.submission_folder}: there are no submissions for the task {task.name}. "
            "Fix: run `fixfirst create_baselines`, or put files there."
        )
    rejected = [item for item in found if isinstance(item, Rejected)]
    cases = [item for item in found if isinstance(item, Case)]
    records = [record for record in read_records(path) if record.task == task.name]
    log = SubmissionLog(folders.submission_log)
    todo, kept = _reuse(task, cases, records, folders)
    reporter.say(f"{task.name}: {len(cases)} submissions, {len(cases) - len(todo)} known already, {len(todo)} to score")
    scored: list[tuple[Case, Record]] = []
    try:
        failures = _score_all(task, todo, folders, parameters.engine(), scored, reporter)
    finally:
        _note(log, [*kept, *scored])
    for item in rejected:
        reporter.warn(f"failed: {item.error}")
    _withdraw(task, cases, folders, log)
    newest = [record for record in latest(read_records(path)) if record.task == task.name and record.status == "ok"]
    task.publish(newest, folders, parameters)
    return failures + len(rejected) + (not found)


def _score_all(
    task: Task,
    todo: Sequence[Case],
    folders: Folders,
    engine: Engine,
    scored: list[tuple[Case, Record]],
    reporter: Reporter,
) -> int:
    """Scores and records, in the order they finish, and adds both to `scored`; returns how many failed."""
    path, blocks = folders.results_file, _unfinished(task, folders)
    named = {_fingerprint(task, case): replace(case, unfinished=blocks / _fingerprint(task, case)) for case in todo}
    _drop_all_but(set(named), blocks)
    failed: set[str] = set()
    for record in _scored(task, list(named.values()), engine, reporter):
        append_record(path, record)
        scored.append((named[record.fingerprint], record))
        if record.status == "ok":
            rmtree(blocks / record.fingerprint, ignore_errors=True)
        else:
            failed.add(record.fingerprint)
            reporter.warn(f"failed: {record.error}")
    _drop_all_but(failed, blocks)
    return len(failed)


def _note(log: SubmissionLog, found: Sequence[tuple[Case, Record]]) -> None:
    """Logs submissions, the file that was written first in front.

    Bounds read the truth: they are no submissions. What is wrong with the data, or with fixfirst, is not their fault.
    """
    for case, record in sorted(found, key=lambda pair: (_written(pair[0].path), pair[0].path)):
        if not case.settings.get("bound") and record.fault in (None, "submission"):
            log.note(case, record)


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # taken away meanwhile
        return inf


def _fingerprint(task: Task, case: Case) -> str:
    return fingerprint(
        task=task.name,
        version=task.version,
        dataset=case.dataset_sha256,
        submission=case.submission_sha256,
        settings=dict(case.settings),
        seed=case.seed,
        slot=(case.dataset, case.method),
    )


def _reuse(
    task: Task, cases: Sequence[Case], records: Sequence[Record], folders: Folders
) -> tuple[list[Case], list[tuple[Case, Record]]]:
    """The cases no record answers, and the others with theirs.

    A record that answers, but is not the newest of its slot, is written again.
    """
    known = {record.fingerprint: record for record in records if record.status == "ok"}
    newest = {record.slot: record for record in records}
    todo, kept = [], []
    for case in cases:
        record = known.get(_fingerprint(task, case))
        if record is None:
            todo.append(case)
            continue
        kept.append((case, record))
        if newest[record.slot].fingerprint != record.fingerprint or newest[record.slot].status != "ok":
            append_record(folders.results_file, record.model_copy(update={"created": now()}))
    return todo, kept


def _scored(task: Task, cases: Sequence[Case], engine: Engine, reporter: Reporter) -> Iterator[Record]:
    """One record a case: the short ones side by side, then the long ones, which may cut themselves into jobs."""
    short = [case for case in cases if not case.long]
    long = [replace(case, engine=engine) for case in cases if case.long]
    if len(cases) == 1:
        short, long = [], [replace(case, engine=engine) for case in cases]
    done = 0
    with reporter.track(task.name, len(cases), "submissions") as update:

        def within(part: int, whole: int, note: str = "") -> None:
            update(done + part / whole, note)

        for _, record in finished_jobs(_score_by_name, (task.name,), short, engine, within):
            yield record
            done += 1
            update(done)
        for case in long:
            yield _score_one(task, case, _noted(within, case))
            done += 1
            update(done)


def _noted(within: Callable[[int, int, str], None], case: Case) -> Step:
    return lambda part, whole: within(part, whole, f"{case.method} on {case.dataset}, {part} of {whole} models")


def _unfinished(task: Task, folders: Folders) -> Path:
    """Where blocks of curves that have no record yet are kept, a folder a fingerprint."""
    return folders.results_folder / "unfinished" / task.name


def _drop_all_but(names: Set[str], folder: Path) -> None:
    """Blocks of curves that nobody asks for any more, and the folder itself where nothing is left in it."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in names:
            rmtree(path, ignore_errors=True)
    for path in (folder, folder.parent):
        with suppress(OSError):  # not there, or not empty
            path.rmdir()


def _score_by_name(name: str, case: Case, step: Step) -> Record:
    """In a worker process, where the task is looked up anew."""
    return _score_one(registry.task(name), case, step)


def _score_one(task: Task, case: Case, step: Step) -> Record:
    """Scores on one BLAS thread: the numbers then do not depend on the machine's cores. Raises for a cluster alone."""
    from threadpoolctl import threadpool_limits

    common = _identity(task, case)
    try:
        with threadpool_limits(limits=1):
            outcome = task.score(case, step)
        if sha256_file(case.path) != case.submission_sha256:
            raise InvalidInput(case.path, "it changed while it was read", "write it whole, then evaluate again")
        return Record(
            status="ok",
            metrics=finite(dict(outcome.metrics)),
            denominators=dict(outcome.denominators),
            boards=dict(outcome.boards),
            curve=outcome.curve,
            seconds=outcome.seconds,
            details=dict(outcome.details),
            **common,
        )
    except (NoCluster, WorkersLost):  # not the submission's fault
        raise
    except BadData as error:
        return Record(status="failed", fault="data", error=str(error), **common)
    except FixfirstError as error:
        return Record(status="failed", fault="submission", error=str(error), **common)
    except Exception as error:
        told = (
            f"{case.path}: scoring broke ({type(error).__name__}: {error}); this is a bug of fixfirst, please report it"
        )
        return Record(status="failed", fault="fixfirst", error=printable(told), **common)


def _identity(task: Task, case: Case) -> dict[str, Any]:
    """The fields of a record that are known before its submission is scored."""
    return {
        "task": task.name,
        "task_version": task.version,
        "dataset": case.dataset,
        "method": case.method,
        "submission_sha256": case.submission_sha256,
        "dataset_sha256": case.dataset_sha256,
        "settings": dict(case.settings),
        "seed": case.seed,
        "fingerprint": _fingerprint(task, case),
        "environment": environment(),
        "created": now(),
    }


def _withdraw(task: Task, cases: Sequence[Case], folders: Folders, log: SubmissionLog) -> None:
    """Notes that a submission recorded earlier is not there any more, so that tables leave it out."""
    there = {(task.name, case.dataset, case.method, case.seed) for case in cases}
    for record in latest(read_records(folders.results_file)):
        if record.task == task.name and record.slot not in there:
            update = {"status": "withdrawn", "error": "the submission is not there any more", "created": now()}
            log.withdraw(record.slot)
            append_record(folders.results_file, record.model_copy(update=update))
