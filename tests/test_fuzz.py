"""A short form of `nox -s fuzz`."""

import random
from pathlib import Path

import pytest

from cleaning.errors import InvalidInput
from tests.fuzz import run
from tests.fuzz.readers import READERS, Reader
from tests.fuzz.run import Tally, fuzz, judge, keep, known, mutated, table


@pytest.mark.parametrize("name", READERS)
def test_mutated_inputs_are_read_or_refused_in_one_short_line(name, tmp_path):
    if name.startswith("svg, drawn"):
        pytest.importorskip("resvg_py", reason="needs the extra `svg`")
    tally = fuzz(name, max(3, round(100 * READERS[name].share)), 0, tmp_path)
    assert tally.faults == []


def test_faults_are_noticed_counted_and_kept(tmp_path, monkeypatch):
    def read(path):
        content = path.read_bytes()
        if content == b"crash":
            raise KeyError("oops")
        if content == b"long":
            raise InvalidInput(Path("x" * run.LONGEST_MESSAGE), "too long a name")
        return content

    tally = Tally()
    for content in (b"fine", b"crash", b"long"):
        judge(Reader(read, ".x", list), content, tmp_path / "a.x", tally)
    assert [content for _, content in tally.faults] == [b"crash", b"long"]
    assert tally.outcomes == {"accepted": 1, "refused": 1, "fault": 2}
    assert "all                             3                          2" in table({"a reader": tally})
    monkeypatch.setattr(run, "FOUND", tmp_path / "found")
    keep("csv, by key", [b"crash"])
    assert known("csv, by key") == [b"crash"]


def test_the_same_seed_makes_the_same_inputs():
    first, second = ([mutated(b"0123456789", rng) for _ in range(50)] for rng in (random.Random(3), random.Random(3)))
    assert first == second
    assert len(set(first)) > 40
