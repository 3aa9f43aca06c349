"""One rule for names: every task reads both spellings of an accent as one name, and no leftover of a system as data."""

import csv
import io
import json
import shutil
import unicodedata

import pytest

from evaluation.cli import main
from evaluation.contract.record import latest, read_records
from evaluation.files.whole import read_text

NAMES = ("caf\u00e9", "\u00fcber", "\u1e69")


def spelled(form, name):
    return unicodedata.normalize(form, name)


def workspace(place, task, form):
    """A workspace whose truth spells names in one form."""
    one, two, three = (spelled(form, name) for name in NAMES)
    folder = place / "data" / "d"
    folder.mkdir(parents=True)
    (place / "submissions").mkdir()
    block = {"task": task, "ids": ["d"], "split": {"enabled": False}}
    (place / "parameters.yaml").write_text(json.dumps({"tasks": [task], "datasets": {"b": block}}))
    if task == "logo":
        write_csv(folder / "test_labels.csv", [("file", "category"), (f"{one}.png", two), (f"{two}.png", three)])
        for name in (two, three, ".ipynb_checkpoints", "__MACOSX"):
            (folder / "train" / name).mkdir(parents=True)
    elif task == "camera_trap":
        write_csv(folder / "test_labels.csv", [("filename", one, two), (f"{one}.mp4", 1, 0), (three, 0, 1)])
    elif task == "zero_shot":
        (folder / one).mkdir()
        (folder / one / "classes.json").write_text(json.dumps([two, three]))
        (folder / "__MACOSX").mkdir()
        (folder / "__MACOSX" / "classes.json").write_text("not even JSON")
        (folder / "truth.json").write_text(json.dumps({one: {two: 1, three: 0}}, ensure_ascii=False))
    else:
        truth = {"query": {one: two, two: three}, "reference": {one: two, two: three, three: "x"}}
        (folder / "truth.json").write_text(json.dumps(truth))
    return folder


def write_csv(path, rows):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path.write_text(text.getvalue())


def answer(task, form):
    """A perfect submission, its names spelled in one form: its suffix and its text."""
    one, two, three = (spelled(form, name) for name in NAMES)
    if task == "logo":
        return ".csv", f"file,category\n{one}.png,{two}\n{two}.png,{three}\n"
    if task == "camera_trap":
        return ".csv", f"filename,{one},{two}\n{one}.mp4,1,0\n{three},0,1\n"
    if task == "zero_shot":
        return ".json", json.dumps({one: {two: 1, three: 0}})
    return ".json", json.dumps([[0, [one, [one]]], [1, [two, [two, three]]]])


