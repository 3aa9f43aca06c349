"""Fixtures: a project like ours, with a small workspace, to run the real mlcube on."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import ROOT, noisy_blobs, write_dataset, write_parameters


@dataclass
class Cube:
    """A project with our code and a small workspace, and a method to run mlcube on it."""

    root: Path
    command: Path
    engine_log: Path
    nothing_in_cleanlab: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        tools = self.engine_log.parent / "bin"
        environment = {
            **os.environ,
            "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": f"{self.root}:{self.nothing_in_cleanlab}",
            "MLCUBE_SYSTEM_SETTINGS": str(self.engine_log.with_name("settings.yaml")),
            "STAND_IN_LOG": str(self.engine_log),
            "STAND_IN_PROJECT": str(self.root),
        }
        return subprocess.run(
            [str(self.command), "run", *arguments], cwd=self.root, env=environment, capture_output=True, text=True
        )

    @property
    def engine_calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self.engine_log.read_text().splitlines()]


@pytest.fixture
def cube(tmp_path, mlcube_command, nothing_in_cleanlab) -> Cube:
    root = tmp_path / "project"
    root.mkdir()
    for name in ("cleaning", "baselines", "evaluation", "mlcube"):
        (root / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "mlcube.yaml", root)
    write_parameters(root / "workspace", datasets={"made": {"ids": ["blobs"]}})
    (root / "workspace" / "rankers").mkdir()
    write_dataset(root / "workspace", *noisy_blobs("blobs", n=30))
    tools = tmp_path / "bin"
    tools.mkdir()
    # the stand-in engine runs with our Python, which has the packages that the entry point needs
    (tools / "docker").write_text(f"#!{sys.executable}\n" + (ROOT / "tests/mlcube/stand_in_engine.py").read_text())
    (tools / "docker").chmod(0o755)
    (tools / "fixfirst").write_text("")
    (tools / "fixfirst").chmod(0o755)
    (tools / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (tools / "python").chmod(0o755)
    return Cube(root, mlcube_command, tmp_path / "engine.jsonl", nothing_in_cleanlab)
