"""Temporary folders that a killed run leaves are removed by the next one, and nobody else's are."""

import os
import subprocess
import sys
import tempfile

from evaluation.sandbox.processes import crowded, most_files
from evaluation.sandbox.room import is_left, room, run_name


def dead_process():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_what_dead_runs_left_is_removed_and_what_living_ones_have_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / f"fixfirst-run-{dead_process()}-abc"
    living = tmp_path / f"fixfirst-run-{os.getpid()}-abc"
    link = tmp_path / f"fixfirst-run-{dead_process()}-link"
    other = tmp_path / "fixfirst-run-x"
    for path in (left, living, other):
        path.mkdir()
        (path / "file").write_text("x")
    link.symlink_to(other)
    with room() as made:
        assert made.stat().st_mode & 0o777 == 0o700
        assert not left.exists()
        assert (living / "file").exists()
        assert (other / "file").exists()
        assert link.is_symlink()
    assert not made.exists()


def test_a_name_tells_whose_it_is():
    assert not is_left(run_name())
    assert is_left(f"fixfirst-run-{dead_process()}-1")
    assert not is_left("somebody-else-1-2")


def test_only_a_folder_of_the_right_size_is_counted():
    here = os.statvfs("/dev/shm")
    size = here.f_blocks * here.f_frsize
    used = here.f_files - here.f_ffree
    assert crowded(os.getpid(), [("/dev/shm", size)]) == (used > most_files(size))
    assert not crowded(os.getpid(), [("/dev/shm", size + (1 << 20)), ("/nowhere", size)])
