"""Progress with an estimate of the time left: a progress bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from cleaning.errors import FixfirstError
from cleaning.progress import Progress

_SECONDS_BETWEEN_LINES = 10.0


class Reporter:
    """The output of a command. Results go to `out`, progress and warnings to `err`."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.out = out or sys.stdout
        self.err = err or sys.stderr
        self._hints = set[str]()

    def say(self, line: str) -> None:
        """Prints one line of the result. Raises FixfirstError if that is not possible, for example on a full disk."""
        try:
            self.out.write(line + "\n")
            self.out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise FixfirstError(
                f"the output cannot be written ({error.strerror}). Fix: run the same command again with another output."
            ) from error

    def warn(self, line: str) -> None:
        """Prints a one-line warning; the command continues."""
        self._tell(f"warning: {line}\n")

    def hint(self, line: str) -> None:
        """Prints one line that may help; the second time it says nothing."""
        if line not in self._hints:
            self._hints.add(line)
            self._tell(f"hint: {line}\n")

    def _tell(self, text: str) -> None:
        with suppress(OSError):  # nobody is left to be told that it cannot be told
            self.err.write(text)
            self.err.flush()

    @contextmanager
    def track(self, label: str, unit: str) -> Iterator[Progress]:
        """Shows `label` while the block runs. The block reports the amount done and the total, counted in `unit`."""
        if self.err.isatty():
            with self._bar(label, unit) as progress:
                yield progress
        else:
            yield self._lines(label, unit)

    @contextmanager
    def _bar(self, label: str, unit: str) -> Iterator[Progress]:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn(f"{{task.completed:.0f}}/{{task.total:.0f}} {unit}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Bar(*columns, console=Console(file=self.err), transient=True) as bar:
            task = bar.add_task(label, total=0)

            def progress(done: float, total: float, note: str = "", /) -> None:
                bar.update(task, completed=done, total=total, description=f"{label} ({note})" if note else label)

            yield progress

    def _lines(self, label: str, unit: str) -> Progress:
        started = last = time.monotonic()
        known = -1.0

        def progress(done: float, total: float, note: str = "", /) -> None:
            nonlocal last, started, known
            now = time.monotonic()
            if known < 0:  # work already done by an earlier run does not count towards this run's speed
                started, known = (now, done) if now - last < _SECONDS_BETWEEN_LINES else (started, 0.0)
            if now - last < _SECONDS_BETWEEN_LINES or not 0 < done < total:
                return
            last = now
            left = (now - started) * (total - done) / max(done - known, 1e-9)
            self._tell(
                f"{label}: {done:.0f}/{total:.0f} {unit}, about {clock(left)} left{', ' + note if note else ''}\n"
            )

        return progress


def clock(seconds: float) -> str:
    """Formats seconds as h:mm:ss or m:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
