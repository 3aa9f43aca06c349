"""What `fixfirst rehearse` does: the very same sandbox and limits on open data, and everything that was seen."""

import numpy as np

from cleaning.errors import printable
from evaluation.contract.task import Task
from evaluation.files.progress import Reporter
from evaluation.harness.judging.scoring import metrics_of
from evaluation.harness.judging.stage import Stage, staged_code
from evaluation.harness.judging.told import exact, log_lines
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters


def rehearse(
    entry: str, folders: Folders, parameters: Parameters, task: Task, reporter: Reporter, *, trust: bool
) -> bool:
    """Runs an algorithm twice on every enabled data id, the second time with the rows in another order.

    Says verdict, time, memory, score and whether both answers are the same, and shows what it wrote to standard error.
    Leaves nothing behind. Returns whether every verdict is ok.
    """
    with staged_code(entry, task, folders, parameters, trust=trust) as stage:
        allowed = stage.allowed
        reporter.say(f"engine: {stage.engine.name}; limits: {60 * allowed.minutes:g} s, {allowed.memory_mb} MB")
        if stage.refusal(reporter):
            return False
        verdicts = [_rehearsed(stage, data_id, reporter) for data_id in stage.data_ids]
        return all(verdicts)


def _rehearsed(stage: Stage, data_id: str, reporter: Reporter) -> bool:
    first, score = stage.run(data_id, None), ""
    if first.content is not None:
        metrics = metrics_of(first.content, data_id, stage.task, stage.folders, stage.parameters)
        score = f", {stage.task.main.name} {metrics[stage.task.main.name]:.6f}"
    reporter.say(printable(f"{data_id}: {exact(first.outcome, stage.allowed)}{score}"))
    if first.detail:
        reporter.say(printable(f"  {first.detail}"))
    for line in log_lines(first.outcome.log):
        reporter.say(f"  | {line}")
    if first.content is None:
        return False
    second = stage.run(data_id, np.random.default_rng(1))
    if second.content is None:
        reporter.warn(f"{data_id}: the second run, with the rows in another order: {second.outcome.verdict}")
    elif second.content != first.content:
        reporter.warn(
            f"{data_id}: with the rows in another order, as on hidden data, it gave another answer: "
            "it depends on the order of the rows, or on chance"
        )
    return second.content is not None
