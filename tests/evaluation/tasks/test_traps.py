"""What scored wrongly in the originals: each trap of the four sister tasks, sprung."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.cli import main
from evaluation.contract import registry
from evaluation.contract.record import read_records
from evaluation.contract.task import Case
from evaluation.files.whole import write_text
from evaluation.settings.folders import Folders
from evaluation.tasks.camera_trap.task import class_log_loss
from tests.support import ROOT

NAMES = ("camera_trap", "image_retrieval", "logo", "zero_shot")


@pytest.fixture
def contest(tmp_path, capsys):
    """The tiny example of a task; none of its submissions in place."""

    def made(name):
        place = tmp_path / name
        assert main(["example", name, f"--output={place}"]) == 0
        capsys.readouterr()
        good = next((place / "submissions").iterdir())
        text = good.read_text()
        good.unlink()
        return place, text, good.suffix

    return made


def validate(place, name, content, suffix, capsys, *flags):
    path = place / f"example_mine{suffix}"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content)
    status = main(["validate", str(path), f"--task={name}", f"--workspace={place}", *flags])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out + err


def score(place, name, content, suffix, capsys, *flags):
    (place / "submissions" / f"example_mine{suffix}").write_text(content)
    status = main(["evaluate", f"--workspace={place}", *flags])
    capsys.readouterr()
    return status, read_records(place / "results" / "results.jsonl")[-1]


OPTIMISED = """
import json, pathlib, sys
from evaluation.cli import main
found = {}
for name in sys.argv[2:]:
    place = pathlib.Path(sys.argv[1]) / name
    main(["example", name, f"--output={place}"])
    broken = next((place / "broken").iterdir())
    at = f"--workspace={place}"
    found[name] = [main(["validate", str(broken), f"--task={name}", at]), main(["evaluate", at])]
    broken.rename(place / "submissions" / broken.name)
    found[name].append(main(["evaluate", at]))
