"""Runs a job in a sandbox and says what came of it. Nothing else in fixfirst starts somebody else's program."""

import re
from dataclasses import dataclass

from evaluation.sandbox.follow import Seen, follow
from evaluation.sandbox.job import MIB, Job, Limits, Outcome, Verdict
from evaluation.sandbox.session import Engine, Used
from evaluation.sandbox.wrapper import ENDED, STARTED

_ENDING = re.compile(re.escape(STARTED + ENDED) + rb"(ok|missing|odd|exit ([0-9]{1,3}))\n")


def run(job: Job, limits: Limits, engine: Engine) -> Outcome:
    """Runs the job once, in a new sandbox that is gone afterwards.

    Raises OSError if the engine's command cannot be started.
    """
    with engine.session(job, limits) as session:
        seen = follow(session, limits)
        used = session.used()
        verdict = _verdict(job, limits, used, seen)
        cpu_seconds = seen.cpu_seconds if session.own_processes else used.cpu_seconds
        return Outcome(
            verdict=verdict.name,
            problem=verdict.problem,
            answer=verdict.answer,
            log=seen.log,
            seconds=seen.seconds,
            cpu_seconds=cpu_seconds,
            peak_memory=seen.peak if used.peak_memory is None else used.peak_memory,
            engine=engine.name,
            enforced=session.enforced,
        )


@dataclass(frozen=True)
class _Verdict:
    name: Verdict
    problem: str = ""
    answer: bytes | None = None


def _verdict(job: Job, limits: Limits, used: Used, seen: Seen) -> _Verdict:
    if not seen.output.startswith(STARTED) and seen.stopped in (None, "time"):
        if job.image is None:
            return _Verdict("not_run", "the sandbox could not be started, which is not the program's fault")
        # the shell is the image's own, so that whatever it does is the participant's doing
        return _Verdict("failed", "the image does not start with its own sh")
    if used.out_of_memory or seen.stopped == "memory":
        return _Verdict("memory", f"it needed more than the {limits.memory / MIB:.0f} MB of memory allowed")
    if seen.stopped == "time":
        return _Verdict("time", f"it ran longer than the {limits.seconds:g} seconds allowed")
    if seen.stopped == "files":
        return _Verdict("failed", "it made more files than fit into the memory allowed")
    return _of_the_end(job, limits, seen.output)


def _of_the_end(job: Job, limits: Limits, output: bytes) -> _Verdict:
    """The verdict on a program that met no limit, by what the wrapper wrote."""
    ended = _ENDING.match(output)
    if ended is None:
        return _Verdict("failed", "it was killed before it ended")
    answer = output[ended.end() :]
    if ended[1] == b"missing":
        return _Verdict("answer", f"it ended without writing {job.answer}")
    if ended[1] == b"odd":
        return _Verdict("answer", f"what it left as {job.answer} is not a regular file that can be read")
    if ended[2] is not None:
        return _Verdict("failed", "it ended with an error")
    if len(answer) > limits.answer:
        return _Verdict("answer", f"its answer is larger than the {limits.answer / MIB:.0f} MB allowed")
    return _Verdict("ok", answer=answer)
