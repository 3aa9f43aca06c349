import errno
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.errors import FixfirstError, InvalidInput
from evaluation.labels.decisions import DecisionLog, Entry, Shown, now, read_entries, reviewer
from evaluation.labels.verdicts import Verdicts
from tests.support import ROOT

START = datetime(2026, 1, 1, tzinfo=UTC)


def entry(row=0, verdict="keep", label=None, by="ann", second=0):
    at = START + timedelta(seconds=second)
    return Entry(id=f"r{row}", row=row, hash="ab", verdict=verdict, label=label, by=by, at=at)


def test_a_decision_is_one_line_and_comes_back_as_it_was(tmp_path):
    log = DecisionLog(tmp_path / "decisions.jsonl")
    shown = Shown(given="cat", suggested="dog", probability=0.9, suspicion=0.95, place=3, round=2)
    made = entry(verdict="label", label="dog\n", second=1.5).model_copy(update={"shown": shown})
    assert log.append(lambda: [made]) == [made]
    text = log.path.read_text()
    assert text.count("\n") == 1
    assert json.loads(text)["at"] == "2026-01-01T00:00:01.500Z"
    assert DecisionLog(log.path).read().entries == [made] == log.entries == [*read_entries(log.path).values()]
    assert now().microsecond % 1000 == 0


def test_two_logs_on_one_file_see_each_others_lines_and_lose_none(tmp_path):
    one, two = (DecisionLog(tmp_path / "decisions.jsonl") for _ in range(2))
    one.append(lambda: [entry(1)])
    seen = []
    two.append(lambda: seen.append(len(two.entries)) or [entry(2)])
    assert seen == [1]
    one.append(lambda: [entry(3), entry(4)])
    assert [found.row for found in two.read().entries] == [1, 2, 3, 4]


WRITER = """
import sys
from pathlib import Path
from evaluation.labels.decisions import DecisionLog, Entry, now
log = DecisionLog(Path(sys.argv[1]))
for row in range(int(sys.argv[3])):
    log.append(lambda: [Entry(id=f"r{row}", row=row, hash="ab", verdict="keep", by=sys.argv[2], at=now())])
    print(row, flush=True)
"""


def writer(path, name, lines):
    command = [sys.executable, "-c", WRITER, str(path), name, str(lines)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'cleaning'}"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)


@pytest.mark.slow
def test_processes_at_once_lose_nothing_and_what_a_killed_one_said_is_there(tmp_path):
    path = tmp_path / "decisions.jsonl"
    with writer(path, "killed", 100_000) as killed, writer(path, "b", 40) as b, writer(path, "c", 40) as c:
        said = [int(killed.stdout.readline()) for _ in range(30)]
        killed.send_signal(signal.SIGKILL)
        said += [int(line) for line in killed.stdout.read().split()]
        assert b.wait() == c.wait() == 0
    found = DecisionLog(path).mended(print).entries
    rows = {name: [one.row for one in found if one.by == name] for name in ("killed", "b", "c")}
    assert rows["b"] == rows["c"] == list(range(40))
    assert rows["killed"][: len(said)] == said
    assert len(rows["killed"]) <= len(said) + 1


