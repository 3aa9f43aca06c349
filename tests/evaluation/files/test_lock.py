import os
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from evaluation.files.lock import only_writer, sweep, temporary_folder
from evaluation.files.outputs import refuse_output
from evaluation.files.whole import write_whole
from tests.support import ROOT


def quiet(line):
    pytest.fail(f"nobody else is there, but: {line}")


def test_the_lock_leaves_nothing_behind(tmp_path):
    folder = tmp_path / "new" / "folder"
    with only_writer(folder, quiet):
        assert [path.name for path in folder.iterdir()] == [".lock"]
    assert list(folder.iterdir()) == []


def test_one_after_the_other_and_who_waits_is_told(tmp_path):
    order, told, ready, go = [], [], threading.Event(), threading.Event()

    def second():
        ready.wait()
        with only_writer(tmp_path, lambda line: (told.append(line), go.set())):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with only_writer(tmp_path, quiet):
        ready.set()
        go.wait()
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert told == [f"{tmp_path}: another fixfirst command is writing here; waiting until it has finished"]
    assert list(tmp_path.iterdir()) == []


def test_many_writers_never_meet(tmp_path):
    folder, inside, met = tmp_path / "f", [], []

    def work():
        for _ in range(20):
            with only_writer(folder, lambda _: None):
                inside.append(1)
                met.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert met == [1] * 80


def test_files_of_one_folder_have_locks_of_their_own(tmp_path):
    with only_writer(tmp_path, quiet, "a"), only_writer(tmp_path, quiet, "b"), only_writer(tmp_path, quiet):
        assert sorted(path.name for path in tmp_path.iterdir()) == [".a.lock", ".b.lock", ".lock"]
    assert list(tmp_path.iterdir()) == []


def test_a_lock_ends_with_its_process(tmp_path):
    code = f"""
import os
from pathlib import Path
from evaluation.files.lock import only_writer
with only_writer(Path({str(tmp_path)!r}), print):
    os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 9
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    with only_writer(tmp_path, quiet):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_needs_no_lock(tmp_path):
    tmp_path.chmod(0o500)
    with only_writer(tmp_path, quiet):
        pass


def test_leftovers_are_removed_and_what_is_being_written_is_not(tmp_path):
    left = [tmp_path / ".a.txt.abcd1234.tmp", tmp_path / "seed-1" / ".b.txt.x_y_z_00.tmp"]
    folder = tmp_path / ".example.abcdefgh.tmp"
    kept = [tmp_path / "a.tmp", tmp_path / ".a.tmp", tmp_path / "b.txt"]
    for path in [*left, *kept, folder / "inside"]:
        path.parent.mkdir(exist_ok=True)
        path.write_text("")

    def content():
        yield b"one"
        sweep(tmp_path)
        yield b"two"

    write_whole(tmp_path / "whole.txt", content())
    assert (tmp_path / "whole.txt").read_bytes() == b"onetwo"
    assert not [path for path in [*left, folder] if path.exists()]
    assert all(path.exists() for path in kept)


def test_writers_and_sweepers_do_not_disturb_each_other(tmp_path):
    stop = threading.Event()

    def clean():
        while not stop.is_set():
            sweep(tmp_path)

    thread = threading.Thread(target=clean)
    thread.start()
    for number in range(200):
        write_whole(tmp_path / "x", b"%d" % number)
    stop.set()
    thread.join()
    assert (tmp_path / "x").read_bytes() == b"199"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_a_command_with_an_output_cleans_up_beside_it(tmp_path):
    other = tmp_path / "below" / ".out.csv.abcd1234.tmp", tmp_path / ".other.csv.abcd1234.tmp"
    for path in (*other, tmp_path / ".out.csv.abcd1234.tmp"):
        path.parent.mkdir(exist_ok=True)
        path.write_text("half")
    refuse_output(tmp_path / "out.csv", [".csv"], [])
    assert sorted(path for path in tmp_path.rglob("*.tmp")) == sorted(other)


def test_a_temporary_folder_is_complete_or_gone(tmp_path):
    with temporary_folder(tmp_path / "f") as staged:
        sweep(tmp_path)
        (staged / "x").write_text("1")
        staged.replace(tmp_path / "f")
    assert (tmp_path / "f" / "x").read_text() == "1"
    with suppress(KeyError), temporary_folder(tmp_path / "g") as staged:
        raise KeyError
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_the_longest_name_can_be_written(tmp_path):
    for letter in ("a", "\u00e9", "\U0001f600"):
        name = letter * (255 // len(letter.encode()))
        write_whole(tmp_path / name, b"x")
        assert (tmp_path / name).read_bytes() == b"x"
