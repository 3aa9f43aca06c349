"""What a submission folder can hold besides answers: it is named, and the others are judged all the same."""

import csv
import json
import os
import zipfile
from dataclasses import replace

import pytest

from evaluation.contract import registry
from evaluation.contract.record import latest, read_records
from tests.evaluation.tasks.test_scores import GOOD, NAMES, SUFFIX, TRUTH, make_contest, run, submit

pytestmark = pytest.mark.slow


@pytest.fixture
def contest(tmp_path):
    return make_contest(tmp_path)


def validate(capsys, workspace, task, *paths):
    return run(capsys, "validate", *paths, f"--task={task}", f"--workspace={workspace}")


def test_a_number_without_end_is_one_sentence_and_the_next_file_is_looked_at(contest, capsys):
    bad = submit(contest, "zero_shot", '{"d1": {"a": ' + "9" * 5000 + "}}", method="bad")
    good = contest / "submissions" / "id-zero_shot_mine.json"
    status, out, err = validate(capsys, contest, "zero_shot", bad, good)
    assert status == 1
    assert f"not valid: {bad}: this is not JSON (" in err
    assert "fixfirst itself failed" not in err
    assert f"{good}: valid" in out


def test_a_repeated_key_among_many_is_found_at_once(contest, capsys):
    # with a search of all keys for each key this test would take minutes
    pairs = ", ".join(f'"{n}": 0' for n in range(100_000))
    bad = submit(contest, "zero_shot", f'{{"d1": {{{pairs}, "99999": 0}}}}', method="bad")
    assert "the key '99999' appears twice in one object" in validate(capsys, contest, "zero_shot", bad)[2]


def test_a_bug_in_one_file_leaves_the_next_to_be_validated(contest, capsys, monkeypatch):
    def judge(path, *_):
        if path.stem.endswith("bad"):
            raise KeyError("oops")
        return "fine"

    whole = registry.task("zero_shot")
    monkeypatch.setattr(registry, "task", lambda _: replace(whole, validate=judge))
    bad = submit(contest, "zero_shot", "{}", method="bad")
    good = contest / "submissions" / "id-zero_shot_mine.json"
    status, out, err = validate(capsys, contest, "zero_shot", bad, good)
    assert status == 1
    assert f"not valid: {bad}: fixfirst itself failed (KeyError: 'oops')" in err
    assert f"{good}: valid (fine)" in out
    monkeypatch.setenv("FIXFIRST_DEBUG", "1")
    with pytest.raises(KeyError):
        validate(capsys, contest, "zero_shot", bad)


def test_names_in_a_submission_forge_no_line_on_the_terminal(contest, capsys):
    odd = "c1\nwarning: all is well \x1b[2J"
    path = submit(contest, "camera_trap", f'filename,blank,bird\n"{odd}",0.5,0.5\nc2,0.5,0.5\n', method="bad")
    status, _, err = validate(capsys, contest, "camera_trap", path)
    assert status == 1
    assert err.count("\n") == 1
    assert "\x1b" not in err
    assert r"\x1b[2J" in err


def test_file_names_forge_no_line_on_the_terminal(contest, capsys):
    path = submit(contest, "zero_shot", GOOD["zero_shot"], method="a\nsubmission: valid")
    status, out, err = run(capsys, "evaluate", f"--workspace={contest}")
    assert status == 1
    assert r"a\nsubmission: valid" in err
    assert "\nsubmission: valid" not in out + err
    assert {record.method for record in latest(read_records(contest / "results" / "results.jsonl"))} == {"mine"}
    assert validate(capsys, contest, "zero_shot", path)[0] == 1
    assert "\nsubmission" not in validate(capsys, contest, "zero_shot", path)[2]


def plant(kind, path, outside):
    """Puts something there that is no answer, and returns what is said of it."""
    if kind == "folder":
        path.mkdir()
        return "this is a folder"
    if kind == "dangling":
        path.symlink_to(path.parent / "nothing")
        return "this is a broken link"
    if kind == "loop":
        path.symlink_to(path)
        return "this is a broken link"
    if kind == "pipe":
        os.mkfifo(path)
        return "this is not a regular file"
    path.symlink_to(outside)
    return "this is a link to outside"


