"""`fixfirst rounds` from end to end: rankers in processes of their own, the truth in this one."""

import io
import json
import multiprocessing
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cleaning import FixfirstError, InvalidInput, Unsuitable
from evaluation.contract import registry
from evaluation.contract.loading import load_parameters
from evaluation.contract.record import read_records
from evaluation.datasets.layout import load_dataset, load_truth
from evaluation.files.progress import Reporter
from evaluation.harness.evaluate import evaluate
from evaluation.harness.produce import create_baselines
from evaluation.harness.rounds import asking, make
from evaluation.harness.rounds.worker import Job
from evaluation.settings.folders import Folders
from evaluation.submissions.addressed import addressed
from evaluation.submissions.round_logs import read_log
from tests.support import noisy_blobs, write_dataset, write_parameters

pytestmark = pytest.mark.slow
DEAF = """
import numpy as np
from cleaning import Ranking
def rank(train, validation, *, rng, checked=None):
    return Ranking(rng.permutation(len(train)))
"""
LISTENING = """
import json
from pathlib import Path
def rank(train, validation, *, rng, checked=None):
    with Path(__file__).with_suffix(".heard").open("a") as file:
        file.write(json.dumps(sorted(checked.items())) + "\\n")
    wrong = {row for row, label in checked.items() if label != train.labels[row]}
    return [-float(len(wrong) * row % 7) for row in range(len(train))]
"""


@pytest.fixture
def place(tmp_path):
    write_dataset(tmp_path, *noisy_blobs(n=30))
    return Folders.in_workspace(tmp_path)


class Thread(threading.Thread):
    """A thread that looks like a process that still runs."""

    exitcode = None


@contextmanager
def near(target, *arguments):
    """The other side in a thread, which is faster than in a process."""
    ours, theirs = multiprocessing.Pipe()

    def run():
        with theirs, suppress(EOFError, OSError):
            target(theirs, *arguments)

    thread = Thread(target=run)
    thread.start()
    with ours:
        yield ours, thread
    thread.join()


@pytest.fixture
def nearby(monkeypatch):
    monkeypatch.setattr(asking, "_connected", near)


def settle(folders, every, **rankers):
    """parameters.yaml with these rankers in the workspace."""
    workspace = folders.parameters_file.parent
    settings = {"rounds": every} if every else {}
    write_parameters(workspace, rankers=[*rankers], datasets={"made": {"ids": ["blobs"]}}, **settings)
    folders.ranker_folder.mkdir(exist_ok=True)
    for name, text in rankers.items():
        (folders.ranker_folder / f"{name}.py").write_text(text)


def run(folders, *only, command=make.make_rounds):
    reporter = Reporter(io.StringIO(), io.StringIO())
    failures = command(folders, reporter, only=only) if command is not evaluate else command(folders, reporter)
    err = "".join(line for line in reporter.err.getvalue().splitlines(keepends=True) if not line.startswith("rounds: "))
    return failures, reporter.out.getvalue(), err


def log(folders, ranker):
    return read_log(folders.submission_folder / f"blobs_{ranker}.rounds", 30)


def known_truth(folders):
    return load_truth(folders.groundtruth_folder, load_dataset(folders.embedding_folder, "blobs")).labels


