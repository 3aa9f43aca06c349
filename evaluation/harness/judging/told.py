"""What is said about a run: to a participant coarsely, to whoever runs his own code exactly."""

import math

from cleaning.errors import printable
from evaluation.sandbox.job import MIB, Outcome
from evaluation.settings.limits import Allowed

_STEPS = 10


def coarse(outcome: Outcome, allowed: Allowed) -> str:
    """The verdict and, in tenths of the limits, what was used. Time is a channel: exact seconds could tell the data."""
    used = [f"{_tenths(outcome.seconds, 60 * allowed.minutes)} of {60 * allowed.minutes:g} s"]
    if outcome.peak_memory is not None:
        used.append(f"{_tenths(outcome.peak_memory, allowed.memory_mb * MIB)} of {allowed.memory_mb} MB")
    return _told(outcome, used)


def exact(outcome: Outcome, allowed: Allowed) -> str:
    """The verdict and what was used."""
    used = [f"{outcome.seconds:.1f} of {60 * allowed.minutes:g} s"]
    if outcome.peak_memory is not None:
        used.append(f"{outcome.peak_memory / MIB:.0f} of {allowed.memory_mb} MB")
    return _told(outcome, used)


def log_lines(log: bytes) -> list[str]:
    """Standard error, line by line, without anything that could change a terminal."""
    return [printable(line) for line in log.decode(errors="backslashreplace").splitlines()]


def _told(outcome: Outcome, used: list[str]) -> str:
    problem = f": {outcome.problem}" if outcome.problem else ""
    return f"{outcome.verdict}{problem} ({', '.join(used)})"


def _tenths(value: float, limit: float) -> str:
    """The tenth that the value is in: at least the first, also where a program ended before its memory was seen."""
    step = min(max(math.ceil(_STEPS * value / limit), 1), _STEPS)
    return f"up to {step * 100 // _STEPS}%"
