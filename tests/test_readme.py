"""Every command of the pages is run, in the order it stands there, in a fresh copy of the workspace."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from evaluation.cli import main
from evaluation.contract.record import latest, read_records
from evaluation.harness.judging import stage
from evaluation.sandbox.bare import Bare
from evaluation.sandbox.bwrap import Bwrap
from evaluation.sandbox.selftest import checked
from tests.evaluation.labels.decided import decide
from tests.support import ROOT, noisy_blobs, with_plain_encoder, write_dataset, write_parameters

COMMAND = re.compile(r"^fixfirst [^#\n]+", re.MULTILINE)


def commands(path):
    blocks = re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL)
    return [shlex.split(line)[1:] for block in blocks for line in COMMAND.findall(block)]


@pytest.mark.slow
@pytest.mark.usefixtures("no_pictures")
def test_the_commands_of_the_benchmark_work(tmp_path, monkeypatch, capsys):
    found = commands(ROOT / "BENCHMARK.md")
    four = ["download", "create_baselines", "evaluate", "plot"]
    assert [command[0] for command in found[:4]] == four
    assert [command[0] for command in commands(ROOT / "README.md")] == four
    (tmp_path / "workspace").mkdir()
    text = (ROOT / "workspace" / "parameters.yaml").read_text()
    one_draw = re.sub(r"draws: \[0,[^]]*\]", "draws: [0]", text)
    one_draw = one_draw.replace("  digits-symmetric:\n", "  digits-symmetric:\n    enabled: false\n")
    (tmp_path / "workspace" / "parameters.yaml").write_text(one_draw)
    monkeypatch.chdir(tmp_path)
    for command in found:
        status = main(command)
        out, err = capsys.readouterr()
        assert status == 0 or command[0] == "doctor", (command, out, err)


@pytest.mark.slow
def test_the_commands_of_the_organisers_work(tmp_path, monkeypatch, capsys):
    """In bubblewrap where it holds, else without a sandbox."""
    found = commands(ROOT / "ORGANISERS.md")
    assert [command[0] for command in found] == [
        *("submit", "submit", "leaderboard", "evaluate"),
        *("rehearse", "submit", "judge"),
    ]
    for folder, data_id in (("workspace", "digits-symmetric-0"), ("hidden", "blobs")):
        write_parameters(tmp_path / folder, datasets={"made": {"ids": [data_id]}})
        write_dataset(tmp_path / folder, *noisy_blobs(data_id, n=30))
    for path, name in (("mail", "digits-symmetric-0.txt"), ("inbox", "digits-symmetric-0_theirs.txt")):
        (tmp_path / path).mkdir()
        (tmp_path / path / name).write_text("".join(f"{row}\n" for row in range(30)))
    (tmp_path / "my_ranker.py").write_text("def rank(train, validation, *, rng):\n    return train.features[:, 0]\n")
    monkeypatch.chdir(tmp_path)
    engine = Bwrap() if checked(Bwrap()).reason is None else Bare()
    monkeypatch.setattr(stage, "engine_for", lambda code, **_: (engine, code))
    for command in found:
        assert main(command) == 0, (command, *capsys.readouterr())
    records = latest(read_records(tmp_path / "workspace" / "results" / "results.jsonl"))
    assert [(one.method, one.division) for one in records] == [("ours", "closed"), ("theirs", "open")]
    assert [one.method for one in read_records(tmp_path / "hidden" / "results" / "results.jsonl")] == ["ours"]


def digits(wrong=8, rows=200):
    """The first digits of scikit-learn, some of them labelled as the digit before."""
    features, labels = load_digits(return_X_y=True)
    given = labels[:rows].copy()
    given[:wrong] = (given[:wrong] + 9) % 10
    return features[:rows], given, labels[:rows]


def test_the_commands_for_own_labels_work(tmp_path, monkeypatch, capsys):
    with_plain_encoder(monkeypatch)
    for row, (pixels, label) in enumerate(zip(*digits()[:2], strict=True)):
        folder = tmp_path / "photos" / f"digit {label}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray((pixels.reshape(8, 8) * 15).astype(np.uint8)).save(folder / f"{row:03d}.png")
    monkeypatch.chdir(tmp_path)
    *found, decisions = commands(ROOT / "OWN_DATA.md")
    assert [command[0] for command in found] == ["rank", "review", "apply", "rank"]
    assert decisions[0] == "decisions"  # the test below runs it
    for command in found:
        if command[0] == "apply":  # somebody has looked at the first suspect
            decide(Path("photos_review"), {0: "=digit 4"})
        if command[0] == "review":  # without a server
            command.append("--static=page.html")
        assert main(command) == 0, (command, *capsys.readouterr())
    assert (tmp_path / "page.html").exists()
    assert (
        len(list((tmp_path / "clean" / "digit 4").iterdir()))
        == len(list((tmp_path / "photos" / "digit 4").iterdir())) + 1
    )


def test_what_the_page_says_of_decisions_works(tmp_path, monkeypatch, capsys):
    """The csv, the command and the line of the log; only the hash is that of the row here."""
    page = (ROOT / "OWN_DATA.md").read_text()
    table, line = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL)[1] for kind in ("csv", "json"))
    command = shlex.split(re.search(r"^fixfirst (decisions mine\.csv .*)$", page, re.MULTILINE)[1], comments=True)
    monkeypatch.chdir(tmp_path)
    X = np.random.default_rng(0).normal(size=(60, 4))
    rows = [f"photo {row},{','.join(map(str, X[row]))},{('dog', 'cat')[row % 2]}" for row in range(60)]
    Path("photos.csv").write_text("\n".join(["id,a,b,c,d,label", *rows]) + "\n")
    assert main(["rank", "photos.csv"]) == 0
    Path("mine.csv").write_text(table)
    assert main(command) == 0, capsys.readouterr().err
    log = Path("photos_review/decisions.jsonl").read_text().splitlines()
    assert [json.loads(one)["verdict"] for one in log] == ["label", "keep", "drop"]
    assert json.loads(line).keys() <= json.loads(log[0]).keys()
    Path("theirs.jsonl").write_text(json.dumps(json.loads(line) | {"hash": json.loads(log[0])["hash"]}) + "\n")
    assert main(["decisions", "theirs.jsonl", "--review=photos_review"]) == 0, capsys.readouterr().err
    assert "1 decision added" in capsys.readouterr().out


def test_the_python_of_the_pages_works():
    features, given, truth = digits()
    for page in ("README", "OWN_DATA"):
        code = "\n".join(re.findall(r"```python\n(.*?)```", (ROOT / f"{page}.md").read_text(), re.DOTALL))
        code = code.replace('["cat", "dog"]', "[4, 5]")
        labels = {"X": features[50:], "y": given[50:], "labels": given[50:], "features": features[50:]}
        sure = {"X_checked": features[:50], "y_checked": truth[:50]}
        trusted = {"trusted_features": features[:50], "trusted_labels": truth[:50]}
        names = {**labels, **sure, **trusted}
        exec(code, names)
        assert names["y"][[3, 17]].tolist() == [4, 5]


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


def test_the_table_of_the_readme_is_that_of_the_results():
    readme = (ROOT / "README.md").read_text().splitlines()
    lines = [line for line in readme if re.match(r"\| (`|every|the order)", line)]
    assert len(lines) == 11
    peers = (ROOT / "tests" / "study" / "results" / "peers.md").read_text().splitlines()
    lines += [line for line in peers if line.startswith("|")]
    assert set(lines) <= set((ROOT / "RESULTS.md").read_text().splitlines())


def test_the_two_commands_are_make_targets():
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
        assert f"make {target}" in (ROOT / "README.md").read_text()