def test_rounds_are_scored_beside_the_order_made_at_once(place, nearby):
    settle(place, 8, deaf=DEAF, listening=LISTENING, plain=DEAF.replace(", checked=None", ""))
    assert run(place, "deaf", "plain", command=create_baselines)[0] == 0
    failures, out, err = run(place)
    assert (failures, err) == (0, "")
    assert "rounds: 2 submissions in rounds of 8 fixes: 2 written" in out
    assert f"asking the ranker deaf from {place.ranker_folder / 'deaf.py'}" in out
    heard = [dict(json.loads(line)) for line in (place.ranker_folder / "listening.heard").read_text().splitlines()]
    order, labels = log(place, "listening").ranking.order, known_truth(place)
    assert heard == [{row: labels[row] for row in sorted(order[:end].tolist())} for end in (0, 8, 16, 24)]
    assert run(place, command=evaluate)[0] == 0
    found = {record.method: record for record in read_records(place.results_file)}
    assert {name: record.rounds for name, record in found.items()} == {
        "deaf": None,
        "plain": None,
        "deaf in rounds of 8": 8,
        "listening in rounds of 8": 8,
    }
    assert found["deaf in rounds of 8"].curve == found["deaf"].curve
    assert found["deaf in rounds of 8"].metrics == found["deaf"].metrics
    assert found["listening in rounds of 8"].details["order"] == order.tolist()
    assert found["listening in rounds of 8"].seconds > 0
    assert {json.loads(line)["team"] for line in place.submission_log.read_text().splitlines()} == {"deaf", "plain"}
    told = json.loads((place.results_folder / "blobs_evaluation.json").read_text())
    assert {one["submission"] for one in told["submitted_evaluations"]} == {"deaf", "plain"}
    again = run(place)
    assert "2 unchanged" in again[1]
    assert "4 already known, 0 to score" in run(place, command=evaluate)[1]


def test_an_interrupted_log_goes_on_where_it_was(place, monkeypatch, nearby):
    settle(place, 8, listening=LISTENING)
    written = []

    def killed(path, line):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(line)
        usual(path, line)

    usual = make.append_line
    with monkeypatch.context() as patch:
        patch.setattr(make, "append_line", killed)
        with pytest.raises(KeyboardInterrupt):
            run(place)
    unfinished = next((place.submission_folder / ".unfinished").glob("*.jsonl"))
    assert unfinished.read_text().splitlines() == written
    with unfinished.open("a") as file:
        file.write('{"rows": [1')
    assert not list(place.submission_folder.glob("*.rounds"))
    assert run(place)[0] == 0
    heard = (place.ranker_folder / "listening.heard").read_text().splitlines()
    assert [len(json.loads(line)) for line in heard] == [0, 8, 16, 16, 24]
    assert not (place.submission_folder / ".unfinished").exists()
    resumed = (place.submission_folder / "blobs_listening.rounds").read_bytes()
    (place.submission_folder / "blobs_listening.rounds").unlink()
    assert "1 written" in run(place)[1]
    assert (place.submission_folder / "blobs_listening.rounds").read_bytes() == resumed


THIEF = """
import gc, os, sys
import numpy as np
from multiprocessing.connection import Connection
class Bomb:
    def __reduce__(self):
        return os.mkdir, (TRAP,)
def rank(train, validation, *, rng, checked=None):
    found = [type(one).__name__ for one in gc.get_objects()]
    assert "NoisyDataset" in found and "GroundTruth" not in found
    if __name__.endswith("leaves"):
        os._exit(7)
    if __name__.endswith("pickles"):
        [one for one in gc.get_objects() if isinstance(one, Connection)][-1].send(Bomb())
    return np.zeros(len(train))
"""


@pytest.mark.usefixtures("no_cleanlab")
def test_a_hostile_ranker_finds_no_truth_and_runs_nothing_beside_it(place, tmp_path):
    trap = tmp_path / "trap"
    settle(place, 15, **dict.fromkeys(("leaves", "pickles", "searches"), THIEF.replace("TRAP", repr(str(trap)))))
    failures, out, err = run(place)
    assert (failures, "2 failed, 1 written" in out) == (2, True)
    assert "failed: leaves on blobs in rounds: leaves: its process ended with exit status 7" in err
    assert "failed: pickles on blobs in rounds: pickles: something else than the answer came from its process" in err
    assert not trap.exists()
    assert [path.name for path in place.submission_folder.glob("blobs*")] == ["blobs_searches.rounds"]


