"""What `fixfirst judge` does: an algorithm on every data id of a task, each in a new sandbox, then the scores."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import numpy as np

from cleaning.errors import FixfirstError, InvalidInput, printable
from evaluation.contest.log import SubmissionLog
from evaluation.contract.record import Record, fingerprint, latest, now, read_records
from evaluation.contract.registry import limits_of
from evaluation.contract.task import Case, Task
from evaluation.files.lock import only_writer
from evaluation.files.progress import Reporter
from evaluation.files.whole import read_bytes, write_text, write_whole
from evaluation.harness.evaluate import evaluate
from evaluation.harness.judging.book import note_run
from evaluation.harness.judging.code import Code, taken_in
from evaluation.harness.judging.judge import Judged, check_archive, judge_entry, refused_answer
from evaluation.harness.judging.scoring import check, metrics_of
from evaluation.harness.judging.told import coarse
from evaluation.sandbox.bare import Bare
from evaluation.sandbox.host import this_host
from evaluation.sandbox.job import Limits
from evaluation.sandbox.selftest import chosen, container_engines, engines
from evaluation.sandbox.session import Engine
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.submissions.division import read_division, write_division
from evaluation.submissions.rankings import identify


def judge(
    entry: str,
    folders: Folders,
    parameters: Parameters,
    task: Task,
    reporter: Reporter,
    *,
    team: str | None = None,
    trust: bool = False,
) -> bool:
    """Runs an algorithm on every enabled data id of a task, scores its answers, and says what came of it.

    team: whose it is; default: the name of what was handed in. trust: run it without a sandbox; then nothing enters the
    results. Returns whether it has a score on every data id.
    """
    allowed = limits_of(task, parameters)
    ids = data_ids(task, parameters)
    with taken_in(entry, allowed.archive_mb) as code:
        name = checked_name(code.name if team is None else team, ids, task, parameters)
        engine, code = engine_for(code, trust=trust)
        if not trust:
            refuse_visible(folders.groundtruth_folder)
        problem, notes = check_archive(code, task, parameters, engine)
        for note in notes:
            reporter.hint(note)
        if problem:
            reporter.warn(f"refused: {entry}: {problem}")
            return False
        made: dict[str, bool] = {}
        for data_id in ids:
            judged = _judged(code, task, data_id, folders, parameters, engine, name)
            note_run(judged, code, task.name, data_id, name, allowed, folders)
            reporter.say(printable(f"{data_id}: {coarse(judged.outcome, allowed)}"))
            made[data_id] = judged.content is not None
            if not trust:
                _hand_in(judged, code, task, data_id, name, folders, parameters, reporter)
            elif judged.content is not None:
                value = metrics_of(judged.content, data_id, name, task, folders, parameters)[task.main.name]
                reporter.say(f"{data_id}: {task.main.name} {value:.6f} (without a sandbox: on no board)")
    if not trust and any(made.values()):
        evaluate(folders, reporter)
        _say_scores(name, task, [one for one in ids if made[one]], folders, reporter)
    return all(made.values())


def engine_for(code: Code, *, trust: bool) -> tuple[Engine, Code]:
    """The engine that runs it, and the code with the hash of its image. Raises FixfirstError if none does so safely."""
    if code.image is None:
        return Bare() if trust else chosen(engines()), code
    engine = chosen(container_engines())
    number = engine.image_id(code.image)
    return engine, replace(code, sha256=number, image=number)


def data_ids(task: Task, parameters: Parameters) -> tuple[str, ...]:
    """The enabled data ids of a task. Raises FixfirstError if there are none."""
    found = tuple(one for name, block in parameters.enabled(task.name).items() for one in block.data_ids(name))
    if not found:
        raise FixfirstError(f"no data set of the task {task.name} is enabled. Fix: add one under `datasets:`.")
    return found


def checked_name(name: str, ids: Sequence[str], task: Task, parameters: Parameters) -> str:
    """The name as it appears on boards. Raises InvalidInput if no submission can have it."""
    if not name or set(name) & set("/\\"):
        raise InvalidInput(f"--team={name!r}", "this is not a valid team name", "use letters, digits and spaces")
    for data_id in ids:
        file = identify(Path(f"{data_id}_{name}{task.suffixes[0]}"), ids, parameters.seeds[0], task.suffixes)
        name = file.method if file.data_id == data_id else ""
        if not name:
            raise FixfirstError(f"the team's name would be read as a part of the data id {file.data_id}.")
    return name


def refuse_visible(truth: Path) -> None:
    """Raises FixfirstError if the truth is below a folder that every sandbox shows."""
    for mount in this_host(Limits()).mounts:
        if truth.resolve().is_relative_to(mount.source.resolve()):
            raise FixfirstError(
                f"{truth}: every program in the sandbox can read {mount.source}, so the truth must not be there. "
                "Fix: move the workspace."
            )


def _judged(
    code: Code, task: Task, data_id: str, folders: Folders, parameters: Parameters, engine: Engine, name: str
) -> Judged:
    shuffle = np.random.default_rng(secrets.randbits(128))
    judged = judge_entry(code, task, data_id, folders, parameters, engine, name=name, shuffle=shuffle)
    if judged.content is None:
        return judged
    try:
        check(judged.content, data_id, name, task, folders, parameters)
    except FixfirstError as error:
        return refused_answer(judged.outcome, task, str(error))
    return judged


def _hand_in(
    judged: Judged,
    code: Code,
    task: Task,
    data_id: str,
    name: str,
    folders: Folders,
    parameters: Parameters,
    reporter: Reporter,
) -> None:
    """Puts an answer where submissions are; logs a failure. What is the organiser's fault leaves no trace.

    If the same code gave the same answer before, that one stays, with its seconds.
    """
    path = folders.submission_folder / f"{data_id}_{name}{judged.suffix}"
    if judged.content is not None:
        with only_writer(folders.submission_folder, reporter.warn):
            known = read_division(path).get("code_sha256") == code.sha256 and path.is_file()
            if not known or read_bytes(path) != judged.content:
                time = f"time_{path.name}" if task.name == "cleaning" else f"{path.stem}.seconds"
                write_text(path.with_name(time), f"{judged.outcome.seconds:.3f}\n")
                write_division(path, judged.outcome.engine, code.sha256)
                write_whole(path, judged.content)
    elif judged.outcome.verdict != "not_run":
        seed = parameters.seeds[0]
        case = Case(data_id, name, seed, path, code.sha256, "", {}, folders)
        record = Record(
            task=task.name,
            task_version=task.version,
            dataset=data_id,
            method=name,
            status="failed",
            submission_sha256=code.sha256,
            dataset_sha256="",
            seed=seed,
            fingerprint=fingerprint(code=code.sha256),
            created=now(),
            error=f"{judged.outcome.verdict}: {judged.outcome.problem}",
            fault="submission",
            division="closed",
            engine=judged.outcome.engine,
            code_sha256=code.sha256,
        )
        SubmissionLog(folders.submission_log).note([(case, record)])


def _say_scores(name: str, task: Task, ids: Sequence[str], folders: Folders, reporter: Reporter) -> None:
    own = [one for one in latest(read_records(folders.results_file)) if one.method == name and one.task == task.name]
    values = [one.metrics[task.main.name] for one in own if one.status == "ok" and one.dataset in ids]
    if values:
        reporter.say(f"{name}: {task.main.name} {fmean(values):.6f} ({task.main.direction}; mean over {len(values)})")
