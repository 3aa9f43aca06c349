"""A command whose errors and warnings are one plain line each, in this process or in one of its own."""

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_STOPPED = 3
"""The exit status of a process whose command could not go on and has said why."""


def run_plainly(run: Callable[[argparse.Namespace], int], options: argparse.Namespace, *, stopped: int = 1) -> int:
    """Runs a command and returns its exit status: 130 when interrupted, and `stopped` after an error.

    An error prints one line to standard error; FIXFIRST_DEBUG=1 shows its traceback instead.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return int(run(options))
    except KeyboardInterrupt:
        sys.stderr.write("\ninterrupted; files already written are kept, and the same command resumes from there\n")
        return 130
    except BrokenPipeError:
        _drop_unwritten()
        return 1
    except Exception as error:
        if os.environ.get("FIXFIRST_DEBUG"):
            raise
        from cleaning.errors import sentence

        with suppress(OSError):
            sys.stderr.write(f"error: {sentence(error)}\n")
        _drop_unwritten()
        return stopped


def run_apart(name: str, options: argparse.Namespace) -> int | None:
    """Runs a command in a process of its own and returns its exit status; None after an error, which it has printed.

    For a command that loads other people's code: whatever that code changes in the process is gone when it ends.
    Nothing but the exit status comes back from it.
    """
    from cleaning.errors import InvalidInput
    from evaluation.harness.apart import apart

    with apart(_run, name, options) as process:
        process.join()
    if process.exitcode == _STOPPED:
        return None
    if process.exitcode not in (0, 1):
        problem = f"its process ended with exit status {process.exitcode}"
        raise InvalidInput(name, problem, "see what it said last; a ranker or predictor may have ended it")
    return process.exitcode


def _run(name: str, options: argparse.Namespace) -> None:
    run = importlib.import_module(f"evaluation.commands.{name}").run
    sys.exit(run_plainly(run, options, stopped=_STOPPED))


def _drop_unwritten() -> None:
    """Drops output that cannot be written, because Python would try again when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    """Shows a warning of another library as one line, like our own."""
    from cleaning.errors import foreign_reason

    with suppress(OSError):
        sys.stderr.write(f"warning: {category.__name__}: {foreign_reason(str(message))}\n")
