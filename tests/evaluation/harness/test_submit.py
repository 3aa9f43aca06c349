"""Nothing that was accepted is lost: whatever is killed, handed in twice, swapped, changed or scored again later."""

import errno
import json
import os
import signal
import time

import pytest

from evaluation.cli import main
from evaluation.contest import accepted
from evaluation.contest.log import SubmissionLog
from evaluation.contract.record import latest, read_records
from evaluation.files.lock import only_writer
from evaluation.harness import results
from evaluation.settings.folders import Folders
from tests.crash.trials import Child, wait
from tests.evaluation.harness.killed import killed_at
from tests.support import noisy_blobs, write_dataset, write_parameters

pytestmark = pytest.mark.usefixtures("at")
TRUTH = "abab"
"""The labels of the four files. The first and the last are public, the others private."""


@pytest.fixture
def contest(tmp_path):
    block = {"task": "logo", "ids": ["x"], "split": {"file": "public.txt"}}
    rules = {"logo": {"counts": "best", "rate": {"minutes_apart": 10.0}}}
    write_parameters(tmp_path, tasks=["logo"], rules=rules, datasets={"a": block})
    (tmp_path / "data" / "x").mkdir(parents=True)
    truth(tmp_path, TRUTH)
    (tmp_path / "data" / "x" / "public.txt").write_text("1.png\n4.png\n")
    return tmp_path


def truth(contest, labels):
    (contest / "data" / "x" / "test_labels.csv").write_text(answer(labels))


def answer(labels):
    return "file,category\n" + "".join(f"{n}.png,{label}\n" for n, label in enumerate(labels, start=1))


def handed_in(contest, labels, name="x_file.csv"):
    path = contest / "mail" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(answer(labels))
    return path


def run(contest, capsys, *arguments):
    status = main([*map(str, arguments), f"--workspace={contest}"])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out + err


def submit(contest, capsys, labels, team="mine"):
    return run(contest, capsys, "submit", handed_in(contest, labels), f"--team={team}")


def log(contest):
    return SubmissionLog(Folders.in_workspace(contest).submission_log).read().entries


def verdicts(contest, team="mine"):
    return [(entry.number, entry.verdict) for entry in log(contest) if entry.team == team]


def stored(contest, team="mine"):
    home = contest / "submissions" / "accepted" / "x" / team
    return {int(path.name): (path / f"x_{team}.csv").read_text() for path in home.iterdir()}


def board(contest, capsys, name="public"):
    assert run(contest, capsys, "leaderboard", "--task=logo", f"--board={name}")[0] == 0
    lines = (contest / "results" / f"leaderboard_logo_{name}.csv").read_text().splitlines()
    return {cells[3]: float(cells[5]) for cells in (line.split(",") for line in lines[1:])}


def start(contest, *arguments):
    """The command in a forked process, which has everything imported already, but none of our files and locks."""
    return Child([*map(str, arguments), f"--workspace={contest}"], lambda: os.closerange(3, 256))


def test_what_is_accepted_is_kept_and_scored_at_once(contest, capsys, at):
    status, text = submit(contest, capsys, "abbb")
    assert status == 0
    assert "x_file.csv: accepted as submission 1 of mine to x (" in text
    assert "  score on the public part: f2_macro 1.000000 (higher is better)\n" in text
    assert "  next: mine may submit to x again from 2021-09-01 12:10:00 UTC\n" in text
    assert "private" not in text
    at(10)
    assert "f2_macro 0.000000" in submit(contest, capsys, "babb"[:3] + "a")[1]
    assert stored(contest) == {1: answer("abbb"), 2: answer("baba")}
    assert verdicts(contest) == [(1, "accepted"), (1, "ok"), (2, "accepted"), (2, "ok")]
    assert [entry.file for entry in log(contest)] == ["x_file.csv"] * 4
    assert board(contest, capsys) == {"mine": 1.0}
    current = latest(read_records(contest / "results" / "results.jsonl"))
    assert [record.boards["public"].metrics["f2_macro"] for record in current] == [1.0]


