"""A function in a process of its own, which ends with this one and shares no memory with it."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any

_PATIENCE = 5.0
"""Seconds to wait for a process that was asked to end."""


@contextmanager
def apart(target: Callable[..., None], *arguments: Any) -> Iterator[BaseProcess]:
    """Runs a function in a new interpreter, and ends its process with the block if it still runs.

    It inherits nothing but the arguments. An interrupt from the keyboard reaches this process alone, which ends both.
    """
    process = multiprocessing.get_context("spawn").Process(target=_begin, args=(target, *arguments))
    usual = signal.signal(signal.SIGINT, signal.SIG_IGN)  # inherited
    try:
        process.start()
        signal.signal(signal.SIGINT, usual)
        yield process
    finally:
        signal.signal(signal.SIGINT, usual)
        if process.is_alive():
            process.terminate()
            process.join(_PATIENCE)
        if process.is_alive():
            process.kill()
            process.join()


def _begin(target: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    target(*arguments)


def _end_with_parent() -> None:
    """Ends this process when the one that started it is gone, however it ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)
