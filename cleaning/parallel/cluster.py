"""Jobs on a Dask cluster.

This uses Dask's own client, because joblib's Dask backend waits forever if data it has sent out are lost together with
the worker that held them.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any

from cleaning.parallel.lost import JobsLost, NoCluster, WorkersLost

_SECONDS_TO_ANSWER = 10
_SECONDS_TO_FIND_A_WORKER = 30  # a nanny restarts a dead worker, on a busy machine
_SECONDS_WITHOUT_WORKERS = 60

# The connection that is kept while `kept_open` runs: a context, and in it the client once there is one.
_KEPT: ContextVar[tuple[ExitStack, list[Any]] | None] = ContextVar("_KEPT", default=None)


@contextmanager
def kept_open() -> Iterator[None]:
    """Runs the block with one connection to the cluster, made when it is first needed, for all `on_cluster` in it."""
    with ExitStack() as stack:
        token = _KEPT.set((stack, []))
        try:
            yield
        finally:
            _KEPT.reset(token)


def on_cluster(
    address: str, function: Callable[..., Any], shared: Sequence[Any], items: Mapping[int, Any]
) -> Iterator[Any]:
    """Yields function(*shared, (number, item)) for every item as it finishes; `shared` is sent to each worker once.

    Raises NoCluster if no scheduler or no worker answers, JobsLost if jobs were lost with a worker, WorkersLost if one
    job has killed several workers or there has been no worker for a minute, and whatever a job raises.
    """
    with _client(address) as client:
        from distributed import CancelledError, KilledWorker

        try:
            sent = client.scatter(list(shared), broadcast=True, hash=False)
        except (OSError, TimeoutError) as death:  # a dead worker that the scheduler still listed
            raise JobsLost(type(death).__name__) from death
        futures = {client.submit(function, *sent, pair, pure=False) for pair in items.items()}
        for future in _as_completed(client, futures):
            try:
                result = future.result()
            except KilledWorker as death:
                raise WorkersLost(
                    f"cluster {address}: a job killed its worker several times ({death}). "
                    "Fix: give the workers more memory."
                ) from death
            except (CancelledError, TimeoutError) as death:
                raise JobsLost(type(death).__name__) from death
            yield result


def _as_completed(client: Any, futures: set[Any]) -> Iterator[Any]:
    from distributed import CancelledError, wait

    seconds_alone, pause = 0, 5
    waiting = set(futures)
    while waiting:
        try:
            with client.as_current():
                done = wait(list(waiting), timeout=pause, return_when="FIRST_COMPLETED").done
        except TimeoutError:
            seconds_alone = 0 if client.ncores() else seconds_alone + pause
            if seconds_alone >= _SECONDS_WITHOUT_WORKERS:
                raise WorkersLost("the cluster has lost all its workers. Fix: start workers and run again.") from None
            continue
        except CancelledError:  # their input was lost with a worker; some may have finished before
            done = {future for future in waiting if future.status != "pending"}
        waiting -= done
        yield from sorted(done, key=lambda future: future.status == "cancelled")


@contextmanager
def _client(address: str) -> Iterator[Any]:
    """A client with at least one worker: the one that is kept open, or a new one."""
    kept = _KEPT.get()
    if kept is None:
        with _new_client(address) as client:
            yield client
        return
    stack, clients = kept
    if not clients:
        clients.append(stack.enter_context(_new_client(address)))
    yield clients[0]


@contextmanager
def _new_client(address: str) -> Iterator[Any]:
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise NoCluster(
            f"cluster {address}", "the package distributed is not installed", "run `pip install 'fixfirst[cluster]'`"
        ) from None
    try:
        _find_scheduler(address)
        client = Client(address, timeout=f"{_SECONDS_TO_ANSWER}s", set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise NoCluster(
            f"cluster {address}", f"no scheduler answers there ({error})", "start one: `dask scheduler`"
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_SECONDS_TO_FIND_A_WORKER)
        except TimeoutError:
            raise NoCluster(
                f"cluster {address}", "the scheduler has no workers", f"start some: `dask worker {address}`"
            ) from None
        yield client


def _find_scheduler(address: str) -> None:
    """Raises OSError if the server at the address is not a scheduler or does not answer: Dask's client would hang."""

    async def ask() -> None:
        await asyncio.wait_for(_ask(address), _SECONDS_TO_ANSWER)

    with ThreadPoolExecutor(1) as thread:  # the calling thread may already run an event loop
        try:
            thread.submit(lambda: asyncio.run(ask())).result()
        except TimeoutError:
            raise OSError(f"it did not answer within {_SECONDS_TO_ANSWER} s") from None
        except OSError:
            raise
        except Exception:  # bytes of another protocol can break the parser in any way
            raise OSError("it does not speak Dask's protocol") from None


async def _ask(address: str) -> None:
    from distributed import Security
    from distributed.comm import parse_address
    from distributed.comm.registry import get_backend

    scheme, place = parse_address(address)
    options = Security().get_connection_args("client")
    try:
        comm = await get_backend(scheme).get_connector().connect(place, **options)
    except OSError:
        return  # Dask's client retries for a while, because the scheduler may still be starting
    try:
        own = comm.handshake_info()
        await comm.write(own)
        comm.handshake_options = comm.handshake_configuration(own, await comm.read())
        await comm.write({"op": "identity", "reply": True})
        kind = (await comm.read())["type"]
        if kind != "Scheduler":
            raise OSError(f"it is a {kind}")
    finally:
        comm.abort()
