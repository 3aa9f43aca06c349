"""A real Dask cluster on loopback: a scheduler and workers, each a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import ROOT

_ENVIRONMENT = {
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "DASK_DISTRIBUTED__DASHBOARD__LINK": "",
}


@dataclass
class Cluster:
    address: str


@contextmanager
def running_cluster(folder: Path, workers: int = 2) -> Iterator[Cluster]:
    """Random ports; ends every process it has started. Each worker has a nanny, which restarts it when it dies."""
    started: list[subprocess.Popen] = []
    file = folder / "scheduler.json"
    loopback = ["--host", "127.0.0.1", "--no-dashboard"]
    try:
        started.append(_dask(folder, "scheduler", *loopback, "--port", "0", "--scheduler-file", str(file)))
        address = _address(file)
        own = ["--nthreads", "1", "--memory-limit", "0", "--local-directory", str(folder)]
        if workers:
            started.append(_dask(folder, "worker", address, *loopback, *own, "--nworkers", str(workers)))
        yield Cluster(address)
    finally:
        for process in reversed(started):
            _end(process)


def _dask(folder: Path, *arguments: str) -> subprocess.Popen:
    with (folder / "cluster.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            cwd=ROOT,
            env=os.environ | _ENVIRONMENT,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _address(file: Path) -> str:
    import json

    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        try:
            return json.loads(file.read_text())["address"]
        except (FileNotFoundError, json.JSONDecodeError):
            time.sleep(0.05)
    raise TimeoutError(file.with_name("cluster.log").read_text())


def _end(process: subprocess.Popen) -> None:
    """With the nanny's worker, which is of the same session."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(10)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
