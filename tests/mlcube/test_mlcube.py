"""The real mlcube, with a stand-in engine and with the host runner."""

import sys
from pathlib import Path

import pytest

from cleaning import __version__
from evaluation.contract.record import read_records
from tests.support import noisy_blobs, write_dataset, write_parameters

pytestmark = pytest.mark.slow
IMAGE = f"fixfirst/fixfirst:{__version__}"
TASKS = "--task=download,create_baselines,evaluate,plot"


def scores(workspace):
    return [(r.dataset, r.method, r.metrics) for r in read_records(workspace / "results" / "results.jsonl")]


def test_mlcube_passes_what_the_entry_point_takes(cube):
    done = cube.run(TASKS)
    assert done.returncode == 0, done.stderr
    workspace = cube.root / "workspace"
    assert (workspace / "results" / "leaderboard.csv").exists()
    runs = [call for call in cube.engine_calls if call[0] == "run"]
    assert [call[call.index(IMAGE) + 1] for call in runs] == TASKS[7:].split(",")
    builds = [call for call in cube.engine_calls if call[0] == "build"]
    assert len(builds) == 4
    assert builds[0][-3:] == ["-f", str(cube.root / "mlcube" / "Dockerfile"), str(cube.root)]
    for call in runs:
        assert call[1] == "--rm"
        assert "--user" in call
    evaluate = runs[2]
    assert f"{workspace / 'data'}:/mlcube_io2:ro" in evaluate
    assert f"{workspace / 'results'}:/mlcube_io4" in evaluate
    assert "--groundtruth_folder=/mlcube_io2" in evaluate


def test_a_failing_task_fails_the_command_and_stops_the_list(cube):
    (cube.root / "workspace" / "submissions").mkdir()
    (cube.root / "workspace" / "submissions" / "blobs_bad.txt").write_text("0\n0\n")
    done = cube.run("--task=download,evaluate,plot")
    assert done.returncode != 0
    assert "row 0 already appears on line 1" in done.stderr
    assert [call[call.index(IMAGE) + 1] for call in cube.engine_calls if call[0] == "run"] == ["download", "evaluate"]


def test_another_workspace_gets_the_parameters_and_the_results(cube, tmp_path):
    elsewhere = tmp_path / "elsewhere"
    write_parameters(elsewhere, datasets={"made": {"ids": ["blobs"]}}, rankers=["random"])
    write_dataset(elsewhere, *noisy_blobs("blobs", n=30))
    (elsewhere / "submissions").mkdir()
    (elsewhere / "submissions" / "blobs_random.txt").write_text("".join(f"{row}\n" for row in range(30)))
    for platform in ([], ["--platform=host"]):
        done = cube.run("--task=evaluate", f"--workspace={elsewhere}", *platform)
        assert done.returncode == 0, done.stderr
        assert [method for _, method, _ in scores(elsewhere)] == ["random"]
        (elsewhere / "results" / "results.jsonl").unlink()
    assert not (cube.root / "workspace" / "results").exists()


def test_without_an_engine_one_sentence_says_what_to_do(cube):
    for name in ("docker", "podman"):
        engine = cube.engine_log.parent / "bin" / name
        engine.write_text("#!/bin/sh\nexit 1\n")
        engine.chmod(0o755)
    done = cube.run("--task=download,evaluate")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "error: neither a Docker daemon nor Podman answers. Fix: start one that you may use, or add" in said
    assert "Traceback" not in said
    assert [line for line in said.splitlines() if "WARNING Docker image" not in line] == said.splitlines()[-1:]


def test_podman_keeps_the_number_of_a_user_without_root(cube, monkeypatch):
    monkeypatch.setenv("STAND_IN_RUNS_NOTHING", "1")
    tools = cube.engine_log.parent / "bin"
    for number, flag in (("0", False), ("1234", True)):
        (tools / "podman").write_text(
            (tools / "docker").read_text() if number == "0" else (tools / "podman").read_text()
        )
        (tools / "podman").chmod(0o755)
        (tools / "docker").write_text("#!/bin/sh\nexit 1\n")
        (tools / "id").write_text(f"#!/bin/sh\necho {number}\n")
        (tools / "id").chmod(0o755)
        assert cube.run("--task=download").returncode == 0
        call = [call for call in cube.engine_calls if call[0] == "run"][-1]
        assert ("--userns=keep-id" in call) == flag


def test_the_host_runner_does_the_same_without_an_engine(cube):
    done = cube.run("--task=download,create_baselines,evaluate", "--platform=host")
    assert done.returncode == 0, done.stderr
    assert not cube.engine_log.exists()
    on_host = scores(cube.root / "workspace")
    assert len(on_host) == 2
    (cube.root / "workspace" / "results" / "results.jsonl").unlink()
    assert cube.run("--task=evaluate").returncode == 0
    assert scores(cube.root / "workspace") == on_host


def test_the_host_runner_fails_with_the_task(cube):
    (cube.root / "workspace" / "parameters.yaml").write_text("sead: 1\n")
    done = cube.run("--task=download,evaluate", "--platform=host")
    assert done.returncode != 0
    assert "did you mean seeds" in done.stderr
    assert "The task download ended with exit status 1" in done.stderr


def test_the_host_runner_says_what_to_do_without_a_python(cube):
    (cube.engine_log.parent / "bin" / "fixfirst").unlink()
    if Path(sys.executable).with_name("fixfirst").exists():
        pytest.skip("fixfirst is installed beside the Python of the tests, so there is one")
    assert "run `make demo`" in cube.run("--task=doctor", "--platform=host").stderr
