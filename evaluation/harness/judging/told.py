"""What is said about a run: to a participant coarsely, to whoever runs his own code exactly."""

import math

from cleaning.errors import printable
from evaluation.sandbox.job import MIB, Outcome
from evaluation.settings.limits import Allowed

_STEPS = 10


def coarse(outcome: Outcome, allowed: Allowed) -> str:
    """The verdict and, in tenths of the limits, what was used. Time is a channel: exact seconds could tell the data."""
    time = f"{_tenths(outcome.seconds, 60 * allowed.minutes)} of {60 * allowed.minutes:g} s"
    peak = outcome.peak_memory
    return _told(outcome, time, None if peak is None else _tenths(peak, allowed.memory_mb * MIB), allowed)


def exact(outcome: Outcome, allowed: Allowed) -> str:
    """The verdict and what was used."""
    time, peak = f"{outcome.seconds:.1f} of {60 * allowed.minutes:g} s", outcome.peak_memory
    return _told(outcome, time, None if peak is None else f"{math.ceil(peak / MIB)}", allowed)


def log_lines(log: bytes) -> list[str]:
    """Standard error, line by line, without anything that could change a terminal."""
    return [printable(line) for line in log.decode(errors="backslashreplace").splitlines()]


def _told(outcome: Outcome, time: str, memory: str | None, allowed: Allowed) -> str:
    problem = f": {outcome.problem}" if outcome.problem else ""
    known = "memory not known" if memory is None else f"{memory} of {allowed.memory_mb} MB"
    return f"{outcome.verdict}{problem} ({time}, {known})"


def _tenths(value: float, limit: float) -> str:
    """The tenth that the value is in: at least the first."""
    step = min(max(math.ceil(_STEPS * value / limit), 1), _STEPS)
    return f"up to {step * 100 // _STEPS}%"
