"""Algorithms are submissions: numbered, kept, counted before they are run, and never run without need."""

import io
import json
import tarfile

import pytest

from evaluation.cli import main
from evaluation.contest.log import SubmissionLog
from evaluation.contract.record import latest, read_records
from evaluation.harness.judging import sets, stage
from evaluation.harness.judging.book import book
from evaluation.sandbox.bare import Bare
from tests.evaluation.harness.killed import killed_at
from tests.support import write_parameters

pytestmark = pytest.mark.usefixtures("at")
FORTH, BACK = 'seq 0 29 >"$2"\n', 'seq 29 -1 0 >"$2"\n'


@pytest.fixture
def contest(folders, monkeypatch):
    """One data id whose rows are always found in the same order, ten minutes between submissions, and no sandbox."""
    rules = {"cleaning": {"rate": {"minutes_apart": 10.0}}}
    write_parameters(folders.parameters_file.parent, rules=rules, datasets={"a": {"ids": ["blobs"]}})
    monkeypatch.setattr(stage, "engine_for", lambda code, **_: (Bare(), code))
    monkeypatch.setattr(sets.secrets, "randbits", lambda _: 7)
    return folders


def archive(path, predict):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as made:
        for name, text in (("setup.sh", "true\n"), ("predict.sh", predict)):
            if text is None:
                continue
            info = tarfile.TarInfo(name)
            info.size = len(text)
            made.addfile(info, io.BytesIO(text.encode()))
    return path


def run(contest, capsys, *arguments):
    status = main([*map(str, arguments), f"--workspace={contest.parameters_file.parent}"])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out + err


def submit(contest, capsys, predict):
    path = archive(contest.parameters_file.parent.parent / "mail" / "theirs.tar", predict)
    return run(contest, capsys, "submit", path, "--team=mine", "--task=cleaning")


def log(contest):
    return SubmissionLog(contest.submission_log).read().entries


def verdicts(contest):
    return [(entry.number, entry.verdict) for entry in log(contest)]


def runs(contest):
    return [json.loads(line)["verdict"] for line in book(contest).read_text().splitlines()]


def stored(contest, team="mine"):
    home = contest.submission_folder / "accepted" / "blobs" / team
    return {int(path.name): (path / f"blobs_{team}.txt").read_text().split() for path in home.iterdir()}


def test_the_rules_are_asked_before_anything_is_run(contest, capsys, at):
    status, text = submit(contest, capsys, FORTH)
    assert status == 0, text
    assert "blobs: accepted as submission 1 of mine to blobs\n  score: score 0." in text
    assert "  next: mine may submit to blobs again from 2021-09-01 12:10:00 UTC\n" in text
    assert "blobs: ok (up to 10% of 600 s, " in text
    assert "30 rows" not in text
    at(5)
    status, text = submit(contest, capsys, FORTH)
    assert (status, "blobs: already accepted as submission 1 of mine" in text) == (0, True), text
    status, text = submit(contest, capsys, BACK)
    assert (status, "10 minutes apart): the next is allowed at 2021-09-01 12:10:00 UTC" in text) == (1, True), text
    assert runs(contest) == ["ok"]
    at(10)
    status, text = submit(contest, capsys, FORTH)  # another run would be a free look at the data
    assert (status, "already accepted as submission 1" in text) == (0, True), text
    assert submit(contest, capsys, BACK)[0] == 0
    assert runs(contest) == ["ok"] * 2
    answers = stored(contest)
    assert sorted(answers) == [1, 2]
    assert answers[1] == answers[2][::-1]
    assert verdicts(contest) == [(1, "accepted"), (1, "ok"), (None, "refused"), (2, "accepted"), (2, "ok")]
    entries = log(contest)
    assert [entry.code_sha256 for entry in entries[:2]] == [entries[0].code_sha256] * 2
    assert {entry.code_sha256 for entry in entries[2:]} == {entries[2].sha256}
    records = latest(read_records(contest.results_file))
    assert [(one.division, one.engine, one.code_sha256) for one in records] == [
        ("closed", "none", entries[2].code_sha256)
    ]
    lines = [contest.results_file.read_bytes(), contest.submission_log.read_bytes()]
    assert "2 submissions, 2 already known" in run(contest, capsys, "evaluate")[1]
    assert [contest.results_file.read_bytes(), contest.submission_log.read_bytes()] == lines


