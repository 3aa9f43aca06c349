"""A worker ends when the process that started it has gone, however long its job would still take."""

import multiprocessing
import os
import threading
import time
from functools import lru_cache

_SECONDS = 1.0


@lru_cache(maxsize=1)
def end_with_parent() -> None:
    """From now on, this process ends within a second or so after its parent has been killed.

    Where a process keeps the number of a parent that has gone, as on Windows, nothing happens.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.pid,), daemon=True).start()


def _watch(parent: int | None) -> None:
    while os.getppid() == parent:
        time.sleep(_SECONDS)
    os._exit(1)  # nobody is left to be told anything
