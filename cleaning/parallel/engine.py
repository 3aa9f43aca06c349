"""The single entry point to parallelism: independent jobs in this process, on local cores or on a Dask cluster.

Every job runs on one BLAS thread and receives aligned arrays, so its result does not depend on where it runs.
"""

import copy
import dataclasses
import multiprocessing
import re
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from cleaning.errors import InvalidInput
from cleaning.parallel.lost import JobsLost, WorkersLost
from cleaning.parallel.orphan import end_with_parent
from cleaning.progress import Progress, silent

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")

_ADDRESS = re.compile(r"(tcp|tls)://([A-Za-z0-9_.\-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")


@dataclasses.dataclass(frozen=True)
class Engine:
    """Where jobs run.

    jobs: the number of processes on this machine, -1 for one per core. cluster: the address of a Dask scheduler,
    tcp://host:port, to use instead. retries: how many times in a row jobs that were lost with a dead worker are run
    again before the run fails.
    """

    jobs: int = 1
    cluster: str | None = None
    retries: int = 2

    def __post_init__(self) -> None:
        if self.jobs == 0 or self.jobs < -1:
            raise InvalidInput("jobs", f"found {self.jobs}", "give a number of processes, or -1 for one per core")
        if self.cluster is not None and not _ADDRESS.fullmatch(self.cluster):
            raise InvalidInput(
                "cluster", f"found {self.cluster!r}", "give a Dask scheduler's address: tcp://host:8786 or tls://…"
            )

    @property
    def here(self) -> bool:
        """Whether jobs run in this process, one after the other."""
        return self.cluster is None and self.jobs == 1


SERIAL = Engine()


@contextmanager
def connected(engine: Engine) -> Iterator[None]:
    """Runs the block with one connection to the cluster, if the engine has one, for many calls of `map_jobs`."""
    if engine.cluster is None:
        yield
        return
    from cleaning.parallel.cluster import kept_open

    with kept_open():
        yield


def map_jobs(
    function: Callable[..., Result],
    shared: Sequence[object],
    items: Sequence[Item],
    engine: Engine = SERIAL,
    progress: Progress | None = None,
) -> Iterator[Result]:
    """The results of `finished_jobs` in the order of the items."""
    waiting: dict[int, Result] = {}
    following = 0
    for number, result in finished_jobs(function, shared, items, engine, progress):
        waiting[number] = result
        while following in waiting:
            yield waiting.pop(following)
            following += 1


def finished_jobs(
    function: Callable[..., Result],
    shared: Sequence[object],
    items: Sequence[Item],
    engine: Engine = SERIAL,
    progress: Progress | None = None,
) -> Generator[tuple[int, Result], None, None]:
    """Yields (number of the item, function(*shared, item, progress)) for every item as it finishes.

    Jobs must be independent and free of side effects, because a job whose worker dies is run again. Only a job that
    runs in this process reports progress while it runs. Raises whatever a job raises, and WorkersLost if workers keep
    dying.
    """
    if engine.here or (engine.cluster is None and len(items) < 2):
        for number, item in enumerate(items):
            yield number, _run(function, shared, item, progress or silent)
        return
    pending, lost = dict(enumerate(items)), 0
    while pending:
        try:
            for number, result in _submit(function, shared, dict(pending), engine):
                del pending[number]
                lost = 0
                yield number, result
        except JobsLost as death:
            lost += 1
            if lost > engine.retries:
                raise WorkersLost(
                    f"a worker died {lost} times in a row with {len(pending)} of {len(items)} jobs left ({death}). "
                    "Fix: run fewer jobs at once, or give the workers more memory."
                ) from death


def _submit(
    function: Callable[..., Result], shared: Sequence[object], items: Mapping[int, Item], engine: Engine
) -> Iterator[tuple[int, Result]]:
    if engine.cluster is None:
        return _on_cores(function, shared, items, engine.jobs)
    from cleaning.parallel.cluster import on_cluster

    return on_cluster(engine.cluster, run_remote, (function, *shared), items)


def _on_cores(
    function: Callable[..., Result], shared: Sequence[object], items: Mapping[int, Item], jobs: int
) -> Iterator[tuple[int, Result]]:
    from concurrent.futures.process import BrokenProcessPool

    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=processes(jobs, len(items)), return_as="generator_unordered", batch_size=1)
    results = parallel(delayed(run_remote)(function, *shared, pair) for pair in items.items())
    try:
        for result in results:  # noqa: UP028 - `yield from` would close `results` before we can
            yield result
    except BrokenProcessPool as death:  # joblib's TerminatedWorkerError is a subclass
        raise JobsLost(type(death).__name__) from death
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib warns about unfinished jobs if the caller stops early
            results.close()


def processes(jobs: int, items: int) -> int:
    """How many processes to start: no more than items or cores, since each takes a second. jobs: -1 for one per core.

    At least two, because with one joblib would run the jobs in this process, and a crash would take it down.
    """
    from joblib import cpu_count

    cores = int(cpu_count())
    return max(2, min(cores if jobs == -1 else jobs, items, cores))


def run_remote(function: Callable[..., Result], *arguments: Any) -> tuple[int, Result]:
    """Runs one job in a worker, on aligned arrays. The last argument is the pair of the item's number and the item."""
    *shared, (number, item) = arguments
    if multiprocessing.parent_process() is not None and threading.current_thread() is threading.main_thread():
        # Ctrl-C reaches every process of a terminal, but only the parent process should report it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        end_with_parent()
    return number, _run(function, [aligned(value) for value in shared], aligned(item), silent)


def _run(function: Callable[..., Result], shared: Sequence[object], item: Item, progress: Progress) -> Result:
    with thread_pools().limit(limits=1):
        return function(*shared, item, progress)


def thread_pools() -> "ThreadpoolController":
    """The libraries of this process that have threads of their own, such as BLAS and OpenMP.

    They are searched for again only after an import, because the search takes as long as a small curve.
    """
    import scipy.linalg  # noqa: F401 - loads SciPy's own BLAS, so that it is found too
    import threadpoolctl  # noqa: F401 - the first search must not count it as new

    return _found_pools(len(sys.modules))


@lru_cache(maxsize=1)
def _found_pools(modules: int) -> "ThreadpoolController":
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def aligned(value: Any) -> Any:
    """The same value with every array C-contiguous and aligned, also inside dataclasses, tuples and lists.

    Dask gives workers unaligned arrays, on which BLAS is an order of magnitude slower and rounds differently.
    """
    if isinstance(value, np.ndarray):
        return np.require(value, requirements=["C", "A"])
    if type(value) in (list, tuple):
        return type(value)(aligned(part) for part in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        twin = copy.copy(value)
        for field in dataclasses.fields(value):
            object.__setattr__(twin, field.name, aligned(getattr(value, field.name)))
        return twin
    return value
