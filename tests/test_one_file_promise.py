"""A ranker, a data set and a task are one file each: done here, in a copy of the project, with nothing else touched."""

import csv
import os
import shutil
import subprocess
import sys

import pytest

from tests.support import ROOT, noisy_blobs, write_dataset, write_parameters

RANKER = '''"""Norm of the embedding."""
import numpy as np

def rank(train, validation, *, rng):
    return np.linalg.norm(train.features, axis=1)
'''

TASK = '''"""How many lines a submission has."""
from evaluation.files import read_text, sha256_file
from evaluation.metrics import Metric
from evaluation.task import Case, Outcome, Task


def load(folders, parameters):
    return [
        Case("text", path.stem, 0, path, sha256_file(path), "none", {}, folders)
        for path in sorted(folders.submission_folder.glob("*.lines"))
    ]


def score(case, step):
    return Outcome({"lines": float(len(read_text(case.path).splitlines()))}, {"n_truth": 1})


TASK = Task(
    name="lines", version=1, suffixes=(".lines",),
    main=Metric("lines", "lines", greater_is_better=True, limits=(0, None)), others=(),
    load=load, score=score, validate=lambda path, folders, parameters: "fine", figures=lambda records: iter(()),
    publish=lambda records, folders, parameters: None,
)
'''


@pytest.fixture
def project(tmp_path):
    for room in ("cleaning", "baselines", "evaluation"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    workspace = tmp_path / "workspace"
    write_parameters(workspace, rankers=["norm"], datasets={"made": {"ids": ["blobs"]}})
    write_dataset(workspace, *noisy_blobs("blobs", n=30))
    return tmp_path


def fixfirst(project, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(project), "COVERAGE_PROCESS_START": ""}
    done = subprocess.run(
        [sys.executable, "-m", "evaluation.cli", *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def methods(project, task):
    with (project / "workspace" / "results" / "leaderboard.csv").open() as file:
        return [row["method"] for row in csv.DictReader(file) if row["task"] == task]


@pytest.mark.parametrize("place", ["baselines", "workspace/rankers"])
def test_a_ranker_is_one_file(project, place):
    (project / place).mkdir(exist_ok=True)
    (project / place / "norm.py").write_text(RANKER)
    assert "  norm: Norm of the embedding." in fixfirst(project, "ls")
    fixfirst(project, "run")
    assert methods(project, "cleaning") == ["norm"]


def test_a_data_set_is_one_block(project):
    (project / "baselines" / "norm.py").write_text(RANKER)
    path = project / "workspace" / "parameters.yaml"
    block = "datasets:\n  more: {sources: 'sklearn:digits', noise: {kind: symmetric, rate: 0.1}}\n"
    path.write_text(path.read_text().replace("datasets:\n", block))
    fixfirst(project, "run")
    names = {p.name for p in (project / "workspace" / "results").glob("*_evaluation.png")}
    assert names == {"blobs_evaluation.png", "more-0_evaluation.png"}


def test_a_task_is_one_file(project):
    (project / "evaluation" / "tasks" / "lines.py").write_text(TASK)
    (project / "workspace" / "submissions").mkdir()
    (project / "workspace" / "submissions" / "three.lines").write_text("a\nb\nc\n")
    (project / "workspace" / "parameters.yaml").write_text("tasks: [lines]\n")
    assert "  lines: How many lines a submission has." in fixfirst(project, "ls")
    fixfirst(project, "evaluate")
    assert "lines (higher is better)" in fixfirst(project, "plot")
    assert methods(project, "lines") == ["three"]
    assert "1  three" in fixfirst(project, "leaderboard", "--task=lines")
    assert (project / "workspace" / "results" / "lines_overview.svg").exists()
