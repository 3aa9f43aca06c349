"""No sandbox at all, for one's own code: the program runs as we do and may do whatever we may."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from evaluation.sandbox.host import this_host
from evaluation.sandbox.job import OUTPUT, Job, Limits
from evaluation.sandbox.processes import descendants, memory_of
from evaluation.sandbox.room import room
from evaluation.sandbox.session import Session
from evaluation.sandbox.wrapper import wrapped_bare


class Bare:
    """Runs the job with the paths of this machine in place of those that a sandbox would have."""

    name = "none"

    def missing(self) -> str | None:
        """Nothing is needed."""
        return None

    @contextmanager
    def session(self, job: Job, limits: Limits) -> Iterator[Session]:
        """A temporary folder for what the job writes; clock and memory are watched, nothing is kept apart."""
        with room() as place:
            here = {mount.target: str(mount.source) for mount in job.mounts}
            for number, target in enumerate([OUTPUT, *(path for path, _ in job.scratch)]):
                here[target] = str(place / str(number))
                Path(here[target]).mkdir()
            command = [_translated(word, here) for word in job.command]
            yield Session(
                wrapped_bare(_translated(f"{OUTPUT}/{job.answer}", here), command),
                {**os.environ, **dict(this_host(limits).variables), "HOME": os.environ.get("HOME", "/tmp")},
                _kill_group,
                ("memory: watched",),
                memory=lambda number: memory_of(descendants(number), limits.memory),
                own_session=True,
                own_processes=True,
            )


def _translated(word: str, here: dict[str, str]) -> str:
    for target in sorted(here, key=len, reverse=True):
        if word == target or word.startswith(f"{target}/"):
            return here[target] + word[len(target) :]
    return word


def _kill_group(number: int) -> None:
    with suppress(OSError):
        os.killpg(number, signal.SIGKILL)