def test_two_accepted_between_two_evaluations_are_both_scored(contest, capsys, at, monkeypatch):
    """The order of the day on which a team lost its best submission: a good one, then a bad one, then `evaluate`."""
    monkeypatch.setattr("evaluation.harness.settle._score", lambda *_: True)
    for minutes, labels in ((0, "abab"), (10, "baba"), (20, "abab")):
        at(minutes)
        assert submit(contest, capsys, labels)[0] == 0
    assert verdicts(contest) == [(1, "accepted"), (2, "accepted"), (3, "accepted")]
    status, text = run(contest, capsys, "evaluate")
    assert status == 0
    assert "logo: 3 submissions, 0 already known, 3 to score" in text
    assert board(contest, capsys) == {"mine": 1.0}
    assert board(contest, capsys, "private") == {"mine": 1.0}
    records = (contest / "results" / "results.jsonl").read_bytes()
    lines = (contest / "results" / "submissions.jsonl").read_bytes()
    assert run(contest, capsys, "evaluate")[1].startswith("logo: 3 submissions, 3 already known, 0 to score")
    assert (contest / "results" / "results.jsonl").read_bytes() == records
    assert (contest / "results" / "submissions.jsonl").read_bytes() == lines


def test_all_are_judged_again_when_the_truth_has_changed(contest, capsys, at):
    for minutes, labels in ((0, "abab"), (10, "baba")):
        at(minutes)
        assert submit(contest, capsys, labels)[0] == 0
    before = [entry.received for entry in log(contest)]
    truth(contest, "baba")
    assert run(contest, capsys, "evaluate")[0] == 0
    assert verdicts(contest)[4:] == [(1, "ok"), (2, "ok")]
    assert [entry.received for entry in log(contest)][4:] == [before[0], before[2]]
    assert [entry.scores["public"]["f2_macro"] for entry in log(contest)[4:]] == [0.0, 1.0]
    size = (contest / "results" / "submissions.jsonl").stat().st_size
    assert run(contest, capsys, "evaluate")[0] == 0
    assert (contest / "results" / "submissions.jsonl").stat().st_size == size
    truth(contest, "abac")  # now neither has an answer for a class, and later for a file
    (contest / "data" / "x" / "test_labels.csv").write_text(answer("ababa"))
    for _ in range(3):
        assert run(contest, capsys, "evaluate")[0] == 1
        sizes = [path.stat().st_size for path in sorted((contest / "results").glob("*.jsonl"))]
    assert run(contest, capsys, "evaluate")[0] == 1
    assert [path.stat().st_size for path in sorted((contest / "results").glob("*.jsonl"))] == sizes


@pytest.mark.parametrize("step", ["keep", "_append", "score"])
def test_a_kill_loses_nothing_and_the_same_command_finishes(contest, capsys, monkeypatch, step):
    """Killed before and after the file has its number, after the log has it, and before the score."""
    with killed_at(step, monkeypatch):
        submit(contest, capsys, "abab")
    assert verdicts(contest) == ([(1, "accepted")] if step == "score" else [])
    other = "baba" if step == "_append" else "abab"  # what is stored is never replaced, whether it was accepted or not
    status, text = submit(contest, capsys, other)
    assert status == 0
    assert ("already accepted" in text) == (step == "score")
    number = 2 if step == "_append" else 1
    assert verdicts(contest) == [(number, "accepted"), (number, "ok")]
    assert stored(contest)[number] == answer(other)
    status, text = run(contest, capsys, "evaluate")
    assert (status, "it does not have these stored submissions" in text) == (0, step == "_append")
    assert not list((contest / "submissions").rglob(".*"))