@given(cut=st.integers(0, 400))
def test_a_torn_last_line_is_removed_and_a_whole_one_is_kept(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("log") / "decisions.jsonl"
    DecisionLog(path).append(lambda: [entry(1), entry(2)])
    content = path.read_bytes()[: max(len(entry(1).model_dump_json()) + 1, cut)]
    path.write_bytes(content)
    whole = [json.loads(line)["row"] for line in content.split(b"\n") if line.endswith(b"}}")]
    log = DecisionLog(path)
    assert [found.row for found in log.read().entries] == whole
    log.append(lambda: [entry(3)])
    assert [found.row for found in DecisionLog(path).read().entries] == [*whole, 3]


def test_a_cut_off_line_is_said_once_and_a_log_on_a_read_only_disk_is_read(tmp_path, monkeypatch):
    path, said = tmp_path / "decisions.jsonl", []
    DecisionLog(path).append(lambda: [entry(1), entry(2)])
    path.write_bytes(content := path.read_bytes()[:-20])
    writable, opened = os.access, Path.open
    monkeypatch.setattr(os, "access", lambda one, mode: mode != os.W_OK and writable(one, mode))
    monkeypatch.setattr(Path, "open", lambda self, mode="r", *more, **how: opened(self, _reading(mode), *more, **how))
    assert [one.row for one in DecisionLog(path).mended(said.append).entries] == [1]
    assert path.read_bytes() == content
    monkeypatch.undo()
    for _ in range(2):
        assert [one.row for one in DecisionLog(path).mended(said.append).entries] == [1]
    assert [line.partition('"row":')[0] for line in said] == [
        f'{path}: its last line is cut off, so this decision does not count: {{"id":"r2",'
    ] * 2


def test_a_whole_last_line_without_its_newline_counts_on_a_read_only_disk(tmp_path, monkeypatch):
    path, said = tmp_path / "decisions.jsonl", []
    DecisionLog(path).append(lambda: [entry(1), entry(2)])
    path.write_bytes(path.read_bytes().removesuffix(b"\n"))
    log = DecisionLog(path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda _, mode: mode != os.W_OK)
        assert [one.row for one in log.mended(said.append).entries] == [1, 2]
    assert [one.row for one in log.read().entries] == [1, 2]
    DecisionLog(path).append(lambda: [entry(3)])
    assert [one.row for one in log.read().entries] == [1, 2, 3]
    log.append(lambda: [entry(4)])
    assert [one.row for one in DecisionLog(path).read().entries] == [1, 2, 3, 4]
    assert said == []


def _reading(mode):
    if set("wa+x") & set(mode):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    return mode


BROKEN = {
    "text": ("oops", "this is not a decision"),
    "number": ("3", "this is not a decision"),
    "unknown key": ({"colour": "red"}, "colour: this is not a decision"),
    "verdict": ({"verdict": "burn"}, "verdict: this is not a decision"),
    "no label": ({"verdict": "label"}, "a label belongs to the verdict `label`"),
    "a label too much": ({"label": "cat"}, "a label belongs to the verdict `label`"),
    "row": ({"row": -1}, "row: this is not a decision"),
    "no zone": ({"at": "2026-01-01T00:00:00"}, "at: this is not a decision"),
    "hash": ({"hash": "../etc"}, "hash: this is not a decision"),
    "NaN": ('{"shown": {"suspicion": NaN}}', "this is not a decision"),
    "surrogate": ({"id": "\ud800"}, "this is not a decision"),
    "nobody": ({"by": ""}, "by: this is not a decision"),
    "much": ({"id": "x" * 2_000_000}, "a decision has at most 1048576"),
}


@pytest.mark.parametrize("change", BROKEN, ids=str)
def test_a_broken_line_is_named(tmp_path, change):
    content, problem = BROKEN[change]
    line = content if isinstance(content, str) else json.dumps(json.loads(entry().model_dump_json()) | content)
    path = tmp_path / "decisions.jsonl"
    path.write_text(entry().model_dump_json() + "\n" + line + "\n" + entry().model_dump_json() + "\n")
    for read in (DecisionLog(path).read, lambda: DecisionLog(path).mended(print), lambda: read_entries(path)):
        with pytest.raises(InvalidInput, match=f"{path}, line 2.*{problem}.* Fix: correct or remove the line") as info:
            read()
        assert len(str(info.value)) < 700


def test_bytes_that_are_not_text_and_repeated_keys_are_named(tmp_path):
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b"\xff\xfe\n")
    with pytest.raises(InvalidInput, match="line 1: this is not a decision"):
        DecisionLog(path).read()
    path.write_text(entry().model_dump_json().replace('"row"', '"row":4,"row"') + "\n")
    with pytest.raises(InvalidInput, match="line 1: the key 'row' appears twice"):
        DecisionLog(path).read()


