"""Commands in forked processes of the tests, which have imported everything.

They inherit open files, and with them the locks that the tests hold.
"""

import multiprocessing
import os
import sys
from pathlib import Path

from evaluation.cli import main

_MOST_SECONDS = 300


class Forked:
    """`fixfirst` with these arguments, its output in two new files of a folder."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        folder.mkdir()
        self._told = [folder / "out", folder / "err"]
        words = [str(argument) for argument in arguments]
        self._process = multiprocessing.get_context("fork").Process(target=_run, args=(words, self._told))
        self._process.start()

    def finish(self) -> tuple[int | None, str, str]:
        """The exit status (negative for a process that hung and was ended), the output and the errors."""
        self._process.join(_MOST_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        out, err = (path.read_text() for path in self._told)
        return self._process.exitcode, out, err


def _run(words: list[str], told: list[Path]) -> None:
    streams = [path.open("w", buffering=1) for path in told]
    for number, stream in enumerate(streams, start=1):
        os.dup2(stream.fileno(), number)
    sys.stdout, sys.stderr = streams
    sys.exit(main(words))
