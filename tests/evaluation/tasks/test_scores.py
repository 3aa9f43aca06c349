"""The sister tasks: exact values, peers, and every way a submission has been wrong before."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import InvalidInput
from evaluation.cli import main
from evaluation.contract.loading import load_parameters
from evaluation.contract.registry import task
from evaluation.submissions.ranked_lists import write_npz
from evaluation.tasks.camera_trap.task import class_log_loss
from evaluation.tasks.logo.task import averages, f_beta
from evaluation.tasks.zero_shot.task import mean_accuracy
from tests.support import write_parameters

NAMES = ("zero_shot", "image_retrieval", "logo", "camera_trap")


def test_zero_shot_f2_and_log_loss_equal_the_vectors(vectors):
    case = vectors["zero_shot"]
    assert mean_accuracy(case["gt"], case["pred"])[0] == Fraction(case["score"])
    case = vectors["f2"]
    truth, given_ = ({str(n): label for n, label in enumerate(case[key])} for key in ("true", "pred"))
    assert f_beta(truth, given_, "abc") == {k: Fraction(v) for k, v in case["per_class"].items()}
    assert averages(truth, given_, "abc") == {k: Fraction(case[k]) for k in ("macro", "micro", "weighted")}
    absent = averages(truth, given_, "abcd")["macro"]
    assert absent == Fraction(case["absent_class_in_label_set_abcd_zero_division_0"])
    case = vectors["logloss"]
    assert class_log_loss(np.array(case["Y"]), np.array(case["P"])).mean() == pytest.approx(case["value"], abs=1e-15)
    extremes = class_log_loss(np.array([[1, 0]]), np.array([[0.0, 1.0]]))
    assert extremes.tolist() == [case["p0_on_positive_eps1e-15"], case["p1_on_negative_eps1e-15"]]


def test_log_loss_does_not_depend_on_the_precision_of_the_input():
    truth = np.array([[1, 0]])
    for kind in (np.float16, np.float32, np.float64):
        assert class_log_loss(truth, np.array([[0, 1]], kind)).mean() == pytest.approx(34.5391761936, abs=1e-9)


TRUTH = {
    "zero_shot": {
        "truth.json": json.dumps({"d1": {"a": 0, "b.c": 1}, "d2": {"x": 1}}),
        "d1/classes.json": '["u", "v"]',
        "d2/classes.json": '["u", "v", "w"]',
    },
    "image_retrieval": {
        "truth.json": json.dumps({"query": {"q1": "A", "q2": "B"}, "reference": {"r1": "A", "r2": "A", "r3": "B"}})
    },
    "logo": {"test_labels.csv": "file,category\n1.png,a\n1.jpg,b\n2.png,a\n", "labels.txt": "a\nb\nother\n"},
    "camera_trap": {"test_labels.csv": "filename,bird,blank\nc1,1,0\nc2,0,1\n"},
}
GOOD = {
    "zero_shot": '{"d1": {"a": 0, "b.c": 0}, "d2": {"x": 1}}',
    "image_retrieval": '[[7, ["q1", ["r1", "r3", "r2"]]], [8, ["q2", ["r3"]]]]',
    "logo": "file,category\n1.png,a\n1.jpg,b\n2.png,b\n",
    "camera_trap": "filename,blank,bird\nc2,0.75,0.25\nc1,0.5,0.5\n",
}
SCORE = {
    "zero_shot": 75.0,
    "image_retrieval": (float(Fraction(1, 2) * (1 + Fraction(2, 3))) + 1) / 2,
    "logo": float((Fraction(5, 9) + Fraction(5, 6) + 0) / 3),
    "camera_trap": -(2 * np.log(0.75) + 2 * np.log(0.5)) / 4,
}
SUFFIX = {"zero_shot": ".json", "image_retrieval": ".json", "logo": ".csv", "camera_trap": ".csv"}


def make_contest(workspace):
    """One small data id for each sister task and a good submission to each."""
    blocks = {name: {"task": name, "ids": [f"id-{name}"]} for name in NAMES}
    write_parameters(workspace, tasks=list(NAMES), datasets=blocks)
    for name in NAMES:
        for file, text in TRUTH[name].items():
            path = workspace / "data" / f"id-{name}" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        submit(workspace, name, GOOD[name])
    return workspace


@pytest.fixture
def sister(tmp_path):
    return make_contest(tmp_path)


def submit(workspace, name, text, method="mine") -> Path:
    path = workspace / "submissions" / f"id-{name}_{method}{SUFFIX[name]}"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def run(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out, err


def records(workspace):
    lines = (workspace / "results" / "results.jsonl").read_text().splitlines()
    return {record["task"]: record for record in map(json.loads, lines)}


def test_all_tasks_are_scored_drawn_and_listed(sister, capsys):
    (sister / "submissions" / "id-logo_mine.seconds").write_text("2.5\n")
    assert run(capsys, "evaluate", f"--workspace={sister}")[0] == 0
    found = records(sister)
    for name in NAMES:
        assert found[name]["metrics"][task(name).main.name] == pytest.approx(SCORE[name], abs=1e-12)
        assert found[name]["denominators"]["n_missing"] == 0
    assert found["logo"]["seconds"] == 2.5
    status, out, _ = run(capsys, "plot", f"--workspace={sister}")
    assert status == 0
    for name in NAMES:
        assert (sister / "results" / f"{name}_overview.png").exists()
        assert (sister / "results" / f"id-{name}_evaluation.svg").exists()
        assert f"{task(name).main.name} (" in out
    assert "4 submissions" not in run(capsys, "evaluate", f"--workspace={sister}")[1]


def test_lists_as_npz_score_as_the_text_does(sister, capsys):
    path = submit(sister, "image_retrieval", GOOD["image_retrieval"])
    ranks = np.array([[2, -1, -1], [0, 2, 1]], dtype=np.int32)
    write_npz(path.with_suffix(".npz"), ("q2", "q1"), ("r1", "r2", "r3"), ranks)
    status, _, err = run(capsys, "evaluate", f"--workspace={sister}")
    assert status == 1
    assert "id-image_retrieval_mine.npz: id-image_retrieval_mine.json is by the same method" in err
    before = records(sister)["image_retrieval"]["metrics"]
    path.unlink()
    assert run(capsys, "evaluate", f"--workspace={sister}")[0] == 0
    assert records(sister)["image_retrieval"]["metrics"] == before


def test_other_seeds_lie_in_folders_of_their_own(sister, capsys):
    (sister / "submissions" / "seed-3").mkdir()
    path = submit(sister, "logo", GOOD["logo"])
    (sister / "submissions" / "seed-3" / path.name).write_text(TRUTH["logo"]["test_labels.csv"])
    assert run(capsys, "evaluate", f"--workspace={sister}")[0] == 0
    lines = (sister / "results" / "results.jsonl").read_text().splitlines()
    found = {(r["task"], r["seed"]): r["metrics"] for r in map(json.loads, lines)}
    assert found["logo", 3]["f2_weighted"] == 1 > found["logo", 0]["f2_weighted"]
    assert len(found) == len(NAMES) + 1


def test_the_good_file_of_each_task_is_valid(sister, capsys):
    for name in NAMES:
        path = submit(sister, name, GOOD[name])
        status, out, _ = run(capsys, "validate", path, f"--task={name}", f"--workspace={sister}")
        assert status == 0
        assert f"valid (data id id-{name}" in out


BAD = [
    ("zero_shot", '{"d1": {"a": 0, "b.c": 0}}', r"missing data sets \(1 in all: d2\)"),
    ("zero_shot", '{"d1": {"a": 0}, "d2": {"x": 1}}', r"missing images of d1 \(1 in all: b.c\)"),
    (
        "zero_shot",
        '{"d1": {"a": 0, "b.c": 0, "z": 1}, "d2": {"x": 1}}',
        r"unknown images of d1 \(1 in all: z\)",
    ),
    ("zero_shot", '{"d1": {"a": 0, "b.c": 0}, "d2": {"x": 1}, "img": {"x": 1}}', "unknown data sets"),
    ("zero_shot", '{"d1": {"a": "0", "b.c": 0}, "d2": {"x": 1}}', "d1, image a: '0' is not a whole number"),
    ("zero_shot", '{"d1": {"a": 0.0, "b.c": 0}, "d2": {"x": 1}}', "0.0 is not a whole number"),
    ("zero_shot", '{"d1": {"a": true, "b.c": 0}, "d2": {"x": 1}}', "True is not a whole number"),
    ("zero_shot", '{"d1": {"a": 2, "b.c": 0}, "d2": {"x": 1}}', "d1, image a: 2 is not a class.*from 0 to 1"),
    (
        "zero_shot",
        '{"d1": {"a": 2, "b.c": -1}, "d2": {"x": 3}}',
        r"d1, image a: 2 is not a class \(3 in all: d1/a, d1/b.c, d2/x\)",
    ),
    ("zero_shot", '{"d1": {"a": "0", "b.c": 0.0}, "d2": {"x": 3}}', r"not a whole number \(2 in all: d1/a, d1/b.c\)"),
    ("zero_shot", '{"d1": {"a": 0, "a": 1, "b.c": 0}, "d2": {"x": 1}}', "the key 'a' appears twice in one object"),
    ("zero_shot", '{"d1": {"a": NaN}}', "NaN is not a finite number"),
    ("zero_shot", '{"d1": 3, "d2": {"x": 1}}', "d1: this is not an object of images"),
    ("zero_shot", "[]", "not an object of data sets"),
    ("zero_shot", "{", "line 1: this is not JSON"),
    (
        "image_retrieval",
        '[[0, ["q1", ["r1", "r1", "r1"]]], [1, ["q2", []]]]',
        "query q1: the reference 'r1' appears at ranks 1 and 2",
    ),
    ("image_retrieval", '[[0, ["q1", ["r1", "zzz"]]], [1, ["q2", []]]]', r"unknown references \(1 in all: zzz\)"),
    ("image_retrieval", '[[0, ["q1", ["r1"]]]]', r"missing queries \(1 in all: q2\)"),
    ("image_retrieval", '[[0, ["q1", ["r1"]]], [1, ["q1", ["r1"]]]]', "the query 'q1' appears twice"),
    ("image_retrieval", '[[0, ["q1", ["r1"]]], [1, ["q2", []]], [2, ["q3", []]]]', "unknown queries"),
    ("image_retrieval", '[["q1", ["r1"]]]', "entry 0: this is no"),
    ("image_retrieval", '[[0, ["q1", [1]]]]', "must be names"),
    ("image_retrieval", '{"q1": ["r1"]}', "not a list of queries"),
    ("image_retrieval", '[[0, ["q1", ["r1", NaN]]], [1, ["q2", []]]]', "NaN is not a finite number"),
    ("image_retrieval", '[[0, ["q1", ["r1"]]], [1, ["q2", []]]]\n]', "line 2: this is not JSON"),
    ("image_retrieval", '[[0, ["q1", ["r1"]]],\n[1, ["q2", [', "line 2: this is not JSON"),
    ("image_retrieval", '[[0, ["q1", ["r1"]]], [1, ["q1", ["r1"]]]]', "entry 1: the query 'q1' appears twice"),
    ("image_retrieval", '[[0, ["q1", ["\\ud800"]]], [1, ["q2", []]]]', r"unknown references .*\\ud800"),
    ("image_retrieval", '[[0, [7, ["r1"]]], [1, ["q2", []]]]', "entry 0: the query and its references must be names"),
    ("image_retrieval", '[[0, ["q1", "r1"]]]', "entry 0: this is no"),
    ("logo", "file,category\n1.png,a\n1.jpg,b\n", r"missing files \(1 in all: 2.png\)"),
    ("logo", "file,category\n1.png,a\n1.jpg,b\n2.png,b\n1.png,b\n", "line 5: '1.png' already appears on line 2"),
    ("logo", "file,category\n1.png,a\n1.jpg,b\n2.png,b\n2-1.png,b\n", "unknown files"),
    (
        "logo",
        "file,category\n1.png,a\n1.jpg,b\n2.png,othr\n",
        r"file 2.png: 'othr' is not a label \(1 in all: 2.png\). Fix: did you mean other",
    ),
    (
        "logo",
        "file,category\n1.png,x\n1.jpg,b\n2.png,y\n",
        r"file 1.png: 'x' is not a label \(2 in all: 1.png, 2.png\)",
    ),
    ("logo", "category,file\na,1.png\n", "line 1: this is not a header"),
    ("logo", "file,label\n1.png,a\n", "the columns are file,label"),
    ("logo", "file,category\n1.png\n", "line 2: 1 cell where the header has 2"),
    ("logo", 'file,category\n"1.png,a\n', "this is not csv"),
    ("camera_trap", "filename,bird\nc1,1\nc2,0\n", r"the columns do not match \(1 in all: blank\)"),
    ("camera_trap", "filename,bird,blank\nc1,1,0\n", r"missing clips \(1 in all: c2\)"),
    ("camera_trap", "filename,bird,blank\n", r"missing clips \(2 in all: c1, c2\)"),
    ("camera_trap", "filename,blank,bird\nc1,nan,1\nc2,0,1\n", "clip c1, class blank: 'nan' is not a probability"),
    ("camera_trap", "filename,bird,blank\nc1,1,-0.1\nc2,0,1\n", "clip c1, class blank: '-0.1' is not a probability"),
    ("camera_trap", "filename,bird,blank\nc1,1,0\nc2,0,nan\n", "clip c2, class blank: 'nan' is not a probability"),
    ("camera_trap", "filename,bird,blank\nc1,1,0\nc2,0,1.5\n", "'1.5' is not a probability"),
    ("camera_trap", "filename,bird,blank\nc1,1,0\nc2,0,\n", "'' is not a probability"),
    ("camera_trap", "filename,bird,blank\nc1,1,0_1\nc2,0,1\n", "'0_1' is not a probability"),
    ("camera_trap", "filename,bird,blank\nc1,1,\u0660\nc2,0,1\n", "'\u0660' is not a probability"),
    (
        "camera_trap",
        "filename,bird,blank\nc1,2,x\nc2,-1,nan\n",
        r"clip c1, class bird: '2' is not a probability \(4 in all: c1/bird, c1/blank, c2/bird, …\)",
    ),
    ("camera_trap", "filename,bird,blank\nc1,1,0\nc1,1,0\nc2,0,1\n", "line 3: 'c1' already appears on line 2"),
]


@pytest.mark.parametrize(("name", "text", "message"), BAD)
def test_bad_submissions_are_refused_with_their_place(sister, name, text, message):
    from evaluation.settings.folders import Folders

    path = submit(sister, name, text)
    folders = Folders.in_workspace(sister)
    with pytest.raises(InvalidInput, match=message) as error:
        task(name).validate(path, folders, load_parameters(folders.parameters_file))
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("zero_shot", '{"d1": {"a": 0}, "d2": {"x": 1}}', 75.0),
        ("image_retrieval", '[[0, ["q2", ["r3"]]]]', 0.5),
        ("logo", "file,category\n1.png,a\n1.jpg,b\n", float((Fraction(5, 9) + Fraction(5, 6)) / 3)),
        ("camera_trap", "filename,bird,blank\nc1,0.5,0.5\n", None),
    ],
)
def test_lenient_scoring_counts_what_is_missing_as_wrong(sister, capsys, name, text, expected):
    submit(sister, name, text)
    status, _, err = run(capsys, "evaluate", f"--workspace={sister}")
    assert status == 1
    assert "missing " in err
    settings = (sister / "parameters.yaml").read_text()
    (sister / "parameters.yaml").write_text(settings + "lenient: true\n")
    assert run(capsys, "evaluate", f"--workspace={sister}")[0] == 0
    found = records(sister)[name]
    assert found["denominators"]["n_missing"] == 1
    value = found["metrics"][task(name).main.name]
    assert value == pytest.approx(expected) if expected is not None else value > 17


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["a", "b", "c", "d", ""])), min_size=1, max_size=12))
def test_leaving_a_file_out_is_never_better_than_answering_it_wrongly(rows):
    truth = {str(number): label for number, (label, _) in enumerate(rows)}
    answers = {str(number): label for number, (_, label) in enumerate(rows) if label}
    with_all = averages(truth, answers, "abcde")
    for file in answers:
        without = averages(truth, {name: label for name, label in answers.items() if name != file}, "abcde")
        if answers[file] != truth[file]:
            assert all(without[name] <= with_all[name] for name in with_all)
        else:
            assert all(without[name] < with_all[name] for name in with_all)


def test_a_truth_without_classes_is_refused(sister, capsys):
    (sister / "data" / "id-camera_trap" / "test_labels.csv").write_text("filename\nc1\n")
    path = submit(sister, "camera_trap", "filename\nc1\n")
    status, _, err = run(capsys, "validate", path, "--task=camera_trap", f"--workspace={sister}")
    assert status == 1
    assert "there is no class" in err


def test_a_truth_of_camera_traps_that_is_no_mark_is_refused(sister, capsys):
    path = submit(sister, "camera_trap", GOOD["camera_trap"])
    truth = sister / "data" / "id-camera_trap" / "test_labels.csv"
    for text, message in (
        ("c1,1,0.999\nc2,0.5,1\n", "clip c1, class blank: 0.999 is not a valid label (2 in all: c1/blank, c2/bird)"),
        ("", "there are no clips in it"),
    ):
        truth.write_text(f"filename,bird,blank\n{text}")
        if not text:
            path.write_text("filename,bird,blank\n")
        for command in (["validate", path, "--task=camera_trap"], ["evaluate"]):
            status, _, err = run(capsys, *command, f"--workspace={sister}")
            assert status == 1
            assert f"{truth}" in err
            assert message in err
            assert "bug of fixfirst" not in err


def test_unknown_names_and_seconds_are_refused(sister, capsys):
    (sister / "submissions" / "whose.csv").write_text("")
    (sister / "submissions" / "id-logo_mine.seconds").write_text("soon")
    status, _, err = run(capsys, "evaluate", f"--workspace={sister}")
    assert status == 1
    assert "whose.csv: the name does not start with a known data id" in err
    assert "id-logo_mine.seconds, line 1: 'soon' is not a number of seconds" in err
    mine = next((sister / "submissions").glob("id-logo_mine.csv"))
    status, _, err = run(capsys, "validate", mine, "--task=logo", f"--workspace={sister}")
    assert status == 1
    assert "id-logo_mine.seconds, line 1: 'soon' is not a number of seconds" in err


def test_other_seconds_are_another_result(sister, capsys):
    beside = sister / "submissions" / "id-logo_mine.seconds"
    for seconds in (2.5, 9.0):
        beside.write_text(f"{seconds}\n")
        assert run(capsys, "evaluate", f"--workspace={sister}")[0] == 0
        assert records(sister)["logo"]["seconds"] == seconds
    _, out, _ = run(
        capsys, "validate", sister / "submissions" / "id-logo_mine.csv", "--task=logo", f"--workspace={sister}"
    )
    assert ", 9 s" in out


def test_labels_come_from_the_training_folders_where_no_list_is_given(sister, capsys):
    place = sister / "data" / "id-logo"
    (place / "labels.txt").unlink()
    (place / "train" / "rare").mkdir(parents=True)
    assert run(capsys, "evaluate", f"--workspace={sister}")[0] == 0
    assert records(sister)["logo"]["denominators"]["n_labels"] == 3


def test_deep_json_is_one_sentence(sister, capsys):
    path = submit(sister, "zero_shot", "[" * 100_000)
    status, _, err = run(capsys, "validate", path, "--task=zero_shot", f"--workspace={sister}")
    assert status == 1
    assert "not valid" in err


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '"x"', '{"query": {}}', "a,b\n1,2\n", "file,category\n", "filename,bird\nc1,x\n", "\ufffe"]
)
def test_a_truth_that_is_none_is_named_and_no_bug_of_ours(sister, capsys, name, text):
    file = next(iter(TRUTH[name]))
    (sister / "data" / f"id-{name}" / file).write_text(text)
    status, _, err = run(capsys, "evaluate", f"--workspace={sister}")
    assert status == 1
    assert f"id-{name}/{file}" in err
    assert "bug of fixfirst" not in err
