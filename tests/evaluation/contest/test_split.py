"""Public and private: every submission is scored three ways, and the parts can neither overlap nor be empty."""

import json
import re

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from evaluation.cli import main
from evaluation.contest.split import hashed
from evaluation.contract.record import read_records
from tests.support import write_parameters

CLIPS = [f"c{number}" for number in range(10)]
FILES = [f"{number}.png" for number in range(10)]
QUERIES = [f"q{number}" for number in range(10)]


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def contest(tmp_path):
    """Ten units a task (five of them a data set of zero_shot); the submissions err on the last three of each."""
    split = {"public": 0.4, "salt": "pepper"}
    names = ("zero_shot", "image_retrieval", "logo", "camera_trap")
    write_parameters(tmp_path, tasks=list(names), datasets={n: {"task": n, "ids": [n], "split": split} for n in names})
    data, sent = tmp_path / "data", tmp_path / "submissions"
    sets = {d: {f"{d}{number}": number % 2 for number in range(5)} for d in ("u", "v")}
    put(data / "zero_shot" / "truth.json", json.dumps(sets))
    for d in sets:
        put(data / "zero_shot" / d / "classes.json", '["even", "odd"]')
    wrong = {d: {i: c if int(i[1]) < 3 else 1 - c for i, c in images.items()} for d, images in sets.items()}
    put(sent / "zero_shot_mine.json", json.dumps(wrong))
    truth = {
        "query": {q: f"p{q[1]}" for q in QUERIES},
        "reference": {f"r{number}": f"p{number}" for number in range(10)},
    }
    put(data / "image_retrieval" / "truth.json", json.dumps(truth))
    lists = [[0, [q, [f"r{(int(q[1]) + (int(q[1]) > 6)) % 10}"]]] for q in QUERIES]
    put(sent / "image_retrieval_mine.json", json.dumps(lists))
    put(data / "logo" / "test_labels.csv", "file,category\n" + "".join(f"{f},{'ab'[int(f[0]) % 2]}\n" for f in FILES))
    put(
        sent / "logo_mine.csv",
        "file,category\n" + "".join(f"{f},{'ab'[int(f[0]) % 2] if int(f[0]) < 7 else 'a'}\n" for f in FILES),
    )
    put(data / "camera_trap" / "test_labels.csv", "filename,bird\n" + "".join(f"{c},1\n" for c in CLIPS))
    put(sent / "camera_trap_mine.csv", "filename,bird\n" + "".join(f"{c},{0.1 * (int(c[1]) + 1):.1f}\n" for c in CLIPS))
    return tmp_path


def change(workspace, **splits):
    content = yaml.safe_load((workspace / "parameters.yaml").read_text())
    for name, split in splits.items():
        content["datasets"][name].pop("split")
        if split is not None:
            content["datasets"][name]["split"] = split
    write_parameters(workspace, **content)


def evaluated(workspace, capsys, status=0):
    assert main(["evaluate", f"--workspace={workspace}"]) == status
    capsys.readouterr()
    return {record.task: record for record in read_records(workspace / "results" / "results.jsonl")}


def test_the_parts_make_up_the_whole(contest, capsys):
    found = evaluated(contest, capsys)
    for name, metric in (("zero_shot", "accuracy"), ("image_retrieval", "map_at_1000"), ("camera_trap", "log_loss")):
        record = found[name]
        parts = [record.boards[part] for part in ("public", "private")]
        n = [part.denominators["n_truth"] for part in parts]
        assert n == [4, 6]
        mean = sum(part.metrics[metric] * size for part, size in zip(parts, n, strict=True)) / 10
        assert mean == pytest.approx(record.metrics[metric], abs=1e-12)
        assert set(parts[0].metrics) == set(record.metrics)
        assert set(parts[0].denominators) == set(record.denominators)
    logo = found["logo"]
    assert [logo.boards[part].denominators["n_truth"] for part in ("public", "private")] == [4, 6]
    assert found["zero_shot"].boards["public"].denominators["n_datasets"] == 2


