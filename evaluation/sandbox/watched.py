"""A container while it runs, seen from outside: the files in its memory, and what its control group counts."""

import time
from collections.abc import Callable, Sequence

from evaluation.sandbox.cgroup import group_of
from evaluation.sandbox.job import Limits
from evaluation.sandbox.processes import crowded
from evaluation.sandbox.session import Used

_ASK_AGAIN = 0.3  # seconds; the answer costs a run of the engine's client


class Watched:
    """One container.

    first_process: asks the engine for the number of its first process, None before it has one. folders: those in memory
    whose files have to be counted, with their sizes in bytes. used: what it had used when somebody last looked.
    """

    def __init__(
        self, first_process: Callable[[], int | None], limits: Limits, folders: Sequence[tuple[str, int]]
    ) -> None:
        self.used = Used()
        self._ask, self._limits, self._folders = first_process, limits, folders
        self._first: int | None = None
        self._asked = time.monotonic()

    def crowded(self, _: int) -> bool:
        """Whether there are too many files; looks at everything else as well, once the first process is known."""
        if self._first is None and time.monotonic() - self._asked < _ASK_AGAIN:
            return False
        self.measure()
        return self._first is not None and crowded(self._first, self._folders)

    def measure(self) -> None:
        """Notes what it used so far."""
        if self._first is None:
            self._first = self._ask()
            self._asked = time.monotonic()
        group = None if self._first is None else group_of(self._first, self._limits)
        found = Used() if group is None else group.used()
        if found.peak_memory is not None:  # else it is just ending
            self.used = found
