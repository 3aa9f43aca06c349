"""The evaluate task: score new submissions, reuse known scores, record every failure and continue.

Whatever the scores depend on (data, truth, settings, version of the task) is part of what makes a score known, so the
same command judges every submission again after any of it has changed.
"""

import warnings
from collections.abc import Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from shutil import rmtree
from typing import Any

from cleaning.errors import BadData, FixfirstError, InvalidInput, count_of, foreign_reason, foreign_warning, printable
from cleaning.parallel.engine import Engine, finished_jobs, thread_pools
from cleaning.parallel.lost import NoCluster, WorkersLost
from cleaning.progress import Progress
from evaluation.contest.counting import that_counts
from evaluation.contest.log import Slot, SubmissionLog
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
from evaluation.files.whole import refuse_read_only, sha256_file
from evaluation.harness.accepted import accepted_case, accepted_slots, loose, unlogged_warning
from evaluation.harness.results import Results
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
        refuse_read_only(folders.results_folder)
        books = Books.opened(folders)
        for name in parameters.tasks:
            failures += _evaluate_task(registry.task(name), folders, parameters, books, reporter)
    return failures


@dataclass(frozen=True)
class Books:
    """The two append-only files: the results, and the log of what happened to every submission."""

    results: Results
    log: SubmissionLog

    @classmethod
    def opened(cls, folders: Folders) -> "Books":
        """Both files, read to their ends. Raises InvalidInput for a line that cannot be read."""
        return cls(Results(folders.results_file), SubmissionLog(folders.submission_log)).read()

    def read(self) -> "Books":
        """Reads what was added since."""
        self.results.read()
        self.log.read()
        return self


def _evaluate_task(task: Task, folders: Folders, parameters: Parameters, books: Books, reporter: Reporter) -> int:
    forgotten = unlogged_warning(task, books.log, folders, parameters)
    if forgotten is not None:
        reporter.warn(forgotten)
    accepted = accepted_slots(task, books.log, parameters)
    found = loose(task.load(folders, parameters), accepted, task)
    for entry in (entry for entries in accepted.values() for entry in entries):
        found.append(accepted_case(entry, task, folders, parameters))
    if not found:
        reporter.warn(
            f"failed: {folders.submission_folder}: there are no submissions for the task {task.name}. "
            "Fix: run `fixfirst create_baselines`, or add submission files to the folder."
        )
    rejected = [item for item in found if isinstance(item, Rejected)]
    cases = [item for item in found if isinstance(item, Case)]
    failures = score_cases(task, cases, folders, parameters, books, reporter, counts=True)
    for item in rejected:
        reporter.warn(f"failed: {item.error}")
    _withdraw(task, [*_slots(task, found), *accepted], folders, parameters, books)
    publish(task, folders, parameters, books)
    return failures + len(rejected) + (0 if found else 1)


def score_cases(
    task: Task,
    cases: Sequence[Case],
    folders: Folders,
    parameters: Parameters,
    books: Books,
    reporter: Reporter,
    *,
    counts: bool = False,
) -> int:
    """Scores the cases that have no score yet, enters all of them in the books, and returns how many failed.

    counts: whether to say how many there are. Call it only as the only writer of the results.
    """
    todo, kept = _reuse(task, cases, books.results)
    if counts:
        reporter.say(
            f"{task.name}: {count_of(len(cases), 'submission')}, {len(kept)} already known, {len(todo)} to score"
        )
    scored: list[tuple[Case, Record]] = []
    try:
        return _score_all(task, todo, folders, parameters.engine(), books.results, scored, reporter)
    finally:
        _renew(task, [*kept, *scored], books.results, parameters)
        books.log.note(_of_submissions([*kept, *scored]))


def publish(task: Task, folders: Folders, parameters: Parameters, books: Books) -> None:
    """Writes the files that a task keeps besides results.jsonl, from its current scores."""
    newest = [record for record in books.results.current(task.name) if record.status == "ok"]
    task.publish(newest, folders, parameters)


def _withdraw(task: Task, there: Sequence[Slot], folders: Folders, parameters: Parameters, books: Books) -> None:
    """Withdraws the records of slots whose submissions were not there before the scoring and still are not."""
    if books.results.gone(task.name, there):
        gone = books.results.gone(task.name, [*there, *_slots(task, task.load(folders, parameters))])
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
    named: dict[str, list[Case]] = {}  # a team may hand in the same file again, later
    for case in todo:
        named.setdefault(_fingerprint(task, case), []).append(case)
    _drop_all_but(set(named), blocks)
    failed: set[str] = set()
    once = [replace(same[0], unfinished=blocks / name) for name, same in named.items()]
    for record in _scored(task, once, engine, reporter):
        same = named[record.fingerprint]
        results.add_news(record, numbered=same[0].number is not None)
        scored += [(case, record) for case in same]
        if record.status == "ok":
            rmtree(blocks / record.fingerprint, ignore_errors=True)
        else:
            failed.add(record.fingerprint)
            reporter.warn(f"failed: {record.error}")
    _drop_all_but(failed, blocks)
    return sum(len(named[name]) for name in failed)


def _renew(task: Task, found: Sequence[tuple[Case, Record]], results: Results, parameters: Parameters) -> None:
    """Makes the score of the submission that counts the newest of its slot, which may have several accepted ones."""
    by_slot: dict[Slot, list[tuple[Case, Record]]] = {}
    for case, record in found:
        if record.status == "ok":
            by_slot.setdefault(record.slot, []).append((case, record))
    for own in by_slot.values():
        records = [record for _, record in sorted(own, key=lambda pair: pair[0].number or 0)]
        rules = registry.rules_of(task, parameters)
        results.renew(that_counts(records, lambda record: _public(record, task), task, rules))


def _public(record: Record, task: Task) -> float:
    metrics = record.boards["public"].metrics if "public" in record.boards else record.metrics
    return metrics[task.main.name]


def _of_submissions(found: Sequence[tuple[Case, Record]]) -> list[tuple[Case, Record]]:
    """The cases that belong in the log, ordered by the time their file was written.

    Bounds and rounds are left out: they read the ground truth and are not submissions. So are failures caused by the
    data or by fixfirst, because they are not the submission's fault.
    """
    own = [
        (case, record)
        for case, record in found
        if not case.bound and case.rounds is None and record.fault in (None, "submission")
    ]
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
        **_division(case),
    )


def _division(case: Case) -> dict[str, Any]:
    """The fields that tell the division. Only what was accepted has a note that somebody else cannot have written."""
    return {} if case.number is None else read_division(case.path)


def _reuse(task: Task, cases: Sequence[Case], results: Results) -> tuple[list[Case], list[tuple[Case, Record]]]:
    """The cases without a reusable record, and the other cases with their records."""
    todo, kept = [], []
    for case in cases:
        record = results.answer(task.name, _fingerprint(task, case))
        if record is None:
            todo.append(case)
        else:
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
    with thread_pools().limit(limits=1):
        common = _identity(task, case)
    try:
        with thread_pools().limit(limits=1), warnings.catch_warnings(record=True) as told:
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
        "rounds": case.rounds,
        "fingerprint": _fingerprint(task, case),
        **_division(case),
        "environment": environment(),
        "created": now(),
    }
