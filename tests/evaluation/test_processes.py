"""Several commands at once, output that cannot be written, and what is known of the machine and the libraries."""

import io
import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.contract import registry
from evaluation.contract.record import environment, latest, read_records
from evaluation.files.lock import only_writer
from evaluation.files.progress import Reporter
from evaluation.harness.evaluate import evaluate
from evaluation.harness.produce import create_baselines
from tests.forked import Forked
from tests.support import ROOT, write_parameters

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_pictures")]


def start(*arguments, shell=""):
    command = [sys.executable, "-m", "evaluation.cli", *map(str, arguments)]
    if shell:
        command = ["sh", "-c", f'"$@" {shell}', "sh", *command]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(child):
    out, err = child.communicate(timeout=600)
    assert "Traceback" not in err
    return child.returncode, out, err


def two_at_once(folder, *arguments):
    """Exit status, output and errors of two processes that do the same."""
    children = [Forked(folder / name, *arguments) for name in ("one", "other")]
    return [child.finish() for child in children]


def quiet():
    return Reporter(io.StringIO(), io.StringIO())


def test_evaluations_at_once_wait_for_each_other_and_record_everything_once(ranked):
    place = ranked.parameters_file.parent
    with only_writer(ranked.results_folder, pytest.fail):
        children = [start("evaluate", f"--workspace={place}") for _ in range(2)]
        told = [child.stderr.readline() for child in children]
    assert told == [
        f"warning: {ranked.results_folder}: another fixfirst command is writing here; waiting until it has finished\n"
    ] * len(children)
    assert [finish(child)[0] for child in children] == [0, 0]
    slots = Counter(record.slot for record in read_records(ranked.results_file))
    assert len(slots) == 4
    assert set(slots.values()) == {1}
    numbers = Counter(json.loads(line)["team"] for line in ranked.submission_log.read_text().splitlines())
    assert set(numbers.values()) == {2}  # one for each data id


def test_downloads_at_once_both_succeed(tmp_path, tmp_path_factory):
    block = {"task": "logo", "sources": ["sklearn:digits"], "draws": [0]}
    write_parameters(tmp_path, tasks=["logo"], datasets={"d": block})
    results = two_at_once(tmp_path_factory.mktemp("told"), "download", f"--workspace={tmp_path}")
    assert [status for status, _, _ in results] == [0, 0]
    assert sorted("already present" in out for _, out, _ in results) == [False, True]
    assert not [path for path in tmp_path.rglob(".*") if path.name != ".made.jsonl"]


def test_what_killed_runs_left_is_removed_by_whichever_command_comes_next(ranked):
    from evaluation.cli import main

    place = ranked.parameters_file.parent
    assert main(["evaluate", f"--workspace={place}"]) == 0
    left = ".report.html.abcd1234.tmp"
    for folder, command in (
        ("embeddings", "download"),
        ("data", "download"),
        ("submissions", "create_baselines"),
        ("submissions/seed-1", "create_baselines"),
        ("results", "evaluate"),
        ("results", "plot"),
        ("results", "leaderboard"),
    ):
        path = place / folder / left
        path.parent.mkdir(exist_ok=True)
        path.write_text("half")
        (place / "data" / ".staging" / "x").mkdir(parents=True, exist_ok=True)
        assert main([command, f"--workspace={place}"]) == 0
        assert not path.exists(), command
        assert command != "download" or not (place / "data" / ".staging").exists()


def test_baselines_made_at_once_are_made_once(workspace, tmp_path):
    results = two_at_once(tmp_path, "create_baselines", f"--workspace={workspace}")
    assert sorted("4 unchanged" in out for _, out, _ in results) == [False, True]
    assert len((workspace / "submissions" / ".made.jsonl").read_text().splitlines()) == 4


def test_a_submission_that_is_back_is_not_withdrawn(ranked, monkeypatch):
    assert evaluate(ranked, quiet()) == 0
    whole, calls = registry.task("cleaning"), []

    def load(*arguments):
        calls.append(1)
        found = whole.load(*arguments)
        return [case for case in found if case.method != "random"] if len(calls) == 1 else found

    monkeypatch.setattr(registry, "task", lambda _: replace(whole, load=load))
    assert evaluate(ranked, quiet()) == 0
    assert len(calls) == 2
    assert {record.method for record in latest(read_records(ranked.results_file))} == {"random", "knn_shapley"}


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_a_closed_output_is_no_failure(ranked, closed):
    status, _, err = finish(start("evaluate", f"--workspace={ranked.parameters_file.parent}", shell=closed))
    assert (status, err) == (0, "")
    assert len(read_records(ranked.results_file)) == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_output_is_one_sentence(ranked):
    place = f"--workspace={ranked.parameters_file.parent}"
    status, _, err = finish(start("evaluate", place, shell="> /dev/full"))
    assert (status, err.count("\n")) == (1, 1)
    assert err.startswith("error: the output cannot be written (No space left on device)")
    status, out, _ = finish(start("evaluate", place, shell="2> /dev/full"))
    assert status == 0
    assert "4 submissions" in out


def test_a_record_names_the_machine_and_what_computes_on_it(ranked):
    assert evaluate(ranked, quiet()) == 0
    for record in read_records(ranked.results_file):
        assert {"blas", "core", "processor", "threads"} <= record.environment.keys()
        assert record.environment["threads"] == "1"
        assert all(record.environment.values())
    assert "none" not in environment()["blas"]


RANKER = """
import warnings
import numpy as np
def rank(train, validation, *, rng):
    for _ in range(3):
        warnings.warn("the labels\\n  look odd", UserWarning)
    return np.zeros(len(train))
"""


def test_what_libraries_warn_about_while_baselines_are_made_is_named(workspace, folders, recwarn):
    (workspace / "rankers").mkdir()
    (workspace / "rankers" / "odd.py").write_text(RANKER)
    reporter = quiet()
    assert create_baselines(folders, reporter, only=["odd"]) == 0
    told = reporter.err.getvalue().splitlines()
    assert told == [f"warning: odd on {data_id}: UserWarning: the labels look odd" for data_id in ("blobs", "blobs-b")]
    assert not recwarn


def test_what_libraries_warn_about_while_a_submission_is_scored_is_recorded(ranked, monkeypatch, recwarn):
    whole = registry.task("cleaning")

    def score(case, progress):
        import warnings

        warnings.warn("did not converge", RuntimeWarning, stacklevel=1)
        return whole.score(case, progress)

    monkeypatch.setattr(registry, "task", lambda _: replace(whole, score=score))
    assert evaluate(ranked, quiet()) == 0
    assert {tuple(record.details["warnings"]) for record in read_records(ranked.results_file)} == {
        ("RuntimeWarning: did not converge",)
    }
    assert not recwarn


def test_any_other_warning_of_a_library_is_one_line(workspace, monkeypatch, capsys):
    from evaluation.cli import main

    def run(_):
        import warnings

        warnings.simplefilter("always")
        warnings.warn("two\nlines", UserWarning, stacklevel=1)
        return 0

    monkeypatch.setattr("evaluation.commands.ls.run", run)
    assert main(["ls"]) == 0
    assert capsys.readouterr().err == "warning: UserWarning: two lines\n"
