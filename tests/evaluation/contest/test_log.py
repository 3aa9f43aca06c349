"""The log: one line for each submission and verdict, in the order seen, whatever is killed, re-run or resubmitted."""

import dataclasses
import json
import multiprocessing
import os
from datetime import timedelta

import pytest

from cleaning import InvalidInput
from evaluation.cli import main
from evaluation.contest import log as submission_log
from evaluation.contest.log import Entry, SubmissionLog, latest_of_each
from evaluation.contract import registry
from evaluation.settings.folders import Folders
from tests.support import write_parameters

GOOD = "file,category\n1.png,a\n2.png,a\n"
BETTER = "file,category\n1.png,a\n2.png,b\n"
BROKEN = "file,category\n1.png,a\n"


@pytest.fixture
def contest(tmp_path):
    split = {"public": 0.5}
    write_parameters(tmp_path, tasks=["logo"], datasets={"logo": {"task": "logo", "ids": ["x"], "split": split}})
    (tmp_path / "data" / "x").mkdir(parents=True)
    (tmp_path / "data" / "x" / "test_labels.csv").write_text(BETTER)
    (tmp_path / "submissions").mkdir()
    return tmp_path


def submit(workspace, text, team="mine"):
    (workspace / "submissions" / f"x_{team}.csv").write_text(text)


def evaluate(workspace, capsys):
    status = main(["evaluate", f"--workspace={workspace}"])
    capsys.readouterr()
    return status


def log(workspace):
    return SubmissionLog(Folders.in_workspace(workspace).submission_log).read()


def entry(**changes):
    now = submission_log.clock()
    content = {"task": "logo", "dataset": "x", "team": "mine", "seed": 0, "number": 1, "received": now, "written": now}
    return Entry(**{**content, "file": "x_mine.csv", "sha256": "00", "verdict": "accepted", **changes})


def test_a_submission_is_one_line_however_often_it_is_evaluated(contest, capsys):
    submit(contest, GOOD)
    submit(contest, BROKEN, "theirs")
    assert evaluate(contest, capsys) == 1
    first = (contest / "results" / "submissions.jsonl").read_text()
    assert evaluate(contest, capsys) == 1
    assert (contest / "results" / "submissions.jsonl").read_text() == first
    mine, theirs = log(contest).entries
    assert (mine.team, mine.number, mine.verdict, mine.file) == ("mine", 1, "ok", "x_mine.csv")
    assert set(mine.scores) == {"all", "public", "private"}
    assert mine.scores["all"]["f2_macro"] < 1
    assert (theirs.team, theirs.verdict, theirs.scores) == ("theirs", "failed", {})
    assert "missing files (1 in all: 2.png)" in theirs.reason


def test_new_content_is_a_new_submission_and_older_ones_stay(contest, capsys):
    for text in (GOOD, BROKEN, BETTER, GOOD):
        submit(contest, text)
        evaluate(contest, capsys)
    found = log(contest).entries
    assert [(e.number, e.verdict) for e in found] == [(1, "ok"), (2, "failed"), (3, "ok"), (4, "ok")]
    assert found[0].sha256 == found[3].sha256
    assert [e.received for e in found] == sorted(e.received for e in found)


def test_scoring_again_keeps_number_and_time(contest, capsys):
    submit(contest, GOOD)
    evaluate(contest, capsys)
    (contest / "data" / "x" / "labels.txt").write_text("a\nb\nc")
    evaluate(contest, capsys)
    first, second = log(contest).entries
    assert (first.number, first.received) == (second.number, second.received)
    assert first.basis != second.basis
    assert latest_of_each(log(contest).entries) == [second]


def test_what_is_taken_out_is_withdrawn_and_comes_back_as_what_it_was(contest, capsys):
    submit(contest, BETTER)
    evaluate(contest, capsys)
    submit(contest, GOOD)
    submit(contest, GOOD, "theirs")
    evaluate(contest, capsys)
    before = [e for e in log(contest).entries if e.team == "mine"]
    (contest / "submissions" / "x_mine.csv").unlink()
    for _ in range(2):
        evaluate(contest, capsys)
    own = [e for e in log(contest).entries if e.team == "mine"]
    assert [e.verdict for e in own] == ["ok", "ok", "withdrawn"]
    assert latest_of_each(own) == []
    submit(contest, GOOD)
    evaluate(contest, capsys)
    own = [e for e in log(contest).entries if e.team == "mine"]
    assert [e.number for e in own] == [1, 2, 2, 2]
    assert own[3].received == own[1].received
    assert [e.scores for e in latest_of_each(own)] == [e.scores for e in before]
    (contest / "submissions" / "x_mine.csv").unlink()
    evaluate(contest, capsys)
    submit(contest, BROKEN)
    evaluate(contest, capsys)
    assert [e.number for e in latest_of_each(e for e in log(contest).entries if e.team == "mine")] == [3]


