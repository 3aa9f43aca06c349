"""Rate rules: what they allow and when, and that neither clocks nor haste get round them."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.cli import main
from evaluation.contest.log import SubmissionLog
from evaluation.contest.rate import next_allowed
from evaluation.settings.folders import Folders
from evaluation.settings.rules import Rate
from tests.support import ROOT, START, write_parameters

ORIGINAL = Rate(per_day=5, total=150, minutes_apart=10, accumulate=True)


def made(*minutes):
    return [START + timedelta(minutes=minute) for minute in minutes]


@pytest.mark.parametrize(
    ("times", "now", "rate", "expected"),
    [
        ([], START, ORIGINAL, START),
        (made(0), START + timedelta(minutes=9), ORIGINAL, START + timedelta(minutes=10)),
        (made(0), START + timedelta(minutes=10), ORIGINAL, START + timedelta(minutes=10)),
        (made(0, 10, 20, 30, 40), START + timedelta(hours=2), ORIGINAL, datetime(2021, 9, 2, tzinfo=UTC)),
        (made(0, 10, 20, 30, 40), START + timedelta(days=1), ORIGINAL, START + timedelta(days=1)),
        (made(*range(0, 100, 10)), START + timedelta(hours=2), ORIGINAL, datetime(2021, 9, 3, tzinfo=UTC)),
        (made(*range(0, 1500, 10)), START + timedelta(days=99), ORIGINAL, None),
        (made(0, 1), START + timedelta(hours=1), Rate(per_day=2), datetime(2021, 9, 2, tzinfo=UTC)),
        (made(0, 1), START + timedelta(days=1), Rate(per_day=2), START + timedelta(days=1)),
        (made(719), START + timedelta(minutes=719), Rate(minutes_apart=2), START + timedelta(minutes=721)),
        (made(718, 719), START + timedelta(minutes=719), Rate(per_day=2), datetime(2021, 9, 2, tzinfo=UTC)),
        ([], START, Rate(per_day=1, since=date(2021, 9, 5)), datetime(2021, 9, 5, tzinfo=UTC)),
        (made(0), START, Rate(per_day=1, accumulate=True, since=date(2021, 8, 1)), START),
        (made(0), START, Rate(enabled=False, total=1), START),
        (made(*range(500)), START + timedelta(minutes=499), Rate(), START + timedelta(minutes=499)),
    ],
)
def test_when_the_next_submission_may_come(times, now, rate, expected):
    assert next_allowed(times, now, rate) == expected


@given(st.lists(st.integers(0, 5000), max_size=60), st.integers(1, 4), st.integers(0, 60), st.booleans())
def test_whoever_always_asks_never_gets_more_than_the_rules_say(gaps, per_day, apart, accumulate):
    rate, now, accepted = Rate(per_day=per_day, minutes_apart=float(apart), accumulate=accumulate), START, []
    for gap in gaps:
        now += timedelta(minutes=gap)
        if next_allowed(accepted, now, rate) == now:
            accepted.append(now)
    days = [moment.date() for moment in accepted]
    for number, day in enumerate(days, start=1):
        limit = per_day * ((day - days[0]).days + 1)
        assert number <= limit if accumulate else days.count(day) <= per_day
    pauses = [later - earlier for earlier, later in pairwise(accepted)]
    assert all(pause >= timedelta(minutes=apart) for pause in pauses)


@given(st.lists(st.integers(0, 4000), min_size=1, max_size=30), st.integers(1, 3), st.booleans())
def test_the_time_told_is_the_first_that_is_allowed(minutes, per_day, accumulate):
    rate = Rate(per_day=per_day, minutes_apart=7.0, accumulate=accumulate)
    times = made(*sorted(minutes))
    now = times[-1]
    allowed = next_allowed(times, now, rate)
    assert next_allowed(times, allowed, rate) == allowed
    just_before = max(now, allowed - timedelta(seconds=1))
    assert next_allowed(times, just_before, rate) == allowed


@pytest.fixture
def contest(tmp_path):
    rules = {"logo": {"rate": {"per_day": 2, "total": 3, "minutes_apart": 10.0, "accumulate": True}}}
    write_parameters(tmp_path, tasks=["logo"], rules=rules, datasets={"a": {"task": "logo", "ids": ["x", "y"]}})
    for name in ("x", "y"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "test_labels.csv").write_text("file,category\n1.png,a\n2.png,b\n")
    return tmp_path


def submit(contest, capsys, text, team="mine", name="x_anything.csv"):
    """text: the labels of the two files."""
    path = contest / name
    path.write_text("file,category\n" + "".join(f"{n}.png,{label}\n" for n, label in enumerate(text, start=1)))
    status = main(["submit", str(path), f"--team={team}", f"--workspace={contest}"])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out + err


def log(contest):
    """What was decided about admission, without the scores."""
    entries = SubmissionLog(Folders.in_workspace(contest).submission_log).read().entries
    return [entry for entry in entries if entry.verdict != "ok"]


def test_accepted_and_refused_submissions_are_logged_with_the_next_time(contest, capsys, at):
    status, text = submit(contest, capsys, "ab")
    assert (status, "accepted as submission 1 of mine to x (" in text) == (0, True)
    assert "next: mine may submit to x again from 2021-09-01 12:10:00 UTC" in text
    at(9)
    status, text = submit(contest, capsys, "aa")
    assert status == 1
    assert "mine has made 1 submission (2 a day, accumulating; 10 minutes apart)" in text
    assert "the next is allowed at 2021-09-01 12:10:00 UTC" in text
    assert submit(contest, capsys, "aa", team="theirs")[0] == 0
    assert submit(contest, capsys, "aa", name="y_anything.csv")[0] == 0
    at(10)
    assert submit(contest, capsys, "aa")[0] == 0
    at(20)
    assert "the next is allowed at 2021-09-02 00:00:00 UTC" in submit(contest, capsys, "ba")[1]
    at(24 * 60)
    status, text = submit(contest, capsys, "ba")
    assert (status, "next: mine has no submissions to x left" in text) == (0, True)
    at(99 * 24 * 60)
    assert "mine has used all 3 allowed submissions" in submit(contest, capsys, "bb")[1]
    own = [entry for entry in log(contest) if entry.slot == ("logo", "x", "mine", 0)]
    expected = ["accepted", "refused", "accepted", "refused", "accepted", "refused"]
    assert [entry.verdict for entry in own] == expected
    assert [entry.number for entry in own] == [1, None, 2, None, 3, None]


def test_the_same_file_again_is_no_new_submission(contest, capsys, at):
    submit(contest, capsys, "ab")
    at(1)
    status, text = submit(contest, capsys, "ab")
    assert status == 0
    assert "already accepted as submission 1 of mine to x at 2021-09-01 12:00:00 UTC" in text
    assert "next: mine may submit to x again from 2021-09-01 12:10:00 UTC" in text
    assert len(log(contest)) == 1


def test_a_file_that_is_not_valid_is_logged_once_and_does_not_count(contest, capsys, at):
    for _ in range(2):
        assert "'c' is not a label" in submit(contest, capsys, "ac")[1]
    assert submit(contest, capsys, "ab")[0] == 0
    assert [(entry.verdict, entry.number) for entry in log(contest)] == [("failed", None), ("accepted", 1)]


def test_a_clock_set_back_opens_nothing(contest, capsys, at):
    at(3 * 24 * 60)
    submit(contest, capsys, "ab")
    for minutes in (0, 2 * 24 * 60, 3 * 24 * 60 - 2):
        at(minutes)
        status, text = submit(contest, capsys, "aa")
        assert status == 1
        assert "submissions.jsonl, line 1: its time (2021-09-04 12:00:00 UTC) is later than this machine's" in text
    at(3 * 24 * 60 - 0.5)
    assert "the next is allowed at 2021-09-04 12:10:00 UTC" in submit(contest, capsys, "aa")[1]


def test_a_clock_set_forward_gains_nothing_that_does_not_count_later(contest, capsys, at):
    submit(contest, capsys, "ab")
    at(24 * 60)
    assert submit(contest, capsys, "aa")[0] == 0
    at(15)
    assert submit(contest, capsys, "ba")[0] == 1
    at(24 * 60 + 15)
    assert submit(contest, capsys, "ba")[0] == 0
    at(24 * 60 + 30)
    assert submit(contest, capsys, "bb")[0] == 1


def test_a_name_that_is_no_name_is_refused(contest, capsys, at):
    for team in (" ", "a/b", " a", ".", "..", ".git", "__MACOSX", "a\nb", "x" * 101):
        status, text = submit(contest, capsys, "ab", team=team)
        assert status == 1
        assert "this is not a valid team name" in text
    status, text = submit(contest, capsys, "ab", team="🙂" * 70)
    assert (status, "would be too long. Fix: choose a shorter name" in text) == (1, True)
    assert not (contest / "results").exists()
    assert list((contest / "submissions").rglob("*")) == []


def test_two_at_once_do_not_both_pass(contest):
    """Two processes, one allowance: the lock lets one of them in."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COVERAGE_PROCESS_START": ""}
    running = []
    for number, labels in enumerate(("aa", "ab")):
        path = contest / f"x_{number}.csv"
        path.write_text(f"file,category\n1.png,{labels[0]}\n2.png,{labels[1]}\n")
        arguments = ["submit", str(path), "--team=mine", f"--workspace={contest}"]
        running.append(
            subprocess.Popen(
                [sys.executable, "-m", "evaluation.cli", *arguments],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
        )
    for process in running:
        process.communicate()
    assert sorted(process.returncode for process in running) == [0, 1]
    assert sorted(entry.verdict for entry in log(contest)) == ["accepted", "refused"]
    for line in (contest / "results" / "submissions.jsonl").read_text().splitlines():
        assert json.loads(line)["team"] == "mine"


def test_a_team_whose_file_would_answer_another_data_id_is_refused(contest, capsys):
    write_parameters(contest, tasks=["logo"], datasets={"a": {"task": "logo", "ids": ["x", "x_b"]}})
    status, text = submit(contest, capsys, "ab", team="b_victim", name="x.csv")
    assert status == 1
    assert "x_b_victim.csv would be an answer to the data id x_b, not x. Fix: choose another team name" in text
    assert submit(contest, capsys, "ab", team="bvictim", name="x.csv")[0] == 0


def test_a_team_that_looks_like_another_is_refused(contest, capsys, at):
    assert submit(contest, capsys, "ab", team="Team é")[0] == 0
    for team in ("team é", "TEAM É", "Ｔeam é"):
        status, text = submit(contest, capsys, "aa", team=team)
        assert status == 1
        assert "looks like 'Team é', a team that has submitted. Fix: write the name the same way" in text
    at(10)
    assert submit(contest, capsys, "aa", team="Team e\u0301")[0] == 0
