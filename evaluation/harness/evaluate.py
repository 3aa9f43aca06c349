"""The evaluate task: score new submissions, reuse known scores, record every failure and continue."""

import warnings
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from shutil import rmtree
from typing import Any

from cleaning.errors import BadData, FixfirstError, InvalidInput, foreign_reason, foreign_warning, printable
from cleaning.parallel.engine import Engine, finished_jobs
from cleaning.parallel.lost import NoCluster, WorkersLost
from cleaning.progress import Progress
from evaluation.contest.log import SubmissionLog
from evaluation.contract import registry
from evaluation.contract.loading import load_parameters
from evaluation.contract.record import (
    Record,
    environment,
    fingerprint,
    finite,
    now,
)
from evaluation.contract.task import Case, Rejected, Task
from evaluation.files.lock import only_writer
from evaluation.files.progress import Reporter
from evaluation.files.whole import sha256_file
from evaluation.harness.results import Results, Slot
from evaluation.harness.unread import unread_warning
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.submissions.division import read_division

_MOST_WARNINGS = 10


def evaluate(folders: Folders, reporter: Reporter, *, lenient: bool = False) -> int:
    """Scores every submission of every task in parameters.yaml and returns how many failed.

    lenient has the same effect as `lenient: true` in parameters.yaml. A task without submissions counts as one failure;
    the other tasks are still scored. A submission is not scored again if it already has a record for the same files,
    task version, learner and seed. Each result is written as soon as it is available, so a killed run loses at most the
    submissions in progress, and for a long curve at most the blocks in progress.
    """
    parameters = load_parameters(folders.parameters_file)
    if lenient:
        parameters = parameters.model_copy(update={"lenient": True})
    unread, failures = unread_warning(folders, parameters), 0
    if unread is not None:
        reporter.warn(unread)
    with only_writer(folders.results_folder, reporter.warn):
        books = _Books(Results(folders.results_file), SubmissionLog(folders.submission_log))
        for name in parameters.tasks:
            failures += _evaluate_task(registry.task(name), folders, parameters, books, reporter)
    return failures


@dataclass(frozen=True)
class _Books:
    """The two append-only files: the results, and the log of what happened to every submission."""

    results: Results
    log: SubmissionLog


def _evaluate_task(task: Task, folders: Folders, parameters: Parameters, books: _Books, reporter: Reporter) -> int:
    found = task.load(folders, parameters)
    if not found:
        reporter.warn(
            f"failed: {folders.submission_folder}: there are no submissions for the task {task.name}. "
            "Fix: run `fixfirst create_baselines`, or add submission files to the folder."
        )
    rejected = [item for item in found if isinstance(item, Rejected)]
    cases = [item for item in found if isinstance(item, Case)]
    todo, kept = _reuse(task, cases, books.results)
    reporter.say(f"{task.name}: {len(cases)} submissions, {len(cases) - len(todo)} already known, {len(todo)} to score")
    scored: list[tuple[Case, Record]] = []
    try:
        failures = _score_all(task, todo, folders, parameters.engine(), books.results, scored, reporter)
    finally:
        books.log.note(_of_submissions([*kept, *scored]))
    for item in rejected:
        reporter.warn(f"failed: {item.error}")
    _withdraw(task, found, folders, parameters, books)
    newest = [record for record in books.results.current(task.name) if record.status == "ok"]
    task.publish(newest, folders, parameters)
    return failures + len(rejected) + (0 if found else 1)


def _withdraw(
    task: Task, found: Sequence[Case | Rejected], folders: Folders, parameters: Parameters, books: _Books
) -> None:
    """Withdraws the records of submissions that were not found before the scoring and are still not there."""
    if books.results.gone(task.name, _slots(task, found)):
        again = [*found, *task.load(folders, parameters)]
        gone = books.results.gone(task.name, _slots(task, again))
        books.log.withdraw([record.slot for record in gone])
        for record in gone:
            books.results.withdraw(record)


def _slots(task: Task, found: Sequence[Case | Rejected]) -> list[Slot]:
    return [(task.name, case.dataset, case.method, case.seed) for case in found if isinstance(case, Case)]


def _score_all(
    task: Task,
    todo: Sequence[Case],
    folders: Folders,
    engine: Engine,
    results: Results,
    scored: list[tuple[Case, Record]],
    reporter: Reporter,
) -> int:
    """Scores the cases and records each as it finishes, adds (case, record) to `scored`, returns how many failed."""
    blocks = _unfinished(task, folders)
    named = {_fingerprint(task, case): replace(case, unfinished=blocks / _fingerprint(task, case)) for case in todo}
    _drop_all_but(set(named), blocks)
    failed: set[str] = set()
    for record in _scored(task, list(named.values()), engine, reporter):
        results.add_news(record)
        scored.append((named[record.fingerprint], record))
        if record.status == "ok":
            rmtree(blocks / record.fingerprint, ignore_errors=True)
        else:
            failed.add(record.fingerprint)
            reporter.warn(f"failed: {record.error}")
    _drop_all_but(failed, blocks)
    return len(failed)


