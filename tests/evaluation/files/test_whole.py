import errno
import os
import resource
import subprocess
import sys

import pytest

from cleaning import FixfirstError, InvalidInput
from evaluation.files import whole as files
from evaluation.files.whole import (
    append_line,
    make_folder,
    read_text,
    sha256_bytes,
    sha256_file,
    write_text,
    write_whole,
)
from tests.support import ROOT


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_text(path, "old\n")
    write_text(path, "new\n")
    assert path.read_text() == "new\n"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~files._umask()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_full_disk_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch, code):
    path = tmp_path / "a.txt"
    write_text(path, "old\n")

    def full(_handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(
        FixfirstError, match=r"a\.txt: cannot write the file \(.*\)\. Nothing already written has changed"
    ):
        write_text(path, "new\n")
    with pytest.raises(FixfirstError, match="cannot append"):
        append_line(path, "more")
    assert path.read_text() == "old\n"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_real_limit_on_file_size_is_one_sentence(tmp_path):
    """The kernel itself refuses to write on: what a full disk looks like, without filling one."""
    code = (
        "from pathlib import Path; from evaluation.files.whole import write_whole, append_line\n"
        f"p = Path({str(tmp_path)!r}) / 'a'\n"
        "append_line(p, 'x' * 50)\n"
        "for write in (lambda: write_whole(p, b'y' * 9000), lambda: append_line(p, 'z' * 9000)):\n"
        "    try: write()\n"
        "    except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={k: v for k, v in os.environ.items() if not k.startswith("COVERAGE")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["FixfirstError", "FixfirstError"]
    assert (tmp_path / "a").read_text() == "x" * 50 + "\n"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_a_file_in_the_way_of_a_folder_is_named_with_a_fix(tmp_path):
    (tmp_path / "f").write_text("")
    with pytest.raises(FixfirstError, match=r"f/sub: cannot create the folder .* Fix: name another folder"):
        make_folder(tmp_path / "f" / "sub")
    with pytest.raises(FixfirstError, match="cannot"):
        write_whole(tmp_path / "f" / "x", b"")


def test_text_loses_its_mark_and_carriage_returns(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf1\r\n2\r3\n")
    assert read_text(path) == "1\n2\n3\n"
    path.write_bytes(b"\xff\xfe1\x00")
    with pytest.raises(InvalidInput, match="this is UTF-16 text"):
        read_text(path)
    with pytest.raises(InvalidInput, match="4 bytes, more than the 3"):
        read_text(path, limit=3)
    with pytest.raises(FixfirstError, match="cannot read"):
        read_text(tmp_path / "none")


def test_hashes_of_bytes_and_files_agree(tmp_path):
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert sha256_file(tmp_path / "a") == sha256_bytes(b"abc" * 100_000)
    assert sha256_bytes(b"").startswith("e3b0c442")
