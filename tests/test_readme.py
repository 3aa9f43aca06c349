"""Every command of the README is run, in the order it stands there, in a fresh copy of the workspace."""

import re
import shlex

import pytest

from evaluation.cli import main
from tests.support import ROOT

COMMAND = re.compile(r"^fixfirst [^#\n]+", re.MULTILINE)


def commands(path):
    blocks = re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in COMMAND.findall(block)]


@pytest.mark.slow
def test_the_commands_of_the_readme_work(tmp_path, monkeypatch, capsys):
    found = commands(ROOT / "README.md")
    assert {"download", "create_baselines", "evaluate", "plot"} <= {command[0] for command in found}
    (tmp_path / "workspace").mkdir()
    text = (ROOT / "workspace" / "parameters.yaml").read_text()
    one_draw = re.sub(r"draws: \[0,[^]]*\]", "draws: [0]", text)
    (tmp_path / "workspace" / "parameters.yaml").write_text(one_draw)
    monkeypatch.chdir(tmp_path)
    for command in found:
        status = main(command)
        out, err = capsys.readouterr()
        assert status == 0 or command[0] == "doctor", (command, out, err)


def test_the_ranker_of_the_workspaces_readme_works(tmp_path, workspace, capsys):
    code = re.search(r"```python\n(.*?)```", (ROOT / "workspace" / "rankers" / "README.md").read_text(), re.DOTALL)
    (workspace / "rankers").mkdir()
    (workspace / "rankers" / "mine.py").write_text(code[1])
    text = (workspace / "parameters.yaml").read_text()
    (workspace / "parameters.yaml").write_text(text.replace("- random", "- mine"))
    assert main(["create_baselines", f"--workspace={workspace}"]) == 0
    assert (workspace / "submissions" / "blobs_mine.txt").exists()


def test_links_of_the_pages_lead_somewhere():
    for page in ROOT.glob("*.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (ROOT / target).exists(), (page.name, target)


def test_the_two_commands_are_make_targets():
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
        assert f"make {target}" in (ROOT / "README.md").read_text()
