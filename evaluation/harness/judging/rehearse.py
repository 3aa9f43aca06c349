"""What `fixfirst rehearse` does: the very same sandbox and limits on open data, and everything that was seen."""

from dataclasses import dataclass

import numpy as np

from cleaning.errors import FixfirstError, printable
from evaluation.contract.registry import limits_of
from evaluation.contract.task import Task
from evaluation.files.progress import Reporter
from evaluation.harness.judging.code import Code, taken_in
from evaluation.harness.judging.judge import Judged, check_archive, judge_entry, refused_answer
from evaluation.harness.judging.scoring import metrics_of
from evaluation.harness.judging.sets import checked_name, data_ids, engine_for
from evaluation.harness.judging.told import exact, log_lines
from evaluation.sandbox.session import Engine
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters


@dataclass(frozen=True)
class _Stage:
    """What all runs of a rehearsal share."""

    code: Code
    task: Task
    folders: Folders
    parameters: Parameters
    engine: Engine
    name: str

    def run(self, data_id: str, shuffle: int | None) -> Judged:
        rng = None if shuffle is None else np.random.default_rng(shuffle)
        return judge_entry(
            self.code,
            self.task,
            data_id,
            self.folders,
            self.parameters,
            self.engine,
            name=self.name,
            shuffle=rng,
        )


def rehearse(
    entry: str, folders: Folders, parameters: Parameters, task: Task, reporter: Reporter, *, trust: bool
) -> bool:
    """Runs an algorithm twice on every enabled data id, the second time with the rows in another order.

    Says verdict, time, memory, score and whether both answers are the same, and shows what it wrote to standard error.
    Leaves nothing behind. Returns whether every verdict is ok.
    """
    allowed = limits_of(task, parameters)
    ids = data_ids(task, parameters)
    with taken_in(entry, allowed.archive_mb) as code:
        name = checked_name(code.name, ids, task, parameters)
        engine, code = engine_for(code, trust=trust)
        reporter.say(f"engine: {engine.name}; limits: {60 * allowed.minutes:g} s, {allowed.memory_mb} MB")
        problem, notes = check_archive(code, task, parameters, engine)
        for note in notes:
            reporter.hint(note)
        if problem:
            reporter.warn(f"refused: {entry}: {problem}")
            return False
        stage = _Stage(code, task, folders, parameters, engine, name)
        verdicts = [_rehearsed(stage, data_id, reporter) for data_id in ids]
        return all(verdicts)


def _rehearsed(stage: _Stage, data_id: str, reporter: Reporter) -> bool:
    first, score = _scored(stage, data_id, stage.run(data_id, None))
    reporter.say(printable(f"{data_id}: {exact(first.outcome, limits_of(stage.task, stage.parameters))}{score}"))
    if first.detail:
        reporter.say(printable(f"  {first.detail}"))
    for line in log_lines(first.outcome.log):
        reporter.say(f"  | {line}")
    if first.content is None:
        return False
    second = stage.run(data_id, 1)
    if second.content is None:
        reporter.warn(f"{data_id}: the second run, with the rows in another order: {second.outcome.verdict}")
    elif second.content != first.content:
        reporter.warn(
            f"{data_id}: with the rows in another order, as on hidden data, it gave another answer: "
            "it depends on the order of the rows, or on chance"
        )
    return second.content is not None


def _scored(stage: _Stage, data_id: str, judged: Judged) -> tuple[Judged, str]:
    if judged.content is None:
        return judged, ""
    try:
        metrics = metrics_of(judged.content, data_id, stage.name, stage.task, stage.folders, stage.parameters)
    except FixfirstError as error:
        return refused_answer(judged.outcome, stage.task, str(error)), ""
    return judged, f", {stage.task.main.name} {metrics[stage.task.main.name]:.6f}"
