"""What every engine provides: a sandbox that is ready to start, and how it is ended."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from evaluation.sandbox.job import Job, Limits


@dataclass(frozen=True)
class Used:
    """What all processes of a sandbox used together: seconds, bytes, and whether one was killed for its memory.

    cpu_seconds, peak_memory: None where nothing counts them.
    """

    cpu_seconds: float | None = None
    peak_memory: int | None = None
    out_of_memory: bool = False


def _no(_: int) -> bool:
    return False


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Session:
    """A sandbox that is ready to start.

    command, environment, descriptors: how to start it. kill: ends it, given the number of the started process.
    enforced: what holds the limits. memory: the bytes it has now, where nothing but us limits them.
    crowded: whether it has made too many files, where we have to look. measure: notes what it used so far, where this
    cannot be told any more once it has ended; called when the program has ended, and before it is killed. used: what it
    used, to be asked afterwards. own_session: whether to start it in a session of its own. own_processes: whether the
    processor time of its processes is counted as ours.
    """

    command: Sequence[str]
    environment: dict[str, str]
    kill: Callable[[int], None]
    enforced: tuple[str, ...] = ()
    descriptors: tuple[int, ...] = ()
    memory: Callable[[int], int] | None = None
    crowded: Callable[[int], bool] = _no
    measure: Callable[[], None] = _nothing
    used: Callable[[], Used] = Used
    own_session: bool = False
    own_processes: bool = False


class Engine(Protocol):
    """One way to run a job. name: as in records."""

    @property
    def name(self) -> str:
        """As in records."""
        ...

    def missing(self) -> str | None:
        """Why this engine cannot be used here, as far as one can say without starting anything; or None."""
        ...

    def session(self, job: Job, limits: Limits) -> AbstractContextManager[Session]:
        """A sandbox for the job. It is removed, with all its processes, when the block ends."""
        ...
