"""Jobs on a Dask cluster.

Dask's own client rather than joblib's backend for it: the latter waits for ever when data it has sent out are lost with
the worker that held them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from cleaning.errors import InvalidInput
from cleaning.parallel import JobsLost, WorkersLost

_SECONDS_TO_ANSWER = 10
_SECONDS_TO_FIND_A_WORKER = 30  # a nanny's new worker after a death, on a busy machine
_SECONDS_WITHOUT_WORKERS = 60


def on_cluster(
    address: str, function: Callable[..., Any], shared: Sequence[Any], items: Mapping[int, Any]
) -> Iterator[Any]:
    """function(*shared, (number, item)) of every item, as they finish; `shared` travels to each worker once.

    Raises InvalidInput where no scheduler or no worker answers, JobsLost when jobs were lost with a worker, WorkersLost
    when one job has taken several workers with it, or none has been there for a minute; and what a job raises.
    """
    with _client(address) as client:
        from distributed import CancelledError, KilledWorker

        try:
            sent = client.scatter(list(shared), broadcast=True, hash=False)
        except (OSError, TimeoutError) as death:  # a worker that the scheduler still knew
            raise JobsLost(type(death).__name__) from death
        futures = {client.submit(function, *sent, pair, pure=False) for pair in items.items()}
        for future in _as_completed(client, futures):
            try:
                result = future.result()
            except KilledWorker as death:
                raise WorkersLost(
                    f"cluster {address}: a job took its worker down several times ({death}). "
                    "Fix: give the workers more memory."
                ) from death
            except (CancelledError, TimeoutError) as death:
                raise JobsLost(type(death).__name__) from death
            yield result


def _as_completed(client: Any, futures: set[Any]) -> Iterator[Any]:
    from distributed import CancelledError, wait

    lonely, pause = 0, 5
    waiting = set(futures)
    while waiting:
        try:
            with client.as_current():
                done = wait(list(waiting), timeout=pause, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            lonely = 0 if client.ncores() else lonely + pause
            if lonely >= _SECONDS_WITHOUT_WORKERS:
                raise WorkersLost("the cluster has lost all its workers. Fix: start some and run again.") from None
            continue
        except CancelledError:  # what they were sent was lost with a worker; some may have finished before
            done = {future for future in waiting if future.status != "pending"}
        waiting -= done
        yield from sorted(done, key=lambda future: future.status == "cancelled")


@contextmanager
def _client(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise InvalidInput(
            f"cluster {address}", "the package distributed is not installed", "pip install 'fixfirst[cluster]'"
        ) from None
    try:
        client = Client(address, timeout=f"{_SECONDS_TO_ANSWER}s", set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise InvalidInput(
            f"cluster {address}", f"no scheduler answers there ({error})", "start one: `dask scheduler`"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_SECONDS_TO_FIND_A_WORKER)
        except TimeoutError:
            raise InvalidInput(
                f"cluster {address}", "the scheduler has no workers", f"start some: `dask worker {address}`"
            ) from None
        yield client