def test_a_file_that_lost_lines_is_refused_and_a_full_disk_changes_nothing(tmp_path, monkeypatch):
    log = DecisionLog(tmp_path / "decisions.jsonl")
    log.append(lambda: [entry(1)])
    before = log.path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(FixfirstError, match="No space left on device"):
            log.append(lambda: [entry(2)])
    assert log.path.read_bytes() == before
    log.path.write_bytes(b"")
    with pytest.raises(InvalidInput, match="shorter than when it was last read"):
        log.read()


def test_a_log_that_is_gone_is_not_made_anew(tmp_path):
    """As while somebody moves the review folder; once it is back, the log goes on."""
    folder = tmp_path / "photos_review"
    folder.mkdir()
    empty, log = (DecisionLog(folder / name) for name in ("empty.jsonl", "decisions.jsonl"))
    log.append(lambda: [entry(1)])
    folder.rename(tmp_path / "moved")
    for one in (empty, log):
        with pytest.raises(InvalidInput, match=r"it is no longer there. Fix: put the review folder back"):
            one.append(lambda: [entry(2)])
    assert not folder.exists()
    (tmp_path / "moved").rename(folder)
    log.append(lambda: [entry(2)])
    assert [one.row for one in DecisionLog(log.path).read().entries] == [1, 2]
    log.path.unlink()
    with pytest.raises(InvalidInput, match="it is no longer there"):
        log.append(lambda: [entry(3)])
    assert not any(folder.iterdir())


def test_a_reviewers_name_is_one_that_can_be_shown():
    assert reviewer(" Zoe\u0308 ") == "Zoë"
    for name in ("", "  ", "a\nb", "a\u202eb", "x" * 101):
        with pytest.raises(InvalidInput, match="--as"):
            reviewer(name)


def test_the_later_decision_wins_and_undo_brings_the_earlier_one_back():
    said = [entry(1), entry(1, "label", "dog", second=1), entry(2, "drop", second=2)]
    verdicts = Verdicts(said)
    assert verdicts.standing(1) == said[1]
    verdicts.take(entry(1, "undo", second=3))
    assert verdicts.standing(1) == said[0]
    verdicts.take(entry(1, "undo", second=4))
    assert verdicts.standing(1) is None
    assert verdicts.rows == [2]
    verdicts.take(entry(1, "undo", second=5))
    assert verdicts.rows == [2]
    assert verdicts.standing(7) is None


def test_actions_are_undone_and_redone_whole():
    history = Verdicts([entry(1), entry(2, second=1), entry(3, second=1)]).histories["ann"]
    assert [[one.row for one in action.entries] for action in history.done] == [[1], [2, 3]]
    for row in (2, 3):
        history.take(entry(row, "undo", second=2))
    history.take(entry(1, "undo", second=3))
    assert [[one.row for one in action.entries] for action in history.undone] == [[2, 3], [1]]
    history.take(entry(1, second=4))
    assert [[one.row for one in action.entries] for action in history.undone] == [[2, 3]]
    history.take(entry(9, second=5))
    assert history.undone == []
    assert [[one.row for one in action.entries] for action in history.done] == [[1], [9]]


def test_people_disagree_if_they_are_sure_of_different_things():
    verdicts = Verdicts(
        [entry(1), entry(1, "label", "dog", by="bob", second=1), entry(2), entry(2, "unsure", by="bob")]
    )
    assert verdicts.disagreements() == [1]
    assert [found.by for found in verdicts.of(1)] == ["ann", "bob"]
    assert verdicts.standing(1).label == "dog"
    assert verdicts.standing(1, "majority") is None
    assert verdicts.standing(2).verdict == "keep"
    verdicts.take(entry(1, by="cem", second=2))
    assert verdicts.standing(1, "majority").verdict == "keep"
    verdicts.take(entry(1, "undo", by="bob", second=3))
    assert verdicts.disagreements() == []
