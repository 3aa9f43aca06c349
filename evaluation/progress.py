"""Progress with an estimate of the time left: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

Update = Callable[[float], None]
"""Told how much is done, from 0 to the total."""


class NotedUpdate(Protocol):
    """An Update that can be told a note as well, such as a training loss."""

    def __call__(self, done: float, note: str = "") -> None:
        """Told how much is done, from 0 to the total."""


_SECONDS_BETWEEN_LINES = 10.0


class Reporter:
    """Where a command says what it does. Results go to `out`, progress and warnings to `err`."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.err = err or sys.stderr

    def say(self, line: str) -> None:
        """One line of the result."""
        self.out.write(line + "\n")
        self.out.flush()

    def warn(self, line: str) -> None:
        """One line the user should read although the work goes on."""
        self.err.write(f"warning: {line}\n")
        self.err.flush()

    @contextmanager
    def track(self, label: str, total: float, unit: str) -> Iterator[NotedUpdate]:
        """Shows `label` while the block runs, which reports how much of `total` is done."""
        if self.err.isatty():
            with self._bar(label, total, unit) as update:
                yield update
        else:
            yield self._lines(label, total, unit)

    @contextmanager
    def _bar(self, label: str, total: float, unit: str) -> Iterator[NotedUpdate]:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn(f"{{task.completed:.0f}}/{{task.total:.0f}} {unit}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(file=self.err), transient=True) as progress:
            task = progress.add_task(label, total=total)

            def update(done: float, note: str = "") -> None:
                progress.update(task, completed=done, description=f"{label} ({note})" if note else label)

            yield update

    def _lines(self, label: str, total: float, unit: str) -> NotedUpdate:
        started = last = time.monotonic()
        known = -1.0

        def update(done: float, note: str = "") -> None:
            nonlocal last, started, known
            now = time.monotonic()
            if known < 0:  # what an earlier run has left is no work of this one
                started, known = (now, done) if now - last < _SECONDS_BETWEEN_LINES else (started, 0.0)
            if now - last < _SECONDS_BETWEEN_LINES or not 0 < done < total:
                return
            last = now
            left = (now - started) * (total - done) / max(done - known, 1e-9)
            self.err.write(
                f"{label}: {done:.0f}/{total:.0f} {unit}, about {clock(left)} left{', ' + note if note else ''}\n"
            )
            self.err.flush()

        return update


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss or m:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
