"""A worker does not outlive the process that it works for."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cleaning.parallel.engine import Engine, finished_jobs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="a process keeps the number of a parent that has gone"),
]
_LONG, _PATIENCE = 600, 60
REASONS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)


def long_job(folder, item, step):
    """Says which process it runs in, and goes on for minutes."""
    (Path(folder) / str(os.getpid())).touch()
    end = time.monotonic() + _LONG
    while time.monotonic() < end:
        time.sleep(0.05)
    return item


def start(folder):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
    list(finished_jobs(long_job, (folder,), [1, 2, 3], Engine(jobs=2)))


def runs(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def waited(condition):
    end = time.monotonic() + _PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


@pytest.fixture(scope="module")
def parents(tmp_path_factory):
    """A process for each way to end, with the folder of what its workers say. They start at the same time."""
    there = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    started = {}
    for reason in REASONS:
        place = tmp_path_factory.mktemp(reason.name)
        call = f"from tests.cleaning.parallel.test_orphan import start; start({str(place)!r})"
        started[reason] = subprocess.Popen([sys.executable, "-c", call], env=there, stderr=subprocess.DEVNULL), place
    yield started
    for parent, _ in started.values():
        parent.kill()
        parent.wait()


@pytest.mark.parametrize("reason", REASONS, ids=lambda one: one.name)
def test_workers_end_with_their_parent(reason, parents):
    parent, place = parents[reason]
    assert waited(lambda: len(list(place.iterdir())) == 2)
    workers = [int(path.name) for path in place.iterdir()]
    parent.send_signal(reason)
    parent.wait(_PATIENCE)
    try:
        assert waited(lambda: not any(map(runs, workers)))
    finally:
        for worker in filter(runs, workers):
            os.kill(worker, signal.SIGKILL)
