"""An algorithm that was handed in, and the engine and the data on which it can be run."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cleaning.errors import BadData, FixfirstError, InvalidInput
from evaluation.contest.admission import checked_team
from evaluation.contract.registry import limits_of
from evaluation.contract.task import Task
from evaluation.files.progress import Reporter
from evaluation.harness.judging.code import Code, taken_in
from evaluation.harness.judging.judge import Judged, check_archive, judge_entry, refused_answer
from evaluation.harness.judging.scoring import check
from evaluation.sandbox.bare import Bare
from evaluation.sandbox.selftest import chosen, container_engines, engines
from evaluation.sandbox.session import Engine
from evaluation.settings.folders import Folders
from evaluation.settings.limits import Allowed
from evaluation.settings.parameters import Parameters


@dataclass(frozen=True)
class Stage:
    """What all runs of an algorithm share.

    origin: the algorithm as it was handed in. team: whose it is; default: the name of what was handed in.
    """

    origin: Path
    code: Code
    team: str
    task: Task
    engine: Engine
    folders: Folders
    parameters: Parameters

    @property
    def allowed(self) -> Allowed:
        """What it may use."""
        return limits_of(self.task, self.parameters)

    @property
    def data_ids(self) -> tuple[str, ...]:
        """The enabled data ids of the task. Raises FixfirstError if there are none."""
        enabled = self.parameters.enabled(self.task.name)
        found = tuple(one for name, block in enabled.items() for one in block.data_ids(name))
        if not found:
            raise FixfirstError(f"no data set of the task {self.task.name} is enabled. Fix: add one under `datasets:`.")
        return found

    def refusal(self, reporter: Reporter) -> str:
        """Why an archive cannot be unpacked or lacks its scripts, which is said; empty if nothing is wrong with it."""
        problem, notes = check_archive(self.code, self.task, self.parameters, self.engine)
        for note in notes:
            reporter.hint(note)
        if problem:
            reporter.warn(f"refused: {self.origin}: {problem}")
        return problem

    def run(self, data_id: str, shuffle: np.random.Generator | None) -> Judged:
        """Runs it on a data id. An answer that the task does not accept has the verdict `answer`.

        Raises BadData if the data are at fault, and FixfirstError as `judge_entry` does.
        """
        judged = judge_entry(
            self.code,
            self.task,
            data_id,
            self.folders,
            self.parameters,
            self.engine,
            name=self.team,
            shuffle=shuffle,
        )
        if judged.content is None:
            return judged
        try:
            check(judged.content, data_id, self.task, self.folders, self.parameters)
        except BadData:
            raise
        except FixfirstError as error:
            return refused_answer(judged.outcome, self.task, str(error))
        return judged


@contextmanager
def staged_code(
    entry: str, task: Task, folders: Folders, parameters: Parameters, *, team: str | None = None, trust: bool
) -> Iterator[Stage]:
    """The algorithm that an argument names, copied for the block, with the engine that runs it.

    Raises InvalidInput for what is not an algorithm for this task and for a name that no team can have, and
    FixfirstError if there is no engine that runs it safely.
    """
    with taken_in(entry, limits_of(task, parameters).archive_mb) as code:
        if code.kind == "ranker" and task.name != "cleaning":
            fix = "hand in an archive with setup.sh and predict.sh"
            raise InvalidInput(Path(entry), f"the task {task.name} takes no rankers", fix)
        name = checked_team(code.name if team is None else team)
        engine, code = engine_for(code, trust=trust)
        yield Stage(Path(entry), code, name, task, engine, folders, parameters)


def engine_for(code: Code, *, trust: bool) -> tuple[Engine, Code]:
    """The engine that runs it, and the code with the hash of its image. Raises FixfirstError if none does so safely."""
    if code.image is None:
        return Bare() if trust else chosen(engines()), code
    engine = chosen(container_engines())
    number = engine.image_id(code.image)
    return engine, replace(code, sha256=number, image=number)