def _of_submissions(found: Sequence[tuple[Case, Record]]) -> list[tuple[Case, Record]]:
    """The cases that belong in the log, ordered by the time their file was written.

    Bounds are left out: they read the ground truth and are not submissions. So are failures caused by the data or by
    fixfirst, because they are not the submission's fault.
    """
    own = [(case, record) for case, record in found if not case.bound and record.fault in (None, "submission")]
    return sorted(own, key=lambda pair: (_written(pair[0].path), pair[0].path))


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # removed in the meantime
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
        **read_division(case.path),
    )


def _reuse(task: Task, cases: Sequence[Case], results: Results) -> tuple[list[Case], list[tuple[Case, Record]]]:
    """The cases without a reusable record, and the other cases with their records.

    Each reused record becomes the newest of its slot.
    """
    todo, kept = [], []
    for case in cases:
        record = results.answer(task.name, _fingerprint(task, case))
        if record is None:
            todo.append(case)
        else:
            results.renew(record)
            kept.append((case, record))
    return todo, kept


def _scored(task: Task, cases: Sequence[Case], engine: Engine, reporter: Reporter) -> Iterator[Record]:
    """One record per case: the short cases in parallel, then the long ones, which may split themselves into jobs."""
    short = [case for case in cases if not case.long]
    long = [replace(case, engine=engine) for case in cases if case.long]
    if len(cases) == 1:
        short, long = [], [replace(case, engine=engine) for case in cases]
    done = 0
    with reporter.track(task.name, "submissions") as progress:

        def within(part: float, whole: float, note: str = "", /) -> None:
            progress(done + part / whole, len(cases), note)

        for _, record in finished_jobs(_score_by_name, (task.name,), short, engine, within):
            yield record
            done += 1
            progress(done, len(cases))
        for case in long:
            yield _score_one(task, case, _noted(within, case))
            done += 1
            progress(done, len(cases))


def _noted(within: Progress, case: Case) -> Progress:
    def progress(part: float, whole: float, _note: str = "", /) -> None:
        within(part, whole, f"{case.method} on {case.dataset}, {part:.0f} of {whole:.0f} models")

    return progress


def _unfinished(task: Task, folders: Folders) -> Path:
    """The folder for blocks of curves that do not have a record yet, with one subfolder per fingerprint."""
    return folders.results_folder / "unfinished" / task.name


def _drop_all_but(names: Set[str], folder: Path) -> None:
    """Removes the blocks of curves that are no longer needed, and the folder itself if it is then empty."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in names:
            rmtree(path, ignore_errors=True)
    for path in (folder, folder.parent):
        with suppress(OSError):  # missing or not empty
            path.rmdir()


def _score_by_name(name: str, case: Case, progress: Progress) -> Record:
    """Runs in a worker process, which has to look the task up again."""
    return _score_one(registry.task(name), case, progress)


def _score_one(task: Task, case: Case, progress: Progress) -> Record:
    """Scores one case on one BLAS thread, so that the numbers do not depend on the number of cores.

    Raises only for a missing cluster or lost workers; any other error becomes a failed record.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1):
        common = _identity(task, case)
    try:
        with threadpool_limits(limits=1), warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("default")
            outcome = task.score(case, progress)
        if sha256_file(case.path) != case.submission_sha256:
            raise InvalidInput(
                case.path, "the file changed while it was read", "finish writing it, then evaluate again"
            )
        return Record(
            status="ok",
            metrics=finite(dict(outcome.metrics)),
            denominators=dict(outcome.denominators),
            boards=dict(outcome.boards),
            curve=outcome.curve,
            seconds=outcome.seconds,
            details=dict(outcome.details) | _warnings(told),
            **common,
        )
    except (NoCluster, WorkersLost):  # not the submission's fault
        raise
    except BadData as error:
        return Record(status="failed", fault="data", error=str(error), **common)
    except FixfirstError as error:
        return Record(status="failed", fault="submission", error=str(error), **common)
    except Exception as error:
        message = (
            f"{case.path}: scoring crashed ({type(error).__name__}: {foreign_reason(error)}); "
            "this is a bug in fixfirst, please report it"
        )
        return Record(status="failed", fault="fixfirst", error=printable(message), **common)


def _warnings(told: Sequence[warnings.WarningMessage]) -> dict[str, list[str]]:
    """What libraries warned about while a submission was scored, for its record."""
    lines = list(dict.fromkeys(foreign_warning(one) for one in told))
    return {"warnings": lines[:_MOST_WARNINGS]} if lines else {}


def _identity(task: Task, case: Case) -> dict[str, Any]:
    """The fields of a record that are known before the submission is scored."""
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
        **read_division(case.path),
        "environment": environment(),
        "created": now(),
    }
