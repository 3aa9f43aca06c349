"""Jobs side by side: order, errors, dying workers, alignment."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cleaning import InvalidInput, Ranking, Split, simulate
from cleaning.learners.logistic import Learner
from cleaning.parallel.engine import (
    SERIAL,
    Engine,
    WorkersLost,
    aligned,
    finished_jobs,
    map_jobs,
    processes,
    thread_pools,
)
from cleaning.simulation.simulate import Plan
from tests.support import noisy_blobs

pytestmark = pytest.mark.slow
TWO = Engine(jobs=2)


def add(base, item, step):
    step(1, 1)
    return base + item


def wait_for(marker, item, step):
    """Item 0 does not finish before the marker exists; the time limit lets a broken test fail."""
    give_up = time.monotonic() + 60
    while item == 0 and not Path(marker).exists() and time.monotonic() < give_up:
        time.sleep(0.01)
    return item


def refuse(item, step):
    raise InvalidInput("row 7", f"it is {item}")


def die_once(folder, item, step):
    """The worker of item 2 kills itself the first time, and every call leaves a trace."""
    marker = Path(folder) / "died"
    (Path(folder) / f"{item}-{os.getpid()}-{time.monotonic_ns()}").touch()
    if item == 2 and not marker.exists():
        marker.touch()
        os._exit(1)
    return item * item


def die(item, step):
    os._exit(1)


def threads_of_blas(item, step):
    from threadpoolctl import threadpool_info

    return max(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")


def is_aligned(matrix, item, step):
    return bool(matrix.flags.aligned and matrix.flags.c_contiguous)


@dataclass(frozen=True, eq=False)
class Halves:
    """The logistic learner with a few states per block."""

    size: int = 5

    def describe(self):
        return Learner().describe()

    def block_size(self, path):
        return self.size

    def accuracies(self, path, test, step):
        return Learner().accuracies(path, test, step)


def at_odd_address(values):
    """The same numbers in memory that is not aligned to their size."""
    raw = b"x" + np.ascontiguousarray(values).tobytes()
    found = np.frombuffer(raw, dtype=values.dtype, offset=1).reshape(values.shape)
    assert not found.flags.aligned
    return found


@pytest.mark.parametrize("engine", [SERIAL, TWO], ids=["here", "two processes"])
def test_all_results_come_in_the_order_of_the_items(engine):
    assert list(map_jobs(add, (10,), [0, 1, 2, 3], engine)) == [10, 11, 12, 13]
    assert sorted(finished_jobs(add, (10,), [0, 1, 2, 3], engine)) == [(0, 10), (1, 11), (2, 12), (3, 13)]
    assert list(map_jobs(add, (10,), [], engine)) == []


def test_a_finished_job_does_not_wait_for_a_slow_one_before_it(tmp_path):
    marker = tmp_path / "another job has arrived"
    found = []
    for number, _ in finished_jobs(wait_for, (str(marker),), [0, 1, 2, 3], TWO):
        found.append(number)
        marker.touch()
    assert found[0] != 0
    assert sorted(found) == [0, 1, 2, 3]


def test_only_jobs_in_this_process_report_progress_while_they_run():
    reports = []
    list(map_jobs(add, (10,), [1, 2], SERIAL, lambda *step: reports.append(step)))
    list(map_jobs(add, (10,), [1, 2], TWO, lambda *step: reports.append(step)))
    assert reports == [(1, 1), (1, 1)]


@pytest.mark.parametrize("engine", [SERIAL, TWO], ids=["here", "two processes"])
def test_an_exception_in_a_job_arrives_unchanged(engine):
    with pytest.raises(InvalidInput, match="row 7: it is 1") as raised:
        list(map_jobs(refuse, (), [1, 1], engine))
    assert raised.value.place.key == "row 7"


def test_a_worker_that_dies_once_costs_a_retry(tmp_path):
    assert list(map_jobs(die_once, (str(tmp_path),), list(range(5)), TWO)) == [0, 1, 4, 9, 16]
    assert sum(path.name.startswith("2-") for path in tmp_path.iterdir()) == 2


def test_workers_that_keep_dying_are_a_clear_error():
    with pytest.raises(WorkersLost, match=r"died 2 times in a row with 3 of 3 jobs left.*Fix: run fewer jobs"):
        list(map_jobs(die, (), [1, 2, 3], Engine(jobs=2, retries=1)))


@pytest.mark.parametrize("engine", [SERIAL, TWO], ids=["here", "two processes"])
def test_every_job_has_one_blas_thread(engine):
    assert list(map_jobs(threads_of_blas, (), [0, 1], engine)) == [1, 1]


def test_libraries_with_threads_are_searched_for_only_after_an_import(monkeypatch):
    found = thread_pools()
    assert thread_pools() is found
    monkeypatch.setitem(sys.modules, "a_new_module", sys)
    assert thread_pools() is not found


def test_workers_receive_aligned_arrays_at_any_depth():
    matrix = np.arange(6.0).reshape(2, 3)
    assert list(map_jobs(is_aligned, (at_odd_address(matrix),), [0, 1], TWO)) == [True, True]
    split = Split.from_arrays(matrix, [0, 1])
    object.__setattr__(split, "features", at_odd_address(matrix))
    nested = aligned([(split, "a"), at_odd_address(matrix).T, 5])
    assert nested[0][0].features.flags.aligned
    assert nested[1].flags.c_contiguous
    assert np.array_equal(nested[1], matrix.T)
    assert (nested[0][0].ids, nested[0][1], nested[2]) == (split.ids, "a", 5)


@pytest.mark.parametrize("width", [7, 90])
def test_a_curve_is_the_same_to_the_bit_wherever_it_is_computed(width):
    dataset, truth = noisy_blobs(n=60, width=width, seed=3)
    ranking = Ranking(np.random.default_rng(3).permutation(60))
    serial = simulate(dataset, truth, ranking, Halves())
    beside = simulate(dataset, truth, ranking, Halves(), plan=Plan(TWO))
    moved = Split.from_arrays(at_odd_address(dataset.train.features), dataset.train.labels)
    odd = simulate(type(dataset)("x", moved, None, dataset.test), truth, ranking, Halves())
    assert serial.accuracy.tobytes() == beside.accuracy.tobytes() == odd.accuracy.tobytes()


@pytest.mark.parametrize(
    ("jobs", "items", "found"), [(40, 17, 8), (40, 3, 3), (5, 17, 5), (-1, 17, 8), (-1, 4, 4), (40, 1, 2), (2, 17, 2)]
)
def test_no_more_processes_are_started_than_cores_or_items(monkeypatch, jobs, items, found):
    monkeypatch.setattr("joblib.cpu_count", lambda: 8)
    assert processes(jobs, items) == found


def test_many_more_jobs_than_cores_give_every_result():
    assert list(map_jobs(add, (10,), [0, 1, 2], Engine(jobs=40))) == [10, 11, 12]


@pytest.mark.parametrize("jobs", [0, -2])
def test_an_invalid_number_of_jobs_is_refused(jobs):
    with pytest.raises(InvalidInput, match=f"jobs: found {jobs}"):
        Engine(jobs=jobs)


@pytest.mark.parametrize("address", ["localhost:8786", "http://a:1", "tcp://a", "tcp://a:b", "tcp://a:1/x", ""])
def test_a_cluster_must_be_a_schedulers_address(address):
    with pytest.raises(InvalidInput, match="tcp://host:8786"):
        Engine(cluster=address)


@pytest.mark.parametrize("address", ["tcp://10.0.0.1:8786", "tls://head-1.example.org:1", "tcp://[::1]:8786"])
def test_addresses_of_schedulers_are_accepted(address):
    assert Engine(cluster=address).cluster == address
