"""A short form of `nox -s crash`."""

import pytest

from evaluation.cli import command_names
from tests.crash import __main__ as crash
from tests.crash.scenarios import ONLY_READ, SCENARIOS, leftovers, state
from tests.crash.trials import Bench, Tally, table

pytestmark = pytest.mark.slow


def test_a_command_survives_a_kill_a_second_of_its_kind_and_writes_that_fail(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["crash", "--kills=2", "--seed=0", "--no-disks", "--command=evaluate"])
    status = crash.main()
    told = capsys.readouterr().out
    assert status == 0, told
    assert told.count(" 0 bad") == 3


def test_scenarios_are_for_commands_that_exist():
    assert {*SCENARIOS, *ONLY_READ} - {"rank_review"} == {*command_names()}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """A bench whose command was undisturbed and left one file."""
    monkeypatch.setattr("tests.crash.trials.wait", lambda child: child)
    found = Bench.__new__(Bench)
    found.name, found.folder = "evaluate", tmp_path
    place = tmp_path / "place"
    place.mkdir()
    (place / "results.jsonl").write_text('{"a": 1, "created": "now"}\n')
    found.wanted = state(place)
    monkeypatch.setattr(Bench, "begin", lambda *_: (0, ""))
    return found, place


def test_what_is_not_as_it_must_be_is_a_fault(bench):
    found, place = bench
    tally = Tally()
    found.complete(place, tally, "a")
    assert tally.faults == []
    (place / "results.jsonl").write_text('{"a": 1, "created": "later"}\n')
    found.complete(place, tally, "b")
    assert tally.faults == []
    (place / "results.jsonl").write_text('{"a": 1}\n{"a": 1}\n')
    (place / ".results.jsonl.abcdefgh.tmp").write_text("")
    found.complete(place, tally, "c")
    assert tally.faults[0].startswith("c: these files differ: ")
    assert tally.faults[1] == "c: left behind: .results.jsonl.abcdefgh.tmp"
    assert leftovers(place) == [".results.jsonl.abcdefgh.tmp"]
    assert "3 tried, 2 bad" in table({"evaluate": {"killed": tally}})


def test_a_run_that_fails_and_half_a_line_are_faults(bench, monkeypatch):
    found, place = bench
    monkeypatch.setattr(Bench, "begin", lambda *_: (1, "error: no"))
    tally = Tally()
    found.complete(place, tally, "a")
    assert tally.faults == ["a: the next run fails: error: no"]
    (place / "results.jsonl").write_text('{"a": 1}')
    assert state(place)["results.jsonl"] == "the last line is not complete"
