import os
from pathlib import Path

import pytest

from cleaning import InvalidInput
from evaluation.submissions.time_files import is_called_like_one, read_seconds, time_of_answer, time_of_ranking


@pytest.mark.parametrize("name", ["a_m.txt", "a_m.rounds", "a_m.csv", "times.txt", "time_a.csv"])
def test_time_files_have_names_of_their_own(name):
    path = Path("folder") / name
    assert not is_called_like_one(path)
    assert is_called_like_one(time_of_answer(path))
    assert is_called_like_one(time_of_ranking(path)) == (path.suffix != ".csv")
    assert time_of_ranking(path).name == f"time_{name}"


@pytest.mark.parametrize(
    "content",
    ["", "soon", "nan", "-1", "inf", "-0", "-0.0", "1_000", "1e308", "1e10", "\u0663", "1 2", "0x1", "1e", "."],
)
def test_what_is_not_a_number_of_seconds_is_located(tmp_path, content):
    (tmp_path / "time_a_m.txt").write_text(content)
    with pytest.raises(InvalidInput, match=r"time_a_m\.txt, line 1: .* is not a number of seconds"):
        read_seconds(tmp_path / "time_a_m.txt")


@pytest.mark.parametrize(
    ("text", "seconds"), [("4.7", 4.7), (" 0\n", 0), ("1e-05", 1e-5), ("1e9", 1e9), ("5.", 5), (".5", 0.5)]
)
def test_seconds_are_read_as_python_writes_them(tmp_path, text, seconds):
    (tmp_path / "time.txt").write_text(text)
    assert read_seconds(tmp_path / "time.txt") == seconds


def test_a_time_file_is_a_file_in_its_folder(tmp_path):
    secret, path = tmp_path / "secret", tmp_path / "folder" / "time_a_m.txt"
    secret.write_text("password")
    path.parent.mkdir()
    for make in (
        lambda: path.symlink_to(secret),
        lambda: os.mkfifo(path),
        lambda: path.symlink_to("/dev/zero"),
        path.mkdir,
    ):
        make()
        with pytest.raises(InvalidInput, match=r"time_a_m\.txt: this is") as error:
            read_seconds(path)
        assert "password" not in str(error.value)
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
