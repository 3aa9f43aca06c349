"""The one door to parallelism: independent jobs, in order, here, on this machine's cores, or on a Dask cluster.

Every job runs on one BLAS thread and is handed aligned arrays, so its result does not depend on where it runs.
"""

import copy
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from cleaning.errors import FixfirstError, InvalidInput

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")
Progress = Callable[[int, int], None]


@dataclasses.dataclass(frozen=True)
class Engine:
    """jobs: processes on this machine, -1 for one a core. cluster: a Dask scheduler, tcp://host:port, instead of them.

    retries: how often the jobs that were lost with a dead worker are tried again before the run fails.
    """

    jobs: int = 1
    cluster: str | None = None
    retries: int = 2

    def __post_init__(self) -> None:
        if self.jobs == 0 or self.jobs < -1:
            raise InvalidInput("jobs", f"found {self.jobs}", "give a number of processes, or -1 for one a core")
        if self.cluster is not None and "://" not in self.cluster:
            raise InvalidInput("cluster", f"found {self.cluster!r}", "give a scheduler's address: tcp://host:8786")


SERIAL = Engine()


class WorkersLost(FixfirstError):
    """Workers died more often than retries allow."""


def map_jobs(
    function: Callable[..., Result],
    shared: Sequence[object],
    items: Sequence[Item],
    engine: Engine = SERIAL,
    progress: Progress | None = None,
) -> Iterator[Result]:
    """function(*shared, item, progress) of every item, in the order of the items.

    Jobs must be independent and without side effects: one whose worker dies is run again. Only a job that runs in this
    process reports progress from inside. Raises what a job raises; WorkersLost when workers keep dying.
    """
    if engine.cluster is None and (engine.jobs == 1 or len(items) < 2):
        for item in items:
            yield _run(function, shared, item, progress or _silent)
        return
    done, lost = 0, 0
    while done < len(items):
        try:
            with _backend(engine):
                for result in _submit(function, shared, items[done:], engine):
                    yield result
                    done, lost = done + 1, 0
        except _worker_deaths() as death:
            lost += 1
            if lost > engine.retries:
                text = (
                    f"a worker died {lost} times over job {done + 1} of {len(items)} ({type(death).__name__}: {death})"
                )
                raise WorkersLost(f"{text}. Fix: run fewer jobs at once, or give the workers more memory") from death


def _submit(
    function: Callable[..., Result], shared: Sequence[object], items: Sequence[Item], engine: Engine
) -> Iterator[Result]:
    from joblib import Parallel, delayed

    jobs = -1 if engine.cluster else engine.jobs
    parallel = Parallel(n_jobs=jobs, return_as="generator", batch_size=1, pre_dispatch="all")
    results: Iterator[Result] = parallel(delayed(_run_remote)(function, item, *shared) for item in items)
    return results


def _backend(engine: Engine) -> AbstractContextManager[None]:
    return nullcontext() if engine.cluster is None else _dask(engine.cluster)


@contextmanager
def _dask(address: str) -> Iterator[None]:
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise InvalidInput(
            f"cluster {address}", "the package distributed is not installed", "pip install 'fixfirst[cluster]'"
        ) from None
    from joblib import parallel_config

    try:
        client = Client(address, timeout="10s", set_as_default=False)
    except OSError as error:
        raise InvalidInput(
            f"cluster {address}", f"no scheduler answers there ({error})", "start one: `dask scheduler`"
        ) from None
    with client, parallel_config(backend="dask", client=client):
        yield


def _worker_deaths() -> tuple[type[BaseException], ...]:
    from concurrent.futures.process import BrokenProcessPool

    from joblib.externals.loky.process_executor import TerminatedWorkerError

    deaths: tuple[type[BaseException], ...] = (BrokenProcessPool, TerminatedWorkerError)
    try:
        from distributed import KilledWorker
        from distributed.client import FuturesCancelledError
    except ModuleNotFoundError:
        return deaths
    return (*deaths, KilledWorker, FuturesCancelledError)


def _run_remote(function: Callable[..., Result], item: Item, *shared: object) -> Result:
    return _run(function, [aligned(value) for value in shared], item, _silent)


def _run(function: Callable[..., Result], shared: Sequence[object], item: Item, progress: Progress) -> Result:
    with _thread_pools().limit(limits=1):
        return function(*shared, item, progress)


@cache
def _thread_pools() -> "ThreadpoolController":
    """The BLAS libraries of this process, looked for once: that takes as long as a small curve."""
    import scipy.linalg  # noqa: F401 - so that its own library is among them
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def aligned(value: Any) -> Any:
    """The same value with every array in it C-contiguous and aligned; dataclasses, tuples and lists are entered.

    Dask hands workers arrays at odd addresses: BLAS is then an order of magnitude slower and rounds differently.
    """
    if isinstance(value, np.ndarray):
        return np.require(value, requirements=["C", "A"])
    if isinstance(value, list | tuple):
        return type(value)(aligned(part) for part in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        twin = copy.copy(value)
        for field in dataclasses.fields(value):
            object.__setattr__(twin, field.name, aligned(getattr(value, field.name)))
        return twin
    return value


def _silent(done: int, total: int) -> None:
    """Nobody is watching."""
