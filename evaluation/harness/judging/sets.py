"""The closed division: an algorithm on every data id of a task, each in a new sandbox, then the scores."""

import secrets
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np

from cleaning.errors import FixfirstError, InvalidInput, printable
from evaluation.contest.accepted import HandedIn, staged_run
from evaluation.contest.admission import Admitted, Declined, admit, may_run, note_failure
from evaluation.contract.task import Task
from evaluation.files.progress import Reporter
from evaluation.harness.evaluate import Books
from evaluation.harness.judging.book import note_run
from evaluation.harness.judging.judge import Judged
from evaluation.harness.judging.scoring import metrics_of
from evaluation.harness.judging.stage import Stage, staged_code
from evaluation.harness.judging.told import coarse
from evaluation.harness.settle import say_next, settle
from evaluation.sandbox.host import this_host
from evaluation.sandbox.job import Limits
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters


def judge(
    entry: str,
    folders: Folders,
    parameters: Parameters,
    task: Task,
    reporter: Reporter,
    *,
    team: str | None = None,
    books: Books | None = None,
    once: bool = False,
) -> bool:
    """Hands in a team's algorithm: runs it on every enabled data id of a task, and says what came of each answer.

    An answer is accepted, kept and scored as a file is. Where the rate limits do not allow another submission now, the
    algorithm is not run. team: default: the name of what was handed in. books: default: read here. once: do not run
    again what was run before. Returns whether it has a score on every data id.
    """
    if task.name not in parameters.tasks:
        problem, fix = f"`evaluate` does not score the task {task.name}", f"add {task.name} to `tasks:` in it"
        raise InvalidInput(folders.parameters_file, problem, fix)
    with staged_code(entry, task, folders, parameters, team=team, trust=False) as stage:
        refuse_visible(folders.groundtruth_folder)
        books = Books.opened(folders) if books is None else books
        scores, todo = _known(stage, books, reporter, once=once)
        refusal = stage.refusal(reporter) if todo else ""
        for data_id in todo:
            if refusal:
                _fail(stage, data_id, f"refused: {refusal}", books, reporter)
            else:
                scores.append(_handed_in(stage, data_id, books, reporter))
        found = [score for score in scores if score is not None]
        if len(found) > 1:
            mean = f"{task.main.name} {fmean(found):.6f} ({task.main.direction}; mean over {len(found)})"
            reporter.say(printable(f"{stage.team}: {mean}"))
        return len(found) == len(stage.data_ids)


def judge_trusted(
    entry: str, folders: Folders, parameters: Parameters, task: Task, reporter: Reporter, *, team: str | None = None
) -> bool:
    """Runs one's own algorithm without a sandbox and says its scores, which do not enter the results.

    Returns whether it has a score on every data id.
    """
    with staged_code(entry, task, folders, parameters, team=team, trust=True) as stage:
        if stage.refusal(reporter):
            return False
        fine = True
        for data_id in stage.data_ids:
            content = _run(stage, data_id, reporter).content
            fine &= content is not None
            if content is not None:
                value = metrics_of(content, data_id, task, folders, parameters)[task.main.name]
                reporter.say(f"{data_id}: {task.main.name} {value:.6f} (without a sandbox: on no board)")
        return fine


def refuse_visible(truth: Path) -> None:
    """Raises FixfirstError if the truth is below a folder that every sandbox shows."""
    for mount in this_host(Limits()).mounts:
        if truth.resolve().is_relative_to(mount.source.resolve()):
            raise FixfirstError(
                f"{truth}: every program in the sandbox can read {mount.source}, so the truth must not be there. "
                "Fix: move the workspace."
            )


def _known(stage: Stage, books: Books, reporter: Reporter, *, once: bool) -> tuple[list[float | None], list[str]]:
    """The scores of what the algorithm was accepted as before, and the data ids on which it may be run now."""
    asked = {}
    for data_id in stage.data_ids:
        try:
            handed = _of(stage, data_id)
            asked[data_id] = may_run(handed, stage.task, stage.folders, stage.parameters, books.log, once=once)
        except Declined as error:
            reporter.warn(f"not accepted: {data_id}: {error}")
    scores = [_settled(stage, data_id, known, books, reporter) for data_id, known in asked.items() if known is not None]
    return scores, [data_id for data_id, known in asked.items() if known is None]


def _handed_in(stage: Stage, data_id: str, books: Books, reporter: Reporter) -> float | None:
    """Runs the algorithm, hands in its answer, and returns the score. What is the organiser's fault costs no try."""
    judged, handed = _run(stage, data_id, reporter), _of(stage, data_id)
    outcome, content = judged.outcome, judged.content
    if content is None:
        if outcome.verdict != "not_run":
            _fail(stage, data_id, f"{outcome.verdict}: {outcome.problem}", books, reporter)
        return None
    try:
        with staged_run(handed, stage.task, content, outcome.seconds, outcome.engine, stage.folders) as answer:
            admitted = admit(answer, stage.task, stage.folders, stage.parameters, books.log)
    except Declined as error:  # another one of the team came in between
        reporter.warn(f"not accepted: {data_id}: {error}")
        return None
    return _settled(stage, data_id, replace(admitted, found=""), books, reporter)


def _fail(stage: Stage, data_id: str, reason: str, books: Books, reporter: Reporter) -> None:
    """Logs what became of the algorithm, which costs a try, and says when the next may come."""
    allowed = note_failure(_of(stage, data_id), stage.task, reason, stage.parameters, books.log)
    say_next(stage.team, data_id, allowed, stage.task, stage.parameters, reporter)


def _run(stage: Stage, data_id: str, reporter: Reporter) -> Judged:
    judged = stage.run(data_id, np.random.default_rng(secrets.randbits(128)))
    note_run(judged, stage.code, stage.task.name, data_id, stage.team, stage.allowed, stage.folders)
    reporter.say(printable(f"{data_id}: {coarse(judged.outcome, stage.allowed)}"))
    return judged


def _settled(stage: Stage, data_id: str, admitted: Admitted, books: Books, reporter: Reporter) -> float | None:
    return settle(data_id, admitted, stage.task, stage.folders, stage.parameters, books, reporter)


def _of(stage: Stage, data_id: str) -> HandedIn:
    return HandedIn(origin=stage.origin, data_id=data_id, team=stage.team, code_sha256=stage.code.sha256)
