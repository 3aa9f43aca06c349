"""Jobs on a real Dask cluster that the test starts: the same bits as in this process, even if a worker dies."""

import os
import signal
import socket
import threading
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import yaml

from cleaning import InvalidInput, Ranking, simulate
from cleaning.belief.blocks.judge import judge_stored
from cleaning.parallel.engine import Engine, map_jobs
from cleaning.parallel.lost import NoCluster
from cleaning.simulation.simulate import Plan
from tests.cleaning.belief.blocks.made import case
from tests.cleaning.parallel.test_parallel import Halves
from tests.cluster import running_cluster
from tests.evaluation.harness.test_evaluate import score
from tests.support import noisy_blobs, write_parameters

Client = pytest.importorskip("distributed").Client
pytestmark = pytest.mark.slow


def die_once(folder, item, step):
    """The worker of the first job kills itself, and the data sent to it are lost."""
    marker = Path(folder) / "died"
    if item == 0 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item * item


def refuse(item, step):
    raise InvalidInput(f"row {item}", "it is bad")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with running_cluster(tmp_path_factory.mktemp("dask")) as running:
        yield running


@pytest.fixture
def engine(cluster):
    return Engine(cluster=cluster.address)


def test_blocks_of_a_curve_come_back_with_the_same_bits(engine):
    dataset, truth = noisy_blobs(n=60, width=70, seed=3)
    ranking = Ranking(np.random.default_rng(3).permutation(60))
    here = simulate(dataset, truth, ranking, Halves())
    there = simulate(dataset, truth, ranking, Halves(), plan=Plan(engine))
    assert here.accuracy.tobytes() == there.accuracy.tobytes()


def test_a_worker_killed_in_the_middle_costs_a_retry(engine, tmp_path):
    assert list(map_jobs(die_once, (str(tmp_path),), list(range(6)), engine)) == [0, 1, 4, 9, 16, 25]
    assert (tmp_path / "died").exists()


def test_losing_the_only_worker_and_its_data_costs_a_retry(tmp_path):
    with running_cluster(tmp_path, workers=1) as lonely:
        engine = Engine(cluster=lonely.address)
        assert list(map_jobs(die_once, (str(tmp_path),), list(range(6)), engine)) == [0, 1, 4, 9, 16, 25]
    assert (tmp_path / "died").exists()


def test_large_data_are_judged_as_in_one_process_although_a_worker_is_killed(engine, tmp_path, monkeypatch):
    monkeypatch.setattr("cleaning.belief.blocks.block.FEWEST_ROWS", 450)
    monkeypatch.setattr("cleaning.belief.blocks.forward.STEPS", 2)
    given = case()
    rows = given.stored(tmp_path)
    with Client(engine.cluster, set_as_default=False) as client:
        client.wait_for_workers(2)
        workers = list(client.run(os.getpid).values())

    def kill_one(done, total, note):
        if note == "model 2 of 5" and len(workers) == 2:
            os.kill(workers.pop(), signal.SIGKILL)

    here = judge_stored(rows, given.labels)
    there = judge_stored(rows, given.labels, engine=engine, progress=kill_one)
    assert len(workers) == 1
    np.testing.assert_allclose(there.suspicion, here.suspicion, atol=1e-6)
    assert there.suggestion.tolist() == here.suggestion.tolist()


def test_an_exception_in_a_remote_job_arrives_here(engine):
    with pytest.raises(InvalidInput, match="row 3: it is bad"):
        list(map_jobs(refuse, (), [3], engine))


def test_evaluate_gives_the_same_records_here_in_two_processes_and_on_the_cluster(engine, ranked):
    found = []
    for settings in ({}, {"jobs": 2}, {"cluster": engine.cluster}):
        write_parameters(ranked.parameters_file.parent, **settings)
        assert score(ranked)[0] == 0
        lines = [yaml.safe_load(line) for line in ranked.results_file.read_text().splitlines()]
        rows = [{key: r[key] for key in ("dataset", "method", "metrics", "curve", "fingerprint")} for r in lines]
        found.append(sorted(rows, key=lambda row: (row["dataset"], row["method"])))
        ranked.results_file.unlink()
    assert len(found[0]) == 4
    assert found[0] == found[1] == found[2]


def test_a_scheduler_that_does_not_answer_is_named(monkeypatch):
    monkeypatch.setattr("cleaning.parallel.cluster._SECONDS_TO_ANSWER", 0.2)
    with pytest.raises(InvalidInput, match=r"cluster tcp://127.0.0.1:9: no scheduler answers.*dask scheduler"):
        list(map_jobs(refuse, (), [3], Engine(cluster="tcp://127.0.0.1:9")))


@contextmanager
def server(answer):
    """A TCP server on loopback that answers every connection with these bytes and then stays silent."""
    with ExitStack() as kept, socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with suppress(OSError):  # the listener is shut down at the end
                while True:
                    connection = kept.enter_context(listener.accept()[0])
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize(
    ("answer", "why"),
    [(b"", "it did not answer within"), (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak Dask's protocol")],
)
def test_another_server_at_the_address_is_reported_and_no_submission_is_blamed(ranked, monkeypatch, capfd, answer, why):
    monkeypatch.setattr("cleaning.parallel.cluster._SECONDS_TO_ANSWER", 1)
    for path in sorted(ranked.submission_folder.glob("*.txt"))[1:]:
        path.unlink()  # with a single submission, its blocks are the jobs
    with server(answer) as address:
        write_parameters(ranked.parameters_file.parent, cluster=address)
        with pytest.raises(NoCluster, match=rf"cluster {address}: no scheduler answers there \(.*{why}"):
            score(ranked)
    assert not ranked.results_file.exists()
    assert capfd.readouterr().err == ""


def test_a_worker_is_not_a_scheduler(cluster):
    with Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(1)
        worker = next(iter(client.scheduler_info()["workers"]))
    with pytest.raises(NoCluster, match=r"no scheduler answers there .it is a Worker"):
        list(map_jobs(refuse, (), [3], Engine(cluster=worker)))


def test_a_scheduler_without_workers_is_reported(monkeypatch, tmp_path):
    monkeypatch.setattr("cleaning.parallel.cluster._SECONDS_TO_FIND_A_WORKER", 1)
    with (
        running_cluster(tmp_path, workers=0) as lonely,
        pytest.raises(InvalidInput, match=r"the scheduler has no workers.*dask worker tcp://"),
    ):
        list(map_jobs(refuse, (), [3], Engine(cluster=lonely.address)))