@pytest.mark.parametrize("task", ["logo", "camera_trap", "zero_shot", "image_retrieval"])
@pytest.mark.parametrize(("truth", "given"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_both_spellings_are_one_name(tmp_path, task, truth, given):
    place = tmp_path / "w"
    workspace(place, task, truth)
    suffix, text = answer(task, given)
    method = spelled(given, NAMES[0])
    (place / "submissions" / f"d_{method}{suffix}").write_text(text)
    shutil.copy(place / "parameters.yaml", place / "submissions" / f"._d_{method}{suffix}")
    assert main(["evaluate", f"--workspace={place}"]) == 0
    (record,) = read_records(place / "results" / "results.jsonl")
    best = {"camera_trap": 0.0}.get(task, 100.0 if task == "zero_shot" else 1.0)
    assert next(iter(record.metrics.values())) == pytest.approx(best, abs=1e-9)
    assert record.method == NAMES[0]


@pytest.mark.parametrize("task", ["logo", "image_retrieval"])
def test_two_spellings_of_one_file_name_are_two_files_of_one_method(tmp_path, task, capsys):
    place = tmp_path / "w"
    workspace(place, task, "NFC")
    suffix, text = answer(task, "NFC")
    for form in ("NFC", "NFD"):
        (place / "submissions" / f"d_{spelled(form, NAMES[0])}{suffix}").write_text(text)
    assert main(["evaluate", f"--workspace={place}"]) == 1
    assert "is by the same method" in capsys.readouterr().err
    assert len(read_records(place / "results" / "results.jsonl")) == 1


def test_a_ranking_has_one_file_too(ranked, capsys):
    path = ranked.submission_folder / "blobs_random.txt"
    for form in ("NFC", "NFD"):
        shutil.copy(path, path.with_name(f"blobs_{spelled(form, NAMES[0])}.txt"))
    shutil.copy(path, path.with_name("._blobs_random.txt"))
    workspace = ranked.parameters_file.parent
    assert main(["evaluate", f"--workspace={workspace}"]) == 1
    errors = capsys.readouterr().err
    assert errors.count("failed: ") == 1
    assert "is by the same method" in errors
    methods = [record.method for record in latest(read_records(ranked.results_file))]
    assert methods.count(NAMES[0]) == 1


@pytest.mark.parametrize(
    ("task", "file", "content", "told"),
    [
        ("logo", "test_labels.csv", "file,category\na.png,\n", "a name is empty"),
        ("logo", "test_labels.csv", "file,category\na.png,cat \n", "'cat ' starts or ends with whitespace"),
        ("logo", "test_labels.csv", "file,category\n ,cat\n", "line 2: a name is empty"),
        ("logo", "test_labels.csv", "file, category\na.png,cat\n", "' category' starts or ends with whitespace"),
        ("logo", "test_labels.csv", "file,category\n\u00e9,x\ne\u0301,y\n", "already appears on line 2"),
        ("camera_trap", "test_labels.csv", "filename,cat,\na,1,0\n", "a name is empty"),
        ("zero_shot", "truth.json", '{"": {"a": 0}}', "a name is empty"),
        ("zero_shot", "truth.json", '{"x": {"a ": 0}}', "'a ' starts or ends with whitespace"),
        ("zero_shot", "truth.json", '{"x": {"\u00e9": 0, "e\u0301": 0}}', "appears twice"),
        ("image_retrieval", "truth.json", '{"query": {"q": ""}, "reference": {"r": "p"}}', "a name is empty"),
    ],
)
def test_a_truth_with_a_name_that_is_none_is_the_organisers_error(tmp_path, task, file, content, told):
    place = tmp_path / "w"
    folder = workspace(place, task, "NFC")
    (folder / file).write_text(content)
    suffix, text = answer(task, "NFC")
    (place / "submissions" / f"d_mine{suffix}").write_text(text)
    assert main(["evaluate", f"--workspace={place}"]) == 1
    (record,) = read_records(place / "results" / "results.jsonl")
    assert (record.status, record.fault) == ("failed", "data")
    assert told in record.error


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_are_named(tmp_path, separator, capsys):
    place = tmp_path / "w"
    workspace(place, "logo", "NFC")
    path = place / "submissions" / "d_mine.csv"
    path.write_text(answer("logo", "NFC")[1].replace(",", separator))
    assert main(["validate", str(path), "--task=logo", f"--workspace={place}"]) == 1
    told = capsys.readouterr().err
    assert "the columns are separated by" in told
    assert "separate them by commas" in told
    assert separator in read_text(path)


def test_a_column_that_is_there_twice_is_named(tmp_path, capsys):
    place = tmp_path / "w"
    workspace(place, "logo", "NFC")
    path = place / "submissions" / "d_mine.csv"
    path.write_text("file,category,category\na,b,c\n")
    assert main(["validate", str(path), "--task=logo", f"--workspace={place}"]) == 1
    assert "two columns are called 'category'. Fix: rename or remove one of them" in capsys.readouterr().err


def test_a_label_that_looks_like_a_known_one_shows_the_difference(tmp_path, capsys):
    place = tmp_path / "w"
    workspace(place, "logo", "NFC")
    path = place / "submissions" / "d_mine.csv"
    path.write_text(answer("logo", "NFC")[1].replace(f",{NAMES[1]}", f",{NAMES[1]}\u200b"))
    assert main(["validate", str(path), "--task=logo", f"--workspace={place}"]) == 1
    assert "character 5 is U+200B, not missing" in capsys.readouterr().err
