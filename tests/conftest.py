"""Fixtures for every room."""

import gc
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from evaluation.files.progress import Reporter
from evaluation.harness.produce import create_baselines
from evaluation.settings.folders import Folders
from tests.support import ROOT, SHARED, noisy_blobs, without_pictures, write_dataset, write_parameters

# A test is right or wrong however slow the machine is: no deadline, and no complaint about slow drawing of examples.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: at the end, what is left should be short enough to keep every core busy."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """What has been imported stays, so the garbage collector need not look at it again and again; nor that often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(autouse=True, scope="session")
def nobody_waits_for_the_disk() -> Iterator[None]:
    """Only a power cut tells the difference. Processes that tests start do wait, and some tests make fsync fail."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace that `workspace` and `ranked` copy, with submissions."""
    place = tmp_path_factory.mktemp("made") / "workspace"
    write_parameters(place)
    for seed, name in enumerate(("blobs", "blobs-b")):
        write_dataset(place, *noisy_blobs(name, n=30, seed=seed))
    create_baselines(Folders.in_workspace(place), Reporter(io.StringIO(), io.StringIO()))
    return place


@pytest.fixture
def workspace(tmp_path: Path, made_once: Path) -> Path:
    """A workspace with two small data ids, one of whose names starts with the other's."""
    return shutil.copytree(made_once, tmp_path / "workspace", ignore=shutil.ignore_patterns("submissions"))


@pytest.fixture
def folders(workspace: Path) -> Folders:
    return Folders.in_workspace(workspace)


@pytest.fixture
def ranked(folders: Folders, made_once: Path) -> Folders:
    """With a submission of each ranker for each data id."""
    shutil.copytree(made_once / "submissions", folders.submission_folder)
    return folders


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    without_pictures(monkeypatch)


@pytest.fixture
def one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """`run` makes the baselines in this process, which takes a tenth of the time; test_cli.py has the other."""
    monkeypatch.setattr(
        "evaluation.commands.run.run_apart",
        lambda name, options: import_module(f"evaluation.commands.{name}").run(options),
    )


@pytest.fixture(scope="session")
def nothing_in_cleanlab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PYTHONPATH: with it, a process that makes baselines starts in half of the time.

    It would import cleanlab and with it scikit-learn, so that no ranker's time includes that.
    """
    place = tmp_path_factory.mktemp("python")
    (place / "cleanlab").mkdir()
    (place / "cleanlab" / "__init__.py").touch()
    (place / "cleanlab" / "filter.py").touch()
    return place


@pytest.fixture
def no_cleanlab(made_once: Path, nothing_in_cleanlab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that start processes whose rankers do without cleanlab, which this one has imported for `made_once`."""
    monkeypatch.syspath_prepend(nothing_in_cleanlab)
    monkeypatch.setenv("PYTHONPATH", str(nothing_in_cleanlab), prepend=os.pathsep)


@pytest.fixture(scope="session")
def dataperf() -> Path:
    """The challenge's own files, where they are."""
    place = SHARED / "dataperf"
    if not place.is_dir():
        pytest.skip(f"the shared DataPerf data is not at {place} (set FIXFIRST_SHARED)")
    return place


@pytest.fixture(scope="session")
def vectors() -> dict:
    """Exact values of the sister tasks' metrics."""
    path = SHARED / "vectors" / "task_metrics.json"
    if not path.exists():
        pytest.skip(f"the shared vectors are not at {path} (set FIXFIRST_SHARED)")
    return json.loads(path.read_text())


@pytest.fixture(scope="session")
def mlcube_command(tmp_path_factory) -> Path:
    """`make mlcube` in a folder of its own; skipped where the packages cannot be had (no network)."""
    place = tmp_path_factory.mktemp("mlcube") / "env"
    uv = Path(sys.executable).with_name("uv")
    by_uv = [
        f"MLCUBE_VENV={uv} venv --quiet --python={sys.executable}",
        f"MLCUBE_PIP={uv} pip install --quiet --system-certs --python={place}/bin/python",
    ]
    command = ["make", "-s", "mlcube", f"MLCUBE={place}", f"PYTHON={sys.executable}"]
    done = subprocess.run([*command, *(by_uv if uv.exists() else [])], cwd=ROOT, capture_output=True, text=True)
    if done.returncode and uv.exists():  # uv has its own settings for mirrors
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode and re.search("No matching distribution|Connection", done.stderr):
        pytest.skip("mlcube cannot be installed without a network")
    assert done.returncode == 0, done.stderr
    return place / "bin" / "mlcube"
