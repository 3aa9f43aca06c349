"""mlcube.yaml, the entry point and the command line agree; tested without mlcube or an engine."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from evaluation.cli import command_names
from evaluation.settings.folders import Folders
from tests.support import ROOT, write_parameters

pytestmark = pytest.mark.slow
CUBE = yaml.safe_load((ROOT / "mlcube.yaml").read_text())


def parameters(task):
    found = CUBE["tasks"][task]["parameters"]
    return {**found["inputs"], **found["outputs"]}


@pytest.fixture
def python_path(nothing_in_cleanlab):
    return f"{ROOT}:{nothing_in_cleanlab}"


@pytest.mark.parametrize("task", CUBE["tasks"])
def test_tasks_are_commands_whose_flags_have_the_default_paths_of_the_cube(task, tmp_path):
    assert task in command_names()
    usual = Folders.in_workspace(tmp_path)
    for name, spec in parameters(task).items():
        assert tmp_path / spec["default"] == getattr(usual, name)
        assert spec["type"] == ("file" if name.endswith("_file") else "directory")


def test_no_task_may_write_where_it_only_reads():
    for task, spec in CUBE["tasks"].items():
        if task not in ("download", "doctor"):  # doctor looks whether the folder is writable
            assert all(entry["opts"] == "ro" for entry in spec["parameters"]["inputs"].values())
    assert "--user $(id -u):$(id -g)" in CUBE["docker"]["cpu_args"]
    assert CUBE["docker"]["build_strategy"] == "always"
    assert (ROOT / CUBE["docker"]["build_file"]).exists()


def test_tasks_that_read_the_truth_never_run_code_from_the_workspace():
    assert "groundtruth_folder" not in parameters("create_baselines")
    assert "ranker_folder" not in parameters("evaluate")


def test_a_stopped_container_ends_at_once(workspace, python_path):
    """As process 1 of a container, Python would ignore SIGTERM; anywhere else it would end with -15."""
    (workspace / "rankers").mkdir()
    (workspace / "rankers" / "slow.py").write_text(
        "import time\ndef rank(train, validation, *, rng):\n    print('ranking', flush=True)\n    time.sleep(600)\n"
    )
    write_parameters(workspace, rankers=["slow"])
    command = [sys.executable, ROOT / "mlcube" / "entrypoint.py", "create_baselines", f"--workspace={workspace}"]
    child = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": python_path})
    while "ranking" not in child.stdout.readline():
        pass
    child.terminate()
    child.communicate(timeout=300)
    assert child.returncode == 143
    assert not list((workspace / "submissions").glob("blobs*"))


# The tasks in one process, which imports everything once; tests/mlcube/test_mlcube.py starts one for each.
ONE_BY_ONE = """
import json, runpy, sys
entry_point, tasks = sys.argv[1:]
for words in json.loads(tasks):
    sys.argv[1:] = words
    try:
        runpy.run_path(entry_point, run_name="__main__")
    except SystemExit as end:
        assert end.code == 0, words
"""


def test_the_entry_point_runs_the_four_tasks_with_the_arguments_of_a_container(workspace, python_path):
    """As an engine starts it: every parameter is an absolute path, and the user has no home."""
    tasks = [
        [task, *(f"--{name}={workspace / spec['default']}" for name, spec in parameters(task).items())]
        for task in ("download", "create_baselines", "evaluate", "plot")
    ]
    done = subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE, ROOT / "mlcube" / "entrypoint.py", json.dumps(tasks)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": python_path, "HOME": "/nonexistent"},
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (workspace / "results" / "leaderboard.csv").exists()


def test_the_entry_point_fails_when_the_task_does(workspace):
    (workspace / "parameters.yaml").write_text("sead: 1\n")
    done = subprocess.run(
        [
            sys.executable,
            ROOT / "mlcube" / "entrypoint.py",
            "evaluate",
            f"--parameters_file={workspace}/parameters.yaml",
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd="/",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "did you mean seeds" in done.stderr


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_files_written_by_root_are_given_to_the_owner_of_the_folder(tmp_path):
    spec = importlib.util.spec_from_file_location("entrypoint", ROOT / "mlcube" / "entrypoint.py")
    entrypoint = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(entrypoint)
    folder, rooted = tmp_path / "results", tmp_path / "rooted"
    for place in (folder, rooted):
        (place / "deep").mkdir(parents=True)
        (place / "deep" / "a").write_text("")
    (folder / "link").symlink_to("/etc/passwd")
    os.chown(folder, 1234, 1235)
    os.chown(tmp_path, 1234, 1235)
    (tmp_path / "manifest.json").write_text("")
    entrypoint.hand_over(
        [
            "plot",
            f"--results_folder={folder}",
            f"--manifest_file={tmp_path}/manifest.json",
            "--x=relative",
            "--y=/none/z",
        ]
    )
    for path in (folder / "deep", folder / "deep" / "a", folder / "link", tmp_path / "manifest.json"):
        assert (path.lstat().st_uid, path.lstat().st_gid) == (1234, 1235)
    assert Path("/etc/passwd").stat().st_uid == 0
    entrypoint.hand_over([f"--results_folder={rooted}"])
    assert (rooted / "deep").stat().st_uid == 0


def test_the_image_contains_the_code_and_nothing_from_the_workspace():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert ignored[0] == "*"
    assert "!workspace" not in ignored
    copied = [
        line.split()[1:-1]
        for line in (ROOT / "mlcube" / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY") and "--from" not in line
    ]
    for name in (name for names in copied for name in names):
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
    assert json.dumps(CUBE)