def test_a_real_kill_at_any_moment(contest, capsys):
    """SIGKILL at moments spread over the whole command; then the file is accepted once and scored once."""
    path = handed_in(contest, "abab")
    began = time.monotonic()
    assert wait(start(contest, "submit", path, "--team=first"))[0] == 0
    whole = time.monotonic() - began
    for number in range(16):
        team = f"t{number}"
        child = start(contest, "submit", path, f"--team={team}")
        time.sleep(whole * number / 16)
        os.kill(child.id, signal.SIGKILL)
        text = wait(child)[1]
        known = verdicts(contest, team)
        assert known in ([], [(1, "accepted")], [(1, "accepted"), (1, "ok")])
        assert known or "accepted as" not in text
        assert submit(contest, capsys, "abab", team=team)[0] == 0
        assert verdicts(contest, team) == [(1, "accepted"), (1, "ok")]
        assert stored(contest, team) == {1: answer("abab")}


def test_two_of_a_team_at_once_are_two_submissions_or_one(contest):
    write_parameters(contest, tasks=["logo"], datasets={"a": {"task": "logo", "ids": ["x"]}})
    paths = [handed_in(contest, labels, f"x_{number}.csv") for number, labels in enumerate(("abab", "abab", "baba"))]
    done = [wait(child) for child in [start(contest, "submit", path, "--team=mine") for path in paths]]
    assert [status for status, _ in done] == [0, 0, 0], done
    numbers = sorted(number for number, verdict in verdicts(contest) if verdict == "accepted")
    assert numbers in ([1, 2], [1, 2, 3])  # the equal files count twice only if the other one came between them
    assert sorted(stored(contest)) == numbers
    assert sum("already accepted" in text for _, text in done) == 3 - len(numbers)
    assert len(verdicts(contest)) == 2 * len(numbers)


