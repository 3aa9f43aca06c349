"""Passes over blocks: what is finished is kept, and nothing depends on which block was finished first."""

import numpy as np
import pytest

from cleaning.belief.blocks.work import Total, Work
from cleaning.errors import FixfirstError
from cleaning.parallel.engine import Engine

BLOCKS = [1.0, 2.0, 3.0, 4.0]


class Counting:
    """A pass that notes every block it is asked for, and dies at some."""

    def __init__(self, folder, dies=None):
        self.folder, self.dies = folder, dies

    def __call__(self, shift, block, progress):
        if block == self.dies:
            raise KeyboardInterrupt
        (self.folder / f"{block}_{len(list(self.folder.iterdir()))}").touch()
        return Total((np.array([block, 1.0]),), (np.array([block + shift]),))

    @property
    def asked(self):
        return sorted(float(path.name.partition("_")[0]) for path in self.folder.iterdir())


@pytest.fixture
def notes(tmp_path):
    folder = tmp_path / "notes"
    folder.mkdir()
    return folder


def run(work, function):
    return work.over("pass", function, (10.0,), BLOCKS, 8.0, "a pass")


def test_sums_are_added_and_rows_come_in_the_order_of_the_blocks(tmp_path, notes):
    for folder in (None, tmp_path / "kept"):
        found = run(Work(folder), Counting(notes))
        assert found.sums[0].tolist() == [10.0, 4.0]
        assert found.rows[0].tolist() == [11.0, 12.0, 13.0, 14.0]


def test_a_killed_pass_goes_on_where_it_was(tmp_path, notes):
    with pytest.raises(KeyboardInterrupt):
        run(Work(tmp_path / "kept"), Counting(notes, dies=3.0))
    assert Counting(notes).asked == [1.0, 2.0]
    told = []
    found = run(Work(tmp_path / "kept", progress=lambda *now: told.append(now), planned=8.0), Counting(notes))
    assert Counting(notes).asked == BLOCKS  # none twice
    assert found.sums[0].tolist() == [10.0, 4.0]
    assert [now[0] for now in told] == [4.0, 6.0, 8.0]


def test_a_finished_pass_is_one_file_and_not_run_again(tmp_path, notes):
    first = run(Work(tmp_path / "kept"), Counting(notes))
    again = run(Work(tmp_path / "kept"), Counting(notes, dies=1.0))
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["pass.npz"]
    assert first.rows[0].tobytes() == again.rows[0].tobytes()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half of a file", None])
def test_a_file_that_a_power_failure_left_broken_is_computed_again(tmp_path, notes, content):
    with pytest.raises(KeyboardInterrupt):
        run(Work(tmp_path / "kept"), Counting(notes, dies=3.0))
    block = tmp_path / "kept/pass/000001.npz"
    whole = block.read_bytes()
    block.write_bytes(whole[:-40] + bytes(40) if content is None else content)
    assert run(Work(tmp_path / "kept"), Counting(notes)).sums[0].tolist() == [10.0, 4.0]
    assert Counting(notes).asked == [1.0, 2.0, 2.0, 3.0, 4.0]


def test_processes_give_the_same_bytes(tmp_path, notes):
    here, there = run(Work(), Counting(notes)), run(Work(tmp_path, Engine(jobs=2)), Counting(notes))
    assert here.sums[0].tobytes() == there.sums[0].tobytes()
    assert here.rows[0].tobytes() == there.rows[0].tobytes()


def test_what_is_computed_once_is_kept_until_it_is_forgotten(tmp_path):
    work = Work(tmp_path)
    assert work.once("model1", lambda: (np.arange(3),))[0].tolist() == [0, 1, 2]
    assert work.once("model1", lambda: (np.arange(9),))[0].tolist() == [0, 1, 2]
    work.forget("model")
    assert work.once("model1", lambda: (np.arange(2),))[0].tolist() == [0, 1]


def test_a_folder_that_cannot_be_written_to_is_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FixfirstError, match=r"model\.npz: cannot be written \(File exists\)\. Fix: "):
        Work(tmp_path / "file").once("model", lambda: (np.arange(2),))
