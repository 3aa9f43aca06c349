import importlib.metadata
import sys

import pytest

from evaluation.cli import main
from evaluation.commands import doctor as module
from evaluation.sandbox.selftest import Checked
from evaluation.settings.folders import Folders


@pytest.fixture
def installed(monkeypatch):
    """As if fixfirst were installed with what it needs, whatever environment the tests run in."""
    monkeypatch.setattr(module, "_requirements", lambda: ["numpy>=2", "gdown>=6; extra == 'drive'"])
    monkeypatch.setattr(module.shutil, "which", lambda _name: None)
    monkeypatch.setattr(module, "_answers", lambda _command: True)


@pytest.fixture
def run(capsys):
    def called(folders):
        status = main(["doctor", f"--parameters_file={folders.parameters_file}"])
        return status, capsys.readouterr().out

    return called


def test_a_fit_machine_has_no_problems(folders, installed, run):
    problems, out = run(folders)
    assert problems == 0
    assert "Everything needed is in place." in out
    assert "2 data ids enabled" in out
    assert "No container engine" in out


def test_in_the_image_what_is_outside_is_not_looked_for(folders, installed, monkeypatch, run):
    monkeypatch.setenv("FIXFIRST_IN_IMAGE", "1")
    problems, out = run(folders)
    assert problems == 0
    assert "This is the cube's own image" in out
    assert "mlcube is not" not in out
    assert "No container engine" not in out


def test_missing_packages_are_named(folders, installed, monkeypatch, run):
    monkeypatch.setattr(module, "_requirements", lambda: ["surely-not-installed>=1", "numpy"])
    assert "Packages are missing: surely-not-installed." in run(folders)[1]
    monkeypatch.setattr(module, "_requirements", lambda: ["numpy"])
    monkeypatch.setattr(module, "_answers", lambda _command: False)
    assert "`pip check` found" in run(folders)[1]

    def absent():
        raise importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(module, "_requirements", absent)
    problems, out = run(folders)
    assert problems == 1
    assert "fixfirst is not installed" in out


def test_foreign_packages_named_like_ours_are_found(folders, installed, tmp_path, monkeypatch, run):
    (tmp_path / "evaluation.py").write_text("")
    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines" / "__init__.py").write_text("")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    problems, out = run(folders)
    assert problems == 1
    assert out.endswith("Problems to solve: 2.\n")
    assert f"A foreign package named 'baselines' is in {tmp_path}" in out


def test_paths_with_spaces_and_unwritable_ones_are_told(folders, installed, tmp_path, monkeypatch, run):
    place = tmp_path / "my workspace"
    place.mkdir()
    (place / "parameters.yaml").write_text(folders.parameters_file.read_text())
    problems, out = run(Folders.in_workspace(place))
    assert problems == 0
    assert "contains a space" in out
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    problems, out = run(folders)
    assert problems == 1
    assert "is not writable" in out


def test_bad_parameters_are_a_problem(folders, installed, run):
    folders.parameters_file.write_text("sead: 1\n")
    problems, out = run(folders)
    assert problems == 1
    assert "did you mean seeds" in out


def test_engines_and_mlcube_are_asked(folders, installed, monkeypatch, run):
    monkeypatch.setattr(module.shutil, "which", lambda name: f"/usr/bin/{name}")
    out = run(folders)[1]
    assert "docker is running" in out
    assert "mlcube is on the path" in out
    monkeypatch.setattr(module, "_answers", lambda command: "info" not in command)
    assert "docker is installed but not running" in run(folders)[1]


def test_a_command_that_is_not_there_does_not_answer(run):
    assert module._answers([sys.executable, "-c", ""])
    assert not module._answers([sys.executable, "-c", "raise SystemExit(3)"])
    assert not module._answers(["surely-no-such-command"])


def test_what_is_installed_is_looked_up(run):
    assert module._is_installed("numpy")
    assert not module._is_installed("surely-not-installed")


def test_the_sandboxes_are_shown(folders, installed, monkeypatch, run):
    out = run(folders)[1]
    assert "note    The sandbox bwrap is not used: bwrap and prlimit" in out
    assert "run only your own code, with --trust" in out
    for reason, shown in (("is the daemon running?", "running?\n"), ("it broke.", "broke.\n"), ("broken", "broken.\n")):
        monkeypatch.setattr("evaluation.sandbox.selftest.checked", lambda engine, why=reason: Checked(engine, why))
        assert f"The sandbox bwrap is not used: {reason.split()[0]}" in (out := run(folders)[1])
        assert shown in out
    monkeypatch.setattr("evaluation.sandbox.selftest.checked", lambda engine: Checked(engine, None))
    out = run(folders)[1]
    assert "ok      The sandbox bwrap holds: a test program could not get out." in out
    assert "--trust" not in out
