"""The tiny examples do what their README.txt says."""

import re
import shlex

import pytest
import yaml

from evaluation.cli import main
from evaluation.contract import registry


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out, err


def test_every_task_has_an_example():
    assert set(registry.examples()) == set(registry.tasks())


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("name", list(registry.tasks()))
def test_what_the_readme_of_an_example_says_happens(name, tmp_path, capsys):
    place = tmp_path / "it is here"
    status, out, _ = run(capsys, "example", name, f"--output={place}")
    assert status == 0
    assert (place / "README.txt").read_text() in out
    assert list(tmp_path.iterdir()) == [place]
    text = (place / "README.txt").read_text()
    commands = re.findall(r"^  fixfirst (.*)\n(?:    (.*)\n)?", text, re.MULTILINE)
    assert [command.split()[0] for command, _ in commands] == [
        "validate",
        "validate",
        "evaluate",
        "leaderboard",
        "plot",
    ]
    for number, (command, answer) in enumerate(commands):
        status, out, err = run(capsys, *shlex.split(command))
        assert status == (1 if number == 1 else 0), command
        assert answer in out + err
    broken = next((place / "broken").iterdir())
    assert f"not valid: {broken}, " in commands[1][1], "the place in the file is named"
    assert (place / "results" / "report.html").exists()
    assert yaml.safe_load((place / "parameters.yaml").read_text())["tasks"] == [name]


def test_nothing_is_written_over(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "example", "logo")[0] == 0
    before = sorted(path for path in tmp_path.rglob("*"))
    status, _, err = run(capsys, "example", "logo")
    assert status == 1
    assert "example_logo: it already exists and is not an empty folder. Fix: choose a new folder with --output" in err
    (tmp_path / "file").write_text("mine")
    assert run(capsys, "example", "logo", "--output=file")[0] == 1
    assert (tmp_path / "file").read_text() == "mine"
    assert sorted(path for path in tmp_path.rglob("*") if path.name != "file") == before
    (tmp_path / "empty").mkdir()
    assert run(capsys, "example", "logo", "--output=empty")[0] == 0


def test_an_unknown_task_is_answered_with_the_nearest(tmp_path, capsys):
    status, _, err = run(capsys, "example", "logos", f"--output={tmp_path / 'x'}")
    assert status == 1
    assert "did you mean logo" in err
    assert not (tmp_path / "x").exists()