def test_one_that_came_in_between_is_not_overtaken(contest, capsys, monkeypatch):
    assert submit(contest, capsys, FORTH)[0] == 0
    before = stored(contest)
    monkeypatch.setattr(sets, "may_run", lambda *_, **__: None)
    status, text = submit(contest, capsys, BACK)
    assert (status, "not accepted: blobs: " in text) == (1, True), text
    assert stored(contest) == before
    assert verdicts(contest)[2:] == [(None, "refused")]


def test_every_failure_costs_a_try_and_is_logged_with_its_verdict(contest, capsys, at):
    """Else whoever ends with an error or not, as the hidden data say, reads them for nothing."""
    next_one = "  next: mine may submit to blobs again from 2021-09-01 12:{}:00 UTC\n"
    for minutes, predict in ((0, "exit 3\n"), (10, 'echo 0 >"$2"\n'), (20, None), (30, "exit 3\n")):
        at(minutes)
        status, text = submit(contest, capsys, predict)
        assert (status, next_one.format(minutes + 10) in text) == (1, True), text
        assert "mine has made" in submit(contest, capsys, FORTH)[1]
    failed = [entry.reason for entry in log(contest) if entry.verdict == "failed"]
    assert failed[0] == failed[3] == "failed: it ended with an error"
    assert failed[1] == "answer: its answer is not one that the task cleaning accepts"
    assert failed[2].startswith("refused: there is no predict.sh")
    assert runs(contest) == ["failed", "answer", "failed"]
    at(40)
    assert submit(contest, capsys, FORTH)[0] == 0
    assert [entry.verdict for entry in log(contest)] == ["failed", "refused"] * 4 + ["accepted", "ok"]


def test_without_a_rule_nothing_is_said_about_the_next(contest, capsys):
    write_parameters(contest.parameters_file.parent, datasets={"a": {"ids": ["blobs"]}})
    for predict in (FORTH, "exit 3\n", "exit 3\n", BACK):
        assert "next" not in submit(contest, capsys, predict)[1]
    assert [verdict for _, verdict in verdicts(contest)] == ["accepted", "ok", "failed", "failed", "accepted", "ok"]


@pytest.mark.parametrize("step", ["_append", "score"])
def test_the_same_command_finishes_what_was_killed(contest, capsys, monkeypatch, step):
    """Killed after the answer has its number, or before the score; the seconds of the second run are others."""
    with killed_at(step, monkeypatch):
        submit(contest, capsys, FORTH)
    time = contest.submission_folder / "accepted" / "blobs" / "mine" / "1" / "time_blobs_mine.txt"
    time.chmod(0o644)
    time.write_text("7.5\n")
    assert submit(contest, capsys, FORTH)[0] == 0
    assert len(runs(contest)) == (2 if step == "_append" else 1)
    assert verdicts(contest) == [(1, "accepted"), (1, "ok")]
    assert [one.seconds for one in latest(read_records(contest.results_file))] == [7.5]
    assert run(contest, capsys, "evaluate")[0] == 0


def test_an_inbox_runs_each_algorithm_once(contest, capsys, at):
    inbox = contest.parameters_file.parent.parent / "inbox"
    archive(inbox / "one" / "entry.tar", FORTH)
    archive(inbox / "two" / "entry.tar", "exit 3\n")
    archive(inbox / "blobs_three.tar", FORTH)
    status, text = run(contest, capsys, "submit", f"--from-inbox={inbox}", "--task=cleaning")
    assert status == 1
    assert "blobs: accepted as submission 1 of one to blobs" in text
    assert "blobs_three.tar: the name does not say whose it is. Fix: put it into a folder named" in text
    assert sorted(runs(contest)) == ["failed", "ok"]
    at(60)
    text = run(contest, capsys, "submit", f"--from-inbox={inbox}", "--task=cleaning")[1]
    assert "blobs: already accepted as submission 1 of one" in text
    assert "it was run on blobs before (failed: it ended with an error)" in text
    assert len(runs(contest)) == 2
    assert sorted(stored(contest, "one")) == [1]


def test_an_archive_of_answers_and_an_unscored_task_are_refused(contest, capsys):
    path = contest.parameters_file.parent.parent / "blobs_mine.tar"
    with tarfile.open(path, "w") as made:
        made.addfile(tarfile.TarInfo("blobs_mine.txt"))
    status, text = run(contest, capsys, "submit", path, "--team=mine")
    assert (status, "answers are handed in file by file, not in an archive" in text) == (1, True), text
    status, text = run(contest, capsys, "submit", path, "--team=mine", "--task=logo")
    assert (status, "`evaluate` does not score the task logo" in text) == (1, True), text
    assert verdicts(contest) == [(None, "failed")]
    assert not book(contest).exists()