def test_a_data_set_switched_off_and_on_again_changes_no_standing(contest, capsys):
    for text in (BETTER, GOOD):
        submit(contest, text)
        evaluate(contest, capsys)
    submit(contest, GOOD, "theirs")
    assert evaluate(contest, capsys) == 0
    before = latest_of_each(e for e in log(contest).entries if e.team == "mine")
    parameters = contest / "parameters.yaml"
    known = parameters.read_text()
    spec = {"task": "logo", "ids": ["x"], "enabled": False}
    write_parameters(contest, tasks=["logo"], datasets={"logo": spec, "other": {"task": "logo", "ids": ["y"]}})
    evaluate(contest, capsys)
    parameters.write_text(known)
    assert evaluate(contest, capsys) == 0
    after = latest_of_each(e for e in log(contest).entries if e.team == "mine")
    assert [(e.number, e.received, e.scores) for e in after] == [(e.number, e.received, e.scores) for e in before]


@pytest.mark.parametrize("jobs", [1, 2])
def test_of_equal_files_seen_at_once_the_one_written_first_is_the_earlier(contest, capsys, jobs):
    split = {"public": 0.5}
    datasets = {"logo": {"task": "logo", "ids": ["x"], "split": split}}
    write_parameters(contest, tasks=["logo"], jobs=jobs, datasets=datasets)
    for age, team in enumerate(("b", "d", "a", "c")):
        submit(contest, GOOD, team)
        os.utime(contest / "submissions" / f"x_{team}.csv", (1e9 - age, 1e9 - age))
    assert evaluate(contest, capsys) == 0
    assert [e.team for e in log(contest).entries] == ["c", "a", "d", "b"]


def test_a_clock_set_back_makes_no_submission_an_early_one(contest, capsys, monkeypatch):
    submit(contest, GOOD)
    evaluate(contest, capsys)
    first = log(contest).entries[0].written
    monkeypatch.setattr(submission_log, "clock", lambda: first - timedelta(days=30))
    submit(contest, BETTER)
    evaluate(contest, capsys)
    assert log(contest).entries[1].received == first


def test_what_is_wrong_with_the_truth_is_not_booked_on_the_teams(contest, capsys):
    submit(contest, BETTER)
    assert evaluate(contest, capsys) == 0
    before = (contest / "results" / "submissions.jsonl").read_bytes()
    truth = contest / "data" / "x" / "test_labels.csv"
    known = truth.read_text()
    truth.unlink()
    assert evaluate(contest, capsys) == 1
    truth.write_text("file\n")
    assert evaluate(contest, capsys) == 1
    assert (contest / "results" / "submissions.jsonl").read_bytes() == before
    truth.write_text(known)
    assert evaluate(contest, capsys) == 0
    assert (contest / "results" / "submissions.jsonl").read_bytes() == before


def test_a_board_nobody_is_on_any_more_is_not_written(contest, capsys):
    submit(contest, BETTER)
    evaluate(contest, capsys)
    board = ["leaderboard", "--task=logo", f"--workspace={contest}"]
    assert main(board) == 0
    written = (contest / "results" / "leaderboard_logo_all.csv").read_bytes()
    (contest / "submissions" / "x_mine.csv").unlink()
    evaluate(contest, capsys)
    assert main(board) == 1
    assert "no submission for the task logo has a score any more. Fix: " in capsys.readouterr().err
    assert (contest / "results" / "leaderboard_logo_all.csv").read_bytes() == written


def test_a_file_that_changes_while_it_is_scored_fails(contest, capsys, monkeypatch):
    submit(contest, BETTER)
    task = registry.task("logo")

    def swapped(case, step):
        submit(contest, GOOD)
        return task.score(case, step)

    monkeypatch.setattr(registry, "task", lambda _: dataclasses.replace(task, score=swapped))
    assert evaluate(contest, capsys) == 1
    assert "changed while it was read" in log(contest).entries[0].reason


def test_a_half_written_last_line_is_left_out_and_then_removed(contest, capsys):
    submit(contest, GOOD)
    evaluate(contest, capsys)
    path = contest / "results" / "submissions.jsonl"
    whole = path.read_text()
    with path.open("a") as file:
        file.write('{"schema_version": 1, "task"')
    assert len(log(contest).entries) == 1
    submit(contest, BETTER)
    evaluate(contest, capsys)
    assert path.read_text().startswith(whole)
    assert [e.number for e in log(contest).entries] == [1, 2]


def test_a_foreign_line_is_located(contest):
    path = contest / "results" / "submissions.jsonl"
    path.parent.mkdir()
    path.write_text(entry().model_dump_json() + "\n" + json.dumps({"task": "x"}) + "\n")
    with pytest.raises(InvalidInput, match=r"submissions\.jsonl, line 2, dataset: this is not an entry"):
        log(contest)


def test_bounds_are_no_submissions(workspace, capsys):
    write_parameters(workspace, rankers=["random"], bounds=["oracle_errors_first"])
    assert main(["create_baselines", f"--workspace={workspace}"]) == 0
    assert main(["evaluate", f"--workspace={workspace}"]) == 0
    capsys.readouterr()
    assert {(e.task, e.team, tuple(e.scores)) for e in log(workspace).entries} == {("cleaning", "random", ("all",))}


def _write_ten(path, team):
    book = SubmissionLog(path)
    for _ in range(10):
        with book.locked():
            number = book.next_number(("logo", "x", "shared", 0))
            book.append(entry(team="shared", number=number, file=team))


def test_two_writers_at_once_never_give_a_number_twice(contest):
    path = Folders.in_workspace(contest).submission_log
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write_ten, args=(path, f"w{number}")) for number in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    assert [e.number for e in log(contest).entries] == list(range(1, 21))