@pytest.mark.parametrize(
    ("said", "error", "message"),
    [
        (b'{"order": [0, 0, 1]}', InvalidInput, "duplicate rows"),
        (b'{"order": [0, 1, 18446744073709551616]}', InvalidInput, "m: something else than the answer"),
        (b'{"order": [0, 1.5, 2]}', InvalidInput, "m: something else than the answer"),
        (b'{"rows": [0, 1, 2]}', InvalidInput, "m: something else than the answer"),
        (b"[" * 10_000, InvalidInput, "m: something else than the answer"),
        (b" " * 5_000_000, InvalidInput, "m: its process gave no answer"),
        (b'{"failed": "\\u001b[31m no"}', FixfirstError, r"^\\x1b\[31m no$"),
        (b'{"left_out": "few rows"}', Unsuitable, "few rows"),
    ],
)
def test_whatever_comes_from_the_process_of_a_ranker_is_checked(said, error, message, monkeypatch):
    def saying(connection, _):
        connection.send_bytes(b"{}")
        connection.recv_bytes()
        with suppress(OSError):
            connection.send_bytes(said)

    monkeypatch.setattr(asking, "_PATIENCE", 0.01)
    monkeypatch.setattr(asking, "answer", saying)
    monkeypatch.setattr(asking, "_connected", near)
    job = Job(Path(), Path(), "x", "m", 0)
    with pytest.raises(error, match=message), asking.asked(job, 3) as ranker:
        ranker.rank({})


def test_what_cannot_be_done_is_said(place, nearby):
    settle(place, None, deaf=DEAF)
    with pytest.raises(InvalidInput, match=r"parameters\.yaml, rounds: it is not set\. Fix: add a line `rounds: 20`"):
        run(place)
    picky = DEAF.replace("return", "if checked: raise Unsuitable('enough')\n    return")
    settle(place, 40, deaf=DEAF)
    failures, out, err = run(place, "deaf", "random")
    assert (failures, "1 written" in out) == (0, True)
    assert err == "warning: random has no rounds: it is not a ranker with an argument `checked`\n"
    settle(place, 20, picky=picky.replace("import Ranking", "import Ranking, Unsuitable"))
    (place.groundtruth_folder / "dataset_blobs_train.csv").rename(place.groundtruth_folder / "kept")
    assert "failed: blobs: " in run(place)[2]
    (place.groundtruth_folder / "kept").rename(place.groundtruth_folder / "dataset_blobs_train.csv")
    failures, out, err = run(place)
    assert (failures, "1 left out" in out) == (0, True)
    assert "picky on blobs left out in rounds: enough" in err


def test_logs_of_another_truth_names_of_rounds_and_logs_of_teams_are_refused(place, nearby):
    settle(place, 30, deaf=DEAF)
    assert run(place)[0] == 0
    path = place.submission_folder / "blobs_deaf.rounds"
    parameters = load_parameters(place.parameters_file)
    assert (
        registry.task("cleaning")
        .validate(path, place, parameters)
        .startswith("data id blobs, method deaf in rounds of 30, 30 rows, ")
    )
    with pytest.raises(InvalidInput, match=r"the task cleaning does not read the suffix '\.rounds'"):
        addressed(path, None, parameters)  # so no team can hand one in
    order = "".join(f"{row}\n" for row in range(30))
    (place.submission_folder / "blobs_deaf in rounds of 30.txt").write_text(order)
    labels = known_truth(place)[log(place, "deaf").ranking.order]
    other = json.dumps((1 - labels).tolist(), separators=(",", ":"))
    path.write_text(path.read_text().replace(json.dumps(labels.tolist(), separators=(",", ":")), other))
    failures, _, err = run(place, command=evaluate)
    assert failures == 2
    assert "'deaf in rounds of 30' is the name of a ranker in rounds, not of a submission" in err
    assert "blobs_deaf.rounds, line 2: row " in err
    (record,) = read_records(place.results_file)
    assert (record.method, record.rounds, record.fault) == ("deaf in rounds of 30", 30, "submission")