print(json.dumps([__debug__, found]))
"""


def test_checks_hold_under_python_o(tmp_path):
    """Assertions are switched off by -O: the official scorer checked with them."""
    done = subprocess.run(
        [sys.executable, "-O", "-c", OPTIMISED, str(tmp_path), *registry.tasks()],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COVERAGE_PROCESS_START": ""},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    debug, statuses = json.loads(done.stdout.splitlines()[-1])
    assert debug is False
    assert statuses == {name: [1, 0, 1] for name in registry.tasks()}


def test_ids_that_differ_after_a_dot_are_two(contest, capsys):
    place, _, suffix = contest("zero_shot")
    truth = {"animals": {"a.1": 0, "a.2": 1}, "digits": {"a.1": 2, "a.2": 1, "a": 0}}
    (place / "data" / "example" / "truth.json").write_text(json.dumps(truth))
    status, record = score(place, "zero_shot", json.dumps(truth), suffix, capsys)
    assert (status, record.metrics["accuracy"], record.denominators["n_truth"]) == (0, 100, 5)
    cut = {"animals": {"a": 0}, "digits": {"a": 0}}
    assert "unknown images of animals (1 in all: a)" in validate(place, "zero_shot", json.dumps(cut), suffix, capsys)[1]


def test_queries_and_references_that_differ_after_a_dot_are_two(contest, capsys):
    place, _, suffix = contest("image_retrieval")
    truth = {"query": {"q.1": "cup", "q.2": "lamp"}, "reference": {"r.1": "cup", "r.2": "lamp"}}
    (place / "data" / "example" / "truth.json").write_text(json.dumps(truth))
    lists = [[0, ["q.1", ["r.1", "r.2"]]], [1, ["q.2", ["r.2", "r.1"]]]]
    status, record = score(place, "image_retrieval", json.dumps(lists), suffix, capsys)
    assert (status, record.metrics["map_at_1000"]) == (0, 1)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_nan_inside_lists_is_no_json(contest, capsys, number):
    place, text, suffix = contest("image_retrieval")
    for bad in (text.replace("[0,", f"[{number},", 1), text.replace('"r1"', number, 1)):
        assert bad != text
        status, said = validate(place, "image_retrieval", bad, suffix, capsys)
        assert status == 1
        assert f"example_mine{suffix}" in said
    place, text, suffix = contest("zero_shot")
    assert number in validate(place, "zero_shot", text.replace(": 1", f": {number}", 1), suffix, capsys)[1]


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_read_is_one_sentence(contest, capsys, name):
    place, text, suffix = contest(name)
    for content in ("", "\n", b"\xff\xfe\x00", b"\x00" * 10, text.encode("utf-16"), text[: len(text) // 2]):
        status, said = validate(place, name, content, suffix, capsys)
        assert status == 1, content
        assert f"example_mine{suffix}" in said
    path = place / f"example_mine{suffix}"
    path.unlink()
    assert main(["validate", str(path), f"--task={name}", f"--workspace={place}"]) == 1
    assert "there is no such file" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_a_truth_that_is_missing_is_named_and_other_tasks_go_on(contest, capsys, name):
    place, text, suffix = contest(name)
    for path in (place / "data" / "example").iterdir():
        if path.is_file():
            path.unlink()
    status, record = score(place, name, text, suffix, capsys)
    assert (status, record.status) == (1, "failed")
    assert str(place / "data" / "example") in record.error
    assert "bug" not in record.error


@pytest.mark.parametrize(
    ("name", "file", "content", "message"),
    [
        ("zero_shot", "animals/classes.json", '{"cat": 0}', "classes.json: this is not a list of names"),
        ("zero_shot", "truth.json", '{"animals": {}}', "the data set 'animals' is empty"),
        ("zero_shot", "animals/classes.json", "[]", "classes.json: this is not a list of names"),
        (
            "zero_shot",
            "truth.json",
            '{"animals": {"cat-1": 0, "x": 9}, "digits": {"b": -1}}',
            "truth.json, animals, image x: 9 is not a class (2 in all: animals/x, digits/b)",
        ),
        ("logo", "test_labels.csv", "file,category\n", "test_labels.csv: there are no files in it"),
        ("logo", "labels.txt", "acme\nacme\n", "labels.txt, line 2: 'acme' already appears on line 1"),
        ("logo", "labels.txt", "acme\n\nacme\n", "labels.txt, line 3: 'acme' already appears on line 1"),
        ("logo", "labels.txt", "acme\nacme \n", "labels.txt, line 2: 'acme ' starts or ends with whitespace"),
        (
            "logo",
            "labels.txt",
            "acme\nglobex",
            r"labels.txt: some labels of the truth file are missing (1 in all: other)",
        ),
    ],
)
def test_a_truth_that_is_wrong_is_the_organisers_error(contest, capsys, name, file, content, message):
    place, text, suffix = contest(name)
    (place / "data" / "example" / file).write_text(content)
    status, record = score(place, name, text, suffix, capsys)
    assert status == 1
    assert message in record.error


def test_the_last_label_needs_no_line_end(contest, capsys):
    place, text, suffix = contest("logo")
    first = score(place, "logo", text, suffix, capsys)[1]
    (place / "data" / "example" / "labels.txt").write_text("acme\nglobex\nother")
    assert score(place, "logo", text, suffix, capsys)[1].metrics == first.metrics


def test_training_folders_are_part_of_what_a_logo_score_depends_on(contest, capsys):
    place, text, suffix = contest("logo")
    (place / "data" / "example" / "labels.txt").unlink()
    (place / "data" / "example" / "train" / "acme").mkdir(parents=True)
    first = score(place, "logo", text, suffix, capsys)[1]
    (place / "data" / "example" / "train" / "initech").mkdir()
    second = score(place, "logo", text, suffix, capsys)[1]
    assert (first.denominators["n_labels"], second.denominators["n_labels"]) == (3, 4)
    assert first.dataset_sha256 != second.dataset_sha256
    assert second.metrics["f2_macro"] == pytest.approx(0.75 * first.metrics["f2_macro"])


def test_one_sure_image_a_data_set_wins_nothing(contest, capsys):
    """Scored on the intersection with the truth, this was worth 100."""
    place, _, suffix = contest("zero_shot")
    sure = json.dumps({"animals": {"cat-1": 0}, "digits": {"b": 1}})
    assert "missing images of animals (3 in all" in validate(place, "zero_shot", sure, suffix, capsys)[1]
    assert score(place, "zero_shot", sure, suffix, capsys)[1].status == "failed"
    status, record = score(place, "zero_shot", sure, suffix, capsys, "--lenient")
    assert (status, record.metrics["accuracy"]) == (0, 25)
    assert record.denominators == {"n_datasets": 2, "n_truth": 8, "n_scored": 2, "n_missing": 6}
    assert sum(board.denominators["n_truth"] for board in record.boards.values()) == 8


def test_lenient_is_a_flag_too(contest, capsys):
    place, text, suffix = contest("camera_trap")
    short = text.replace("clip-6,0.4,0.5,0.2\n", "")
    assert validate(place, "camera_trap", short, suffix, capsys)[0] == 1
    assert validate(place, "camera_trap", short, suffix, capsys, "--lenient")[0] == 0
    assert validate(place, "camera_trap", short + "clip-7,0,0,0\n", suffix, capsys, "--lenient")[0] == 1
    assert score(place, "camera_trap", short, suffix, capsys)[0] == 1
    status, record = score(place, "camera_trap", short, suffix, capsys, "--lenient")
    assert (status, record.denominators["n_missing"]) == (0, 1)
    assert record.metrics["log_loss"] > 34 / 6


def test_probabilities_are_clipped_in_float64_whatever_wrote_them(contest, capsys):
    """scikit-learn clips by the precision of the array: 0 and 1 in float16 would cost 1.79 or so instead."""
    place, text, suffix = contest("camera_trap")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    for precision in (np.float16, np.float32, np.float64):
        written = [[row[0], *(str(precision(round(float(cell)))) for cell in row[1:])] for row in rows]
        wrong = "\n".join(["filename,blank,bird,hare", *(",".join(row) for row in written), ""])
        record = score(place, "camera_trap", wrong, suffix, capsys)[1]
        assert record.metrics["log_loss"] == pytest.approx(34.5387763949 / 18 + 1e-15, abs=1e-6)
    narrow = np.array([[0.0, 1.0]], dtype=np.float16)
    wide = class_log_loss(np.array([[1, 0]]), narrow.astype(np.float64))
    assert class_log_loss(np.array([[1, 0]]), narrow).tolist() == wide.tolist()


@given(st.permutations([0, 1, 2]), st.permutations(range(6)))
def test_columns_are_matched_by_name_and_rows_by_clip(columns, rows):
    classes, table = ["blank", "bird", "hare"], np.linspace(0.05, 0.9, 18).reshape(6, 3)
    marks = (table * 7 % 1 > 0.5).astype(int)
    with tempfile.TemporaryDirectory() as place:
        folders = Folders.in_workspace(Path(place))
        path = Path(place) / "mine.csv"
        for target, values, order, lines in (
            (folders.groundtruth_folder / "x" / "test_labels.csv", marks, range(3), range(6)),
            (path, table, columns, rows),
        ):
            text = [["filename", *(classes[column] for column in order)]]
            text += [[f"c{row}", *(str(values[row, column]) for column in order)] for row in lines]
            write_text(target, "".join(",".join(cells) + "\n" for cells in text))
        case = Case("x", "mine", 0, path, "", "", {"lenient": False, "split": None}, folders)
        found = registry.task("camera_trap").score(case, lambda _done, _total: None)
    expected = dict(zip(classes, class_log_loss(marks, table).tolist(), strict=True))
    assert found.details["log_loss"] == expected


@given(st.permutations(range(1, 8)))
def test_equal_precisions_on_other_queries_are_equal_in_the_mean(places):
    """One unit in the last place would part two teams before the recall ladder is asked."""
    references = [f"r{number}" for number in range(7)]
    truth = {"query": {f"q{n}": f"p{n}" for n in range(7)}, "reference": {f"r{n}": f"p{n}" for n in range(7)}}
    means = []
    with tempfile.TemporaryDirectory() as folder:
        folders = Folders.in_workspace(Path(folder))
        write_text(folders.groundtruth_folder / "x" / "truth.json", json.dumps(truth))
        path = Path(folder) / "mine.json"
        for order in (places, range(1, 8)):
            others = [[name for name in references if name != f"r{n}"] for n in range(7)]
            lists = [[*others[n][: rank - 1], f"r{n}", *others[n][rank - 1 :]] for n, rank in enumerate(order)]
            path.write_text(json.dumps([[0, [f"q{n}", found]] for n, found in enumerate(lists)]))
            case = Case("x", "mine", 0, path, "", "", {"lenient": False, "split": None}, folders)
            found = registry.task("image_retrieval").score(case, lambda _done, _total: None)
            means.append(found.metrics["map_at_1000"])
    assert means[0] == means[1]


@pytest.mark.parametrize("name", list(registry.tasks()))
def test_a_suffix_that_evaluate_does_not_read_is_not_valid(contest, name, capsys):
    place, text, suffix = contest(name)
    suffixes = registry.task(name).suffixes
    assert suffix in suffixes
    advice = " or ".join(f"DATAID_METHOD{one}" for one in suffixes)
    for odd in (".tsv", suffix.upper(), ""):
        status, said = validate(place, name, text, odd, capsys)
        assert status == 1
        assert said.endswith(f"`evaluate` does not read files with the suffix {odd!r}. Fix: name it {advice}.\n")
    assert validate(place, name, text, suffix, capsys)[0] == 0
    (place / f"other_mine{suffix}").write_text(text)
    assert main(["validate", str(place / f"other_mine{suffix}"), f"--task={name}", f"--workspace={place}"]) == 1
    assert f"name it {advice}; " in capsys.readouterr().err
