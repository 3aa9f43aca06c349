"""One algorithm on one data id: what the sandbox shows it, what it answers, and what may be said about it."""

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import baselines
import cleaning
from cleaning.errors import FixfirstError, InvalidInput, Place, printable
from evaluation.contract.registry import box_of, limits_of
from evaluation.contract.task import Task
from evaluation.files.json import parse_json
from evaluation.harness.judging.code import Code, make_readable
from evaluation.harness.seeding import numbers
from evaluation.sandbox.job import INPUT, MIB, OUTPUT, SUBMISSION, TOOLS, Job, Limits, Mount, Outcome
from evaluation.sandbox.room import room
from evaluation.sandbox.run import run
from evaluation.sandbox.selftest import INSIDE
from evaluation.sandbox.session import Engine
from evaluation.settings.folders import Folders
from evaluation.settings.limits import Allowed
from evaluation.settings.parameters import Parameters

_PYTHON = (sys.executable, "-I")
_UNPACKED = "/unpacked"
_UNPACK = f"{TOOLS}/inside/unpack.py"
_SCRIPT = """\
python=$1 unpack=$2 archive=$3 folder=$4 size=$5 data=$6 answer=$7
"$python" -I "$unpack" "$archive" "$folder" "$size" || exit 1
cd "$folder" && sh setup.sh && sh predict.sh "$data" "$answer"
"""


@dataclass(frozen=True)
class Judged:
    """What came of an algorithm on a data id.

    outcome: its `problem` may be shown to the participant. content: the submission file that it amounts to, if the
    verdict is ok. suffix: that of this file. detail: why an answer was refused; it quotes the answer, so it is for the
    organiser, or for the participant where the data are open.
    """

    outcome: Outcome
    content: bytes | None
    suffix: str
    detail: str = ""


def judge_entry(
    code: Code,
    task: Task,
    data_id: str,
    folders: Folders,
    parameters: Parameters,
    engine: Engine,
    *,
    name: str,
    shuffle: np.random.Generator | None = None,
) -> Judged:
    """Runs an algorithm on a data id in a new sandbox, and reads its answer when the sandbox is gone.

    The program finds what the task allows and nothing else. name: seeds the ranker's generator, as in
    `create_baselines`. shuffle: in which order it finds the rows; None: in their own.

    Raises FixfirstError if the data id cannot be read or the engine does not work.
    """
    allowed = limits_of(task, parameters)
    with room() as place:
        data = place / "input"
        data.mkdir()
        boxed = box_of(task)(folders, data_id, data, shuffle)
        make_readable(data)
        seeds = numbers(data_id, name, parameters.seeds[0])
        job = _job(code, data, boxed.answer, seeds, allowed)
        outcome = run(job, _run_limits(allowed), engine)
        if outcome.answer is None:
            return Judged(outcome, None, task.suffixes[0])
        answer = place / boxed.answer
        answer.write_bytes(outcome.answer)
        try:
            return Judged(outcome, boxed.read(answer), task.suffixes[0])
        except FixfirstError as error:
            detail = error.problem if isinstance(error, InvalidInput) else str(error)
            return refused_answer(outcome, task, detail)


def refused_answer(outcome: Outcome, task: Task, detail: str) -> Judged:
    """The verdict for an answer that the checks of the task refuse. What it contains is not repeated in the problem."""
    problem = f"its answer is not one that the task {task.name} accepts"
    return Judged(replace(outcome, verdict="answer", problem=problem, answer=None), None, task.suffixes[0], detail)


def check_archive(code: Code, task: Task, parameters: Parameters, engine: Engine) -> tuple[str, list[str]]:
    """Unpacks an archive in a sandbox without any data; returns what is wrong with it, if anything, and notes.

    Only our own program runs in this sandbox, so that what it says may be shown to everybody.
    """
    if code.kind != "archive" or code.path is None:
        return "", []
    allowed = limits_of(task, parameters)
    command = (*_PYTHON, _UNPACK, _inside(code), _UNPACKED, _bytes(allowed), f"{OUTPUT}/report.json")
    job = Job(command, "report.json", (Mount(code.path, _inside(code)), INSIDE), _scratch(allowed))
    outcome = run(job, _run_limits(allowed), engine)
    if outcome.verdict == "not_run":
        raise FixfirstError(f"the sandbox cannot be started ({printable(outcome.log[-300:].decode(errors='replace'))})")
    if outcome.answer is None:
        return f"it cannot be unpacked within the limits: {outcome.problem}", []
    report = parse_json(outcome.answer.decode(), Place(key="report"))
    refused = report["refused"]
    return printable(f"{refused[0]}. Fix: {refused[1]}") if refused else "", report["notes"]


def _run_limits(allowed: Allowed) -> Limits:
    """The limits of a run in the units of the sandbox."""
    return Limits(
        seconds=60 * allowed.minutes,
        memory=allowed.memory_mb * MIB,
        processors=allowed.processors,
        processes=allowed.processes,
        answer=allowed.answer_mb * MIB,
        temporary=allowed.temporary_mb * MIB,
    )


def _job(code: Code, data: Path, answer: str, seeds: list[int], allowed: Allowed) -> Job:
    shown, target = Mount(data, INPUT), f"{OUTPUT}/{answer}"
    if code.image is not None:
        words = tuple(word.format(input=INPUT, output=target) for word in code.arguments)
        return Job(words, answer, (shown,), image=code.image)
    if code.path is None:  # pragma: no cover - only an image has no path
        raise AssertionError
    own = Mount(code.path, _inside(code))
    if code.kind == "archive":
        words = (sys.executable, _UNPACK, own.target, _UNPACKED, _bytes(allowed), INPUT, target)
        return Job(("sh", "-c", _SCRIPT, "sh", *words), answer, (own, INSIDE, shown), _scratch(allowed))
    packages = [Path(str(package.__file__)).parent for package in (cleaning, baselines)]
    ours = [Mount(path, f"{TOOLS}/packages/{path.name}") for path in packages]
    command = (*_PYTHON, f"{TOOLS}/inside/rank.py", own.target, INPUT, target, json.dumps(seeds))
    return Job(command, answer, (own, INSIDE, *ours, shown))


def _inside(code: Code) -> str:
    return f"{SUBMISSION}/{'' if code.path is None else code.path.name}"


def _scratch(allowed: Allowed) -> tuple[tuple[str, int], ...]:
    return ((_UNPACKED, allowed.disk_mb * MIB),)


def _bytes(allowed: Allowed) -> str:
    return str(allowed.disk_mb * MIB)