def test_a_given_list_decides(contest, capsys):
    place = contest / "data"
    put(place / "camera_trap" / "open.txt", "c0\nc9\n")
    put(place / "logo" / "open.txt", "7.png\n9.png\n")
    change(contest, camera_trap={"file": "open.txt"}, logo={"file": "open.txt"})
    found = evaluated(contest, capsys)
    assert found["camera_trap"].boards["public"].metrics["log_loss"] == pytest.approx(-np.log(0.1) / 2)
    assert found["logo"].boards["public"].metrics["f2_micro"] == 0
    put(place / "camera_trap" / "open.txt", "c9\n")
    again = evaluated(contest, capsys)["camera_trap"]
    assert again.fingerprint != found["camera_trap"].fingerprint
    assert again.boards["public"].metrics["log_loss"] == pytest.approx(0, abs=1e-12)


def test_another_salt_is_another_split(contest, capsys):
    first = evaluated(contest, capsys)["image_retrieval"]
    change(contest, image_retrieval={"public": 0.4, "salt": "cumin"})
    second = evaluated(contest, capsys)["image_retrieval"]
    assert second.fingerprint != first.fingerprint
    assert second.metrics == first.metrics


def test_only_retrieval_is_split_unless_asked(contest, capsys):
    change(contest, **dict.fromkeys(("zero_shot", "image_retrieval", "logo", "camera_trap")))
    found = evaluated(contest, capsys)
    assert {name for name, record in found.items() if record.boards} == {"image_retrieval"}
    assert found["image_retrieval"].boards["public"].denominators["n_truth"] == 5
    content = yaml.safe_load((contest / "parameters.yaml").read_text())
    content["datasets"]["image_retrieval"]["split"] = {"enabled": False}
    write_parameters(contest, **content)
    assert evaluated(contest, capsys)["image_retrieval"].boards == {}


@pytest.mark.parametrize(
    ("listed", "message"),
    [
        ("", "the public part of its 10 ids is empty"),
        ("".join(f"{c}\n" for c in CLIPS), "the private part of its 10 ids is empty"),
        ("c1\nc77\n", r"open.txt: some ids are not in the ground truth \(1 in all: c77\)"),
        ("c1\nc1\n", "open.txt, line 2: 'c1' appears twice"),
        (None, "open.txt: cannot read the file"),
    ],
)
def test_a_bad_list_is_one_clear_error(contest, capsys, listed, message):
    if listed is not None:
        put(contest / "data" / "camera_trap" / "open.txt", listed)
    change(contest, camera_trap={"file": "open.txt"})

    assert re.search(message, evaluated(contest, capsys, status=1)["camera_trap"].error)


def test_a_share_too_small_for_a_data_set_names_it(contest, capsys):
    change(contest, zero_shot={"public": 0.01})
    error = evaluated(contest, capsys, status=1)["zero_shot"].error
    assert "zero_shot, u: the public part of its 5 ids is empty" in error


@pytest.mark.parametrize(
    ("split", "message"),
    [
        ("{public: 0.5, file: a.txt}", "give either"),
        ("{salt: a}", "give either"),
        ("{file: ../a.txt}", "not the name of a file"),
        ("{file: a.txt, salt: b}", "`salt` needs"),
        ("{public: 1.5}", "split.public: .*less than 1"),
        ("{publik: 0.5}", "did you mean public"),
    ],
)
def test_a_bad_split_in_the_parameters_is_located(tmp_path, capsys, split, message):
    put(
        tmp_path / "parameters.yaml",
        f"datasets:\n  a: {{task: logo, ids: [x]}}\n  b: {{task: logo, ids: [y], split: {split}}}\n",
    )
    assert main(["evaluate", f"--workspace={tmp_path}"]) == 1
    err = capsys.readouterr().err
    assert "parameters.yaml, line 3" in err

    assert re.search(message, err)


def test_the_cleaning_task_cannot_be_split(workspace, capsys):
    write_parameters(workspace, datasets={"made": {"ids": ["blobs"], "split": {"public": 0.5}}})
    assert main(["evaluate", f"--workspace={workspace}"]) == 1
    assert "datasets.made.split: the task cleaning does not split its test rows" in capsys.readouterr().err


@given(st.lists(st.text(max_size=5), unique=True, min_size=2), st.floats(0.01, 0.99), st.text(max_size=4))
def test_the_hashed_share_is_exact_and_forgets_the_order(names, share, salt):
    chosen = hashed(names, share, salt)
    assert abs(len(chosen) - share * len(names)) <= 0.5 + 1e-9
    assert hashed(sorted(names, reverse=True), share, salt) == chosen