KINDS = ("folder", "dangling", "loop", "pipe", "truth")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_answer_is_refused_and_the_others_are_scored(contest, capsys, name, kind):
    path = contest / "submissions" / f"id-{name}_bad{SUFFIX[name]}"
    told = plant(kind, path, contest / "data" / f"id-{name}" / next(iter(TRUTH[name])))
    status, _, err = run(capsys, "evaluate", f"--workspace={contest}")
    assert status == 1
    assert f"failed: {path}: {told}" in err
    records = latest(read_records(contest / "results" / "results.jsonl"))
    assert sorted((record.task, record.method, record.status) for record in records) == sorted(
        (task, "mine", "ok") for task in NAMES
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prefix", ["", "time_"])
def test_what_is_no_ranking_is_refused_and_the_others_are_scored(ranked, capsys, kind, prefix):
    path = ranked.submission_folder / f"{prefix}blobs_random.txt"
    path.unlink()
    told = plant(kind, path, ranked.groundtruth_folder / "dataset_blobs_train.csv")
    status, _, err = run(capsys, "evaluate", f"--workspace={ranked.results_folder.parent}")
    assert status == 1
    assert f"failed: {path}: {told}" in err
    found = [(record.dataset, record.method, record.status) for record in read_records(ranked.results_file)]
    assert found == [("blobs-b", "knn_shapley", "ok"), ("blobs-b", "random", "ok"), ("blobs", "knn_shapley", "ok")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", NAMES)
def test_the_seconds_beside_an_answer_come_through_the_same_door(contest, capsys, name, kind):
    (contest / "secret").write_text("password")
    answer = submit(contest, name, GOOD[name], method="bad")
    told = plant(kind, answer.with_suffix(".seconds"), contest / "secret")
    status, out, err = run(capsys, "evaluate", f"--workspace={contest}")
    assert status == 1
    assert f"failed: {answer.with_suffix('.seconds')}: {told}" in err
    found = latest(read_records(contest / "results" / "results.jsonl"))
    assert sorted((record.task, record.method) for record in found) == sorted((task, "mine") for task in NAMES)
    status, valid, invalid = validate(capsys, contest, name, answer)
    assert status == 1
    logs = [path.read_text() for path in (contest / "results").glob("*.jsonl")]
    assert "password" not in "".join([out, err, valid, invalid, *logs])


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_length_stops_nobody(contest, capsys, name):
    odd = "m" * (255 - len(f"id-{name}_{SUFFIX[name]}"))
    path = submit(contest, name, GOOD[name], method=odd)
    status, _, err = run(capsys, "evaluate", f"--workspace={contest}")
    assert status == 1
    assert f"failed: {path}: the method's name has {len(odd)} characters" in err
    assert len(latest(read_records(contest / "results" / "results.jsonl"))) == len(NAMES)


@pytest.mark.usefixtures("no_pictures")
def test_times_that_no_sum_can_hold_are_refused_and_the_tables_are_drawn(contest, capsys):
    for method in ("one", "two"):
        submit(contest, "logo", GOOD["logo"], method).with_suffix(".seconds").write_text("1e308")
    status, _, err = run(capsys, "evaluate", f"--workspace={contest}")
    assert status == 1
    assert err.count("'1e308' is not a number of seconds") == 2
    assert run(capsys, "plot", f"--workspace={contest}")[0] == 0


def test_a_huge_name_swells_neither_the_message_nor_the_records(contest, capsys):
    huge = "k" * 20_000
    submit(contest, "zero_shot", json.dumps({"d1": {huge: 0}, huge: {}}), method="bad")
    submit(contest, "image_retrieval", json.dumps([[0, [huge, [huge]]]]), method="bad")
    submit(contest, "logo", f"file,category\n{huge},{huge}\n", method="bad")
    submit(contest, "camera_trap", f"filename,{huge}\n{huge},1\n", method="bad")
    status, _, err = run(capsys, "evaluate", f"--workspace={contest}")
    assert status == 1
    assert len(err) < 10_000
    for path in (contest / "results").glob("*.jsonl"):
        assert max(map(len, path.read_text().splitlines())) < 5_000
    for record in read_records(contest / "results" / "results.jsonl"):
        assert record.status == "ok" or "characters)" in record.error


def test_a_failure_that_is_known_is_told_but_not_recorded_again(contest, capsys):
    bad = submit(contest, "logo", "file,category\n", method="bad")
    command = ("evaluate", f"--workspace={contest}")
    first = run(capsys, *command)[2]
    logs = {path: path.read_bytes() for path in (contest / "results").glob("*.jsonl")}
    for _ in range(3):
        status, _, err = run(capsys, *command)
        assert (status, err) == (1, first)
    assert {path: path.read_bytes() for path in logs} == logs
    bad.write_text("file,category\n1.png,a\n")
    assert run(capsys, *command)[2] != first
    assert len(read_records(contest / "results" / "results.jsonl")) == len(NAMES) + 2


@pytest.mark.parametrize("name", NAMES)
def test_a_file_far_larger_than_any_answer_is_not_read(contest, capsys, name):
    path = submit(contest, name, GOOD[name] + " " * 11_000_000, method="bad")
    if name == "image_retrieval":  # read in pieces: no item may be larger
        path.write_text('[[0, ["q1", [' + '"r1", ' * 2_000_000 + '"r1"]]]]')
    status, _, err = run(capsys, "evaluate", f"--workspace={contest}")
    assert status == 1
    assert f"{path}" in err
    assert "more than" in err


def test_an_npz_for_a_few_queries_may_not_take_gigabytes(contest, capsys):
    path = contest / "submissions" / "id-image_retrieval_bad.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("ranks", "query_ids", "reference_ids", "sha256"):
            archive.writestr(f"{name}.npy", b"\0" * 5_000_000)
    assert path.stat().st_size < 50_000
    status, _, err = run(capsys, "evaluate", f"--workspace={contest}")
    assert status == 1
    assert "it unpacks to 20000000 bytes, more than the" in err


def test_unknown_queries_are_not_collected_without_end(contest, capsys):
    entries = [[n, [f"x{n}", []]] for n in range(20_000)]
    submit(contest, "image_retrieval", json.dumps(entries), method="bad")
    status, _, err = run(capsys, "evaluate", f"--workspace={contest}")
    assert status == 1
    assert "unknown queries (1003 in all: x0" in err


@pytest.mark.usefixtures("no_pictures")
def test_a_team_is_no_formula_and_no_markup_in_the_tables(contest, capsys):
    formulas, markup = ["=1+1", "@SUM(A1)", "+1", "-2"], ["[a](b)", "<img src=x>", "*b* _i_"]
    for team in (*formulas, *markup):
        submit(contest, "logo", GOOD["logo"], method=team)
    for command in (["evaluate"], ["plot"], ["leaderboard", "--task=logo"]):
        assert run(capsys, *command, f"--workspace={contest}")[0] == 0
    for name in ("leaderboard", "leaderboard_logo_all"):
        rows = csv.reader((contest / "results" / f"{name}.csv").read_text().splitlines())
        cells = {cell for row in rows for cell in row}
        assert {f"'{team}" for team in formulas} <= cells
        assert not cells & set(formulas)
        text = (contest / "results" / f"{name}.md").read_text()
        assert all(f"| {team} |" in text.replace("\\", "") for team in markup)
        assert not any(f"| {team} |" in text for team in markup)


def test_a_link_within_the_submission_folder_is_followed(contest, capsys):
    (contest / "submissions" / "id-logo_mine.csv").rename(contest / "submissions" / "kept")
    (contest / "submissions" / "id-logo_mine.csv").symlink_to("kept")
    moved = contest.with_name("elsewhere")
    (contest / "submissions").rename(moved)
    (contest / "submissions").symlink_to(moved)
    assert run(capsys, "evaluate", f"--workspace={contest}")[0] == 0


def test_a_file_name_that_is_no_text_is_refused_and_the_others_are_scored(contest, ranked, capsys):
    for folder, name in ((contest / "submissions", b"id-logo_\xff.csv"), (ranked.submission_folder, b"blobs_\xff.txt")):
        try:
            (folder / os.fsdecode(name)).write_text(GOOD["logo"])
        except OSError:
            pytest.skip("this file system takes no such names")
    for place in (contest, ranked.results_folder.parent):
        status, _, err = run(capsys, "evaluate", f"--workspace={place}")
        assert status == 1
        assert r"_\udcff" in err
        records = read_records(place / "results" / "results.jsonl")
        assert [record.status for record in records] == ["ok"] * 4


def test_a_task_without_submissions_leaves_the_next_to_be_scored_and_withdraws_what_is_gone(contest, capsys):
    assert run(capsys, "evaluate", f"--workspace={contest}")[0] == 0
    (contest / "submissions" / "id-zero_shot_mine.json").unlink()
    (contest / "submissions" / "id-logo_mine.csv").unlink()
    submit(contest, "logo", GOOD["logo"], method="new")
    status, _, err = run(capsys, "evaluate", f"--workspace={contest}")
    assert status == 1
    assert "there are no submissions for the task zero_shot" in err
    good = [record for record in latest(read_records(contest / "results" / "results.jsonl")) if record.status == "ok"]
    assert sorted((record.task, record.method) for record in good) == [
        ("camera_trap", "mine"),
        ("image_retrieval", "mine"),
        ("logo", "new"),
    ]