def test_a_full_disk_accepts_nothing(contest, capsys, monkeypatch):
    def no_room(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for place in ("evaluation.files.whole.os.fsync", "evaluation.contest.log.append_line"):
        with monkeypatch.context() as patch:
            patch.setattr(place, no_room)
            status, text = submit(contest, capsys, "abab")
        assert status == 1
        assert os.strerror(errno.ENOSPC) in text
        assert "accepted as" not in text
        assert verdicts(contest) == []
        assert not list((contest / "submissions").rglob(".*"))
    assert submit(contest, capsys, "abab")[0] == 0
    assert stored(contest) == {1: answer("abab")}


def test_a_file_that_changes_meanwhile_is_kept_as_it_was_checked(contest, capsys, monkeypatch):
    path = handed_in(contest, "abab")
    real = accepted.copy_in

    def copied(source, target, limit):
        real(source, target, limit)
        path.write_text("something else\n")

    monkeypatch.setattr(accepted, "copy_in", copied)
    assert run(contest, capsys, "submit", path, "--team=mine")[0] == 0
    assert stored(contest) == {1: answer("abab")}


def test_links_pipes_and_folders_are_refused(contest, capsys):
    secret = contest / "data" / "x" / "test_labels.csv"
    place = contest / "mail"
    place.mkdir()
    (place / "x_link.csv").symlink_to(secret)
    (place / "x_link.zip").symlink_to(secret)
    (place / "x_gone.csv").symlink_to(place / "nothing.csv")
    os.mkfifo(place / "x_pipe.csv")
    (place / "x_folder.csv").mkdir()
    (place / "x_entry.py").write_text("def rank(): ...\n")
    with (place / "x_huge.csv").open("wb") as file:
        file.truncate(accepted.LARGEST + 1)
    expected = {
        "x_link.csv": "this is a link",
        "x_gone.csv": "this is a link",
        "x_pipe.csv": "this is not a regular file",
        "x_folder.csv": "the folder has none of rank.py, __init__.py and mlcube.yaml",
        "x_entry.py": "the task logo takes no rankers",
        "x_link.zip": "this is a link",
        "x_huge.csv": "more than the",
        "x_nothing.csv": "there is no such file",
        "odd.txt": "there is no such file",
    }
    for name, problem in expected.items():
        status, text = run(contest, capsys, "submit", place / name, "--team=mine")
        assert (status, problem in text) == (1, True), text
    assert not (contest / "results").exists()
    (place / "time_x_timed.txt").symlink_to(secret)
    handed_in(contest, "abab", "x_timed.csv")
    status, text = run(contest, capsys, "submit", place / "x_timed.csv", "--team=mine")
    assert (status, "time_x_timed.txt: this is a link" in text) == (1, True)


def test_errors_name_the_file_that_was_handed_in(contest, capsys):
    path = handed_in(contest, "abaz")
    status, text = run(contest, capsys, "submit", path, "--team=mine")
    assert status == 1
    assert text.startswith(f"error: {path}, ")
    path.with_suffix(".seconds").write_text("soon\n")
    path.write_text(answer("abab"))
    assert f"error: {path.with_suffix('.seconds')}, line 1: 'soon' is not" in submit(contest, capsys, "abab")[1]
    assert [entry.verdict for entry in log(contest)] == ["failed", "failed"]
    (contest / "data" / "x" / "test_labels.csv").write_text("garbage\n")
    path.with_suffix(".seconds").unlink()
    assert submit(contest, capsys, "abab")[0] == 1
    assert len(log(contest)) == 2  # the organiser's file is at fault, and nobody is blamed


def test_task_and_data_id_are_found(contest, capsys, at):
    for minutes, name in ((0, "x.csv"), (10, "x_any thing.csv"), (20, "answer.csv")):  # there is only one data id
        at(minutes)
        path = handed_in(contest, "abab"[: 2 + minutes // 10].ljust(4, "b"), name)
        assert run(contest, capsys, "submit", path, "--team=mine")[0] == 0
    block = {"task": "logo", "ids": ["x", "x-b"]}
    other = {"task": "zero_shot", "ids": ["names"]}
    write_parameters(contest, tasks=["logo"], datasets={"a": block, "z": other})
    for name, problem in {
        "answer.csv": "name it DATAID_NAME.csv; known: names, x, x-b",
        "names_mine.json": "the task zero_shot, which `evaluate` does not score. Fix: add zero_shot to `tasks:`",
        "x_mine.json": "the task logo does not read the suffix '.json'. Fix: name it x_NAME.csv",
    }.items():
        status, text = run(contest, capsys, "submit", handed_in(contest, "abab", name), "--team=mine")
        assert (status, problem in text) == (1, True), text
    status, text = run(contest, capsys, "submit", handed_in(contest, "abab"), "--team=mine", "--task=zero_shot")
    assert (status, "known: names" in text) == (1, True), text


def test_nobody_takes_the_place_of_somebody_else(contest, capsys):
    """Neither a team that of a baseline, nor a file in submissions/ that of an accepted one."""
    (contest / "submissions").mkdir()
    baseline = contest / "submissions" / "x_baseline.csv"
    baseline.write_text(answer("abab"))
    status, text = submit(contest, capsys, "abab", team="baseline")
    assert (status, "this file is already an answer of 'baseline'" in text) == (1, True)
    assert submit(contest, capsys, "abaa")[0] == 0
    smuggled = contest / "submissions" / "x_mine.csv"
    smuggled.write_text(answer("abab"))
    status, text = run(contest, capsys, "evaluate")
    assert status == 1
    assert "mine submits to x with `fixfirst submit`, and this file was not accepted" in text
    assert verdicts(contest) == [(1, "accepted"), (1, "ok")]
    smuggled.write_text(answer("abaa"))  # a copy of what was accepted
    assert run(contest, capsys, "evaluate")[0] == 0


def test_a_stored_file_that_is_lost_or_changed_is_said_and_keeps_its_score(contest, capsys, at):
    assert submit(contest, capsys, "abab")[0] == 0
    at(10)
    assert submit(contest, capsys, "abaa")[0] == 0
    first = contest / "submissions" / "accepted" / "x" / "mine" / "1"
    path = first / "x_mine.csv"
    with pytest.raises(PermissionError) if os.geteuid() else pytest.MonkeyPatch.context():
        path.write_text(answer("abab"))
    path.chmod(0o644)
    path.write_text(answer("bbbb"))
    status, text = run(contest, capsys, "evaluate")
    assert status == 1
    assert "the file of submission 1 of mine to x, which was accepted, has been changed. Fix: restore" in text
    path.unlink()
    first.rmdir()
    status, text = run(contest, capsys, "evaluate")
    assert (status, "which was accepted, is missing" in text) == (1, True)
    assert board(contest, capsys) == {"mine": 1.0}
    assert verdicts(contest) == [(1, "accepted"), (1, "ok"), (2, "accepted"), (2, "ok")]


def test_an_organiser_who_loses_the_log_or_renames_things_loses_no_file(contest, capsys, at):
    assert submit(contest, capsys, "abab")[0] == 0
    (contest / "results" / "submissions.jsonl").unlink()
    status, text = run(contest, capsys, "evaluate")
    assert status == 1
    assert "it does not have these stored submissions, which are not scored (1 in all:" in text
    assert submit(contest, capsys, "baba")[0] == 0
    assert stored(contest) == {1: answer("abab"), 2: answer("baba")}
    assert verdicts(contest) == [(2, "accepted"), (2, "ok")]
    at(10)
    block = {"task": "logo", "ids": ["x", "x_mine"]}  # another first seed, and a data id that looks like a team
    write_parameters(contest, tasks=["logo"], seeds=[7], datasets={"a": block})
    assert submit(contest, capsys, "abaa")[0] == 0
    assert stored(contest)[3] == answer("abaa")
    assert len(stored(contest)) == 3


def test_an_inbox_is_taken_as_often_as_it_takes(contest, capsys, at):
    inbox = contest / "inbox"
    (inbox / "two words").mkdir(parents=True)
    for age, (name, labels) in enumerate(
        {"x_flat.csv": "abab", "two words/x_a.csv": "abab", "two words/x_b.csv": "baba", "x_bad.csv": "abzz"}.items()
    ):
        (inbox / name).write_text(answer(labels))
        os.utime(inbox / name, (1e9 + age, 1e9 + age))
    (inbox / "x_flat.seconds").write_text("1.5\n")
    (inbox / "x_link.csv").symlink_to(contest / "data" / "x" / "test_labels.csv")
    (inbox / "other").symlink_to(inbox / "two words")
    (inbox / ".DS_Store").write_text("")
    (inbox / "nobody.csv").write_text(answer("abab"))
    (inbox / "odd\nname").mkdir()
    (inbox / "odd\nname" / "x_c.csv").write_text(answer("abab"))
    status, text = run(contest, capsys, "submit", f"--from-inbox={inbox}")
    assert status == 1
    assert text.count(": accepted as submission 1 of") == 2
    assert "x_b.csv: two words has made 1 submission (10 minutes apart): the next is allowed at" in text
    assert text.count("this is a link") == 2
    assert "/inbox/odd\\nname: as the name of a team: this is not a valid team name. Fix: use up to 100" in text
    assert "nobody.csv: the name does not start with a known data id" in text
    before = (contest / "results" / "submissions.jsonl").read_bytes()
    status, text = run(contest, capsys, "submit", f"--from-inbox={inbox}")
    assert text.count("already accepted") == 2
    assert (contest / "results" / "submissions.jsonl").read_bytes() == before
    at(10)
    assert "accepted as submission 2 of two words to x" in run(contest, capsys, "submit", f"--from-inbox={inbox}")[1]
    at(20)
    text = run(contest, capsys, "submit", f"--from-inbox={inbox}")[1]
    assert text.count("already accepted as submission") == 3
    assert verdicts(contest, "flat") == [(1, "accepted"), (1, "ok")]
    for odd in ([f"--from-inbox={inbox}", "--team=a"], ["--team=a"], [str(inbox)], [f"--from-inbox={inbox}/no"]):
        assert run(contest, capsys, "submit", *odd)[0] == 1


def test_an_inbox_reads_every_line_of_results_and_log_once(contest, capsys, monkeypatch):
    (contest / "inbox").mkdir()
    for number in range(4):
        (contest / "inbox" / f"x_team {number}.csv").write_text(answer("abab"))
    records, lines = [], []
    one, other = results.records_in, SubmissionLog._parsed
    monkeypatch.setattr(results, "records_in", lambda *part, **at: records.append(part[0]) or one(*part, **at))
    monkeypatch.setattr(SubmissionLog, "_parsed", lambda log, line: lines.append(line) or other(log, line))
    for _ in range(2):
        records.clear()
        lines.clear()
        assert run(contest, capsys, "submit", f"--from-inbox={contest / 'inbox'}")[0] == 0
        assert b"".join(records) == (contest / "results" / "results.jsonl").read_bytes()
        assert lines == (contest / "results" / "submissions.jsonl").read_bytes().splitlines()


def test_odd_names_of_files_and_teams_stay_on_one_line(contest, capsys, at):
    name = os.fsdecode(b"x_\xff\n[bold]\x1b[31m.csv")
    for minutes, team in enumerate(("-rf", "a..", "a b", "=1+1", "x_x", "عربي", "con", "[bold]")):
        at(10 * minutes)
        status, text = run(contest, capsys, "submit", handed_in(contest, "abab", name), f"--team={team}")
        assert status == 0, text
        assert "\x1b" not in text
        assert stored(contest, team) == {1: answer("abab")}
    assert run(contest, capsys, "evaluate")[0] == 0
    assert len(board(contest, capsys)) == 8
    for line in (contest / "results" / "submissions.jsonl").read_text().splitlines():
        assert json.loads(line)["file"].isprintable()


def test_a_ranking_with_its_time_is_kept_and_scored(tmp_path, capsys):
    write_parameters(tmp_path, datasets={"made": {"ids": ["blobs"]}}, bounds=["oracle_errors_first"])
    write_dataset(tmp_path, *noisy_blobs("blobs", n=24))
    (tmp_path / "mail").mkdir()
    path = tmp_path / "mail" / "blobs_x.txt"
    path.write_text("".join(f"{row}\n" for row in range(24)))
    path.with_name("time_blobs_x.txt").write_text("4.5\n")
    status, text = run(tmp_path, capsys, "submit", path, "--team=mine")
    assert status == 0
    assert "24 rows, 4.5 s" in text
    assert "  score: score 0." in text
    records = latest(read_records(tmp_path / "results" / "results.jsonl"))
    assert [(record.method, record.seconds) for record in records] == [("mine", 4.5)]
    assert run(tmp_path, capsys, "evaluate")[0] == 0
    status, text = run(tmp_path, capsys, "submit", path, "--team=oracle_influence")
    assert (status, "is the name of a bound" in text) == (1, True)


def test_a_submission_is_accepted_while_evaluate_is_busy_and_scored_after_it(contest):
    results, texts = contest / "results", []
    with only_writer(results, texts.append):
        child = start(contest, "submit", handed_in(contest, "abab"), "--team=mine")
        while not (results / "submissions.jsonl").exists() or not verdicts(contest):
            time.sleep(0.01)
        assert verdicts(contest) == [(1, "accepted")]
    assert wait(child)[0] == 0
    assert verdicts(contest) == [(1, "accepted"), (1, "ok")]


def test_nobody_writes_the_note_of_the_closed_division(contest, capsys):
    """Neither beside a file that is handed in, nor in submissions/, nor with an accepted file."""
    note = '{"engine": "bwrap", "code_sha256": "0"}\n'
    (contest / "mail").mkdir()
    (contest / "submissions").mkdir()
    (contest / "mail" / ".x_file.csv.division").write_text(note)
    (contest / "submissions" / ".x_loose.csv.division").write_text(note)
    (contest / "submissions" / "x_loose.csv").write_text(answer("abab"))
    assert submit(contest, capsys, "abab")[0] == 0
    assert run(contest, capsys, "evaluate")[0] == 0
    records = latest(read_records(contest / "results" / "results.jsonl"))
    assert [(one.method, one.division) for one in records] == [("loose", "open"), ("mine", "open")]
    stored_at = contest / "submissions" / "accepted" / "x" / "mine" / "1"
    assert [path.name for path in stored_at.iterdir()] == ["x_mine.csv"]
    (stored_at / ".x_mine.csv.division").write_text(note)
    status, text = run(contest, capsys, "evaluate")
    assert (status, "the note about the algorithm of submission 1 of mine to x has been changed" in text) == (1, True)
