import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import InvalidInput, Ranking
from evaluation.contract.task import Rejected
from evaluation.submissions.rankings import (
    SubmissionFile,
    find_submissions,
    identify,
    is_time_file,
    place_of_seed,
    read_submission,
    write_submission,
)

IDS = ("01g317", "01g317-flipped", "a_b", "a")


@pytest.mark.parametrize(
    ("name", "data_id", "method"),
    [
        ("01g317_random.txt", "01g317", "random"),
        ("01g317-flipped_neighbor_shapley (datascope).txt", "01g317-flipped", "neighbor_shapley (datascope)"),
        ("a_b_c.txt", "a_b", "c"),
        ("a_c-d_e.txt", "a", "c-d_e"),
        ("a_b.txt", "a", "b"),
    ],
)
def test_names_are_matched_against_known_ids(tmp_path, name, data_id, method):
    found = identify(tmp_path / name, IDS, 0)
    assert (found.data_id, found.method) == (data_id, method)


@pytest.mark.parametrize("name", ["01g318_random.txt", "random.txt", "01g317.txt", "01g317_.txt"])
def test_unknown_names_are_refused_with_the_known_ids(tmp_path, name):
    with pytest.raises(InvalidInput, match="known: 01g317, 01g317-flipped"):
        identify(tmp_path / name, IDS, 0)


@pytest.mark.parametrize("method", ["x\nwarning: y", "\x1b[2J", "caf\udce9", "a\u202eb", "\u200b"])
def test_a_method_that_cannot_be_printed_is_refused(tmp_path, method):
    with pytest.raises(InvalidInput, match="cannot be printed") as error:
        identify(tmp_path / f"a_{method}.txt", IDS, 0)
    assert str(error.value).isprintable()


def test_time_files_are_told_from_rankings(tmp_path):
    assert is_time_file(tmp_path / "time_01g317_x.txt", IDS)
    assert not is_time_file(tmp_path / "time_zzz_x.txt", IDS)
    assert not is_time_file(tmp_path / "time_a_x.txt", (*IDS, "time_a"))


@pytest.mark.parametrize("name", ["seed-0", "seed-01"])
def test_a_seed_has_one_place(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(InvalidInput, match=rf"{name}: .*seed 0 in .*seed-N, where N has no leading zeros"):
        find_submissions(tmp_path, ["a"], 0)


def test_seeds_lie_in_folders_of_their_own(tmp_path):
    for seed in (0, 7):
        path = place_of_seed(tmp_path, seed, 0) / "a_m.txt"
        write_submission(path, Ranking(np.arange(3)), 0.5)
    (tmp_path / "seed-x").mkdir()
    (tmp_path / "nonsense.txt").write_text("1")
    found = find_submissions(tmp_path, IDS, 0)
    assert [(f.data_id, f.seed) for f in found if isinstance(f, SubmissionFile)] == [("a", 0), ("a", 7)]
    assert sum(isinstance(f, Rejected) for f in found) == 1


@given(st.permutations(range(9)), st.floats(0, 1e6))
def test_what_is_written_is_read_again(tmp_path_factory, order, seconds):
    path = tmp_path_factory.mktemp("s") / "a_m.txt"
    write_submission(path, Ranking(np.array(order)), seconds)
    submission = read_submission(identify(path, IDS, 0), 9)
    assert submission.ranking.order.tolist() == list(order)
    assert submission.seconds == seconds


def read(tmp_path, content, rows=3):
    path = tmp_path / "a_m.txt"
    path.write_bytes(content)
    return read_submission(identify(path, IDS, 0), rows).ranking.order.tolist()


@pytest.mark.parametrize(
    "content", [b"2\n0\n1\n", b"2\n0\n1", b"\xef\xbb\xbf2\r\n0\r\n1\r\n", b" 2 \n0\t\n1\n\n\n", b"02\n0\n001\n"]
)
def test_harmless_differences_are_accepted(tmp_path, content):
    assert read(tmp_path, content) == [2, 0, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"0\n1\n0\n", r"a_m\.txt, line 3: row 0 already appears on line 1 \(repeated rows, 1 in all: 0\)"),
        (b"0\n1\n", r"a_m\.txt: 2 lines where 3 are expected \(missing rows, 1 in all: 2\)"),
        (b"0\n-1\n2\n", r"line 2: row -1 is negative"),
        (b"0\n1\n3\n", r"line 3: row 3 is too large; there are 3 rows"),
        (b"0\n7\nx\n-1\n 8\n9\n", r"line 2: row 7 is too large.*\(out of range, 4 in all: line 2, line 4, line 5, …\)"),
        (b"0\n1\n99999999999999999999999\n", "line 3: row 99999999999999999999999 is too large"),
        (b"0\n1.0\n2\n", r"line 2: '1\.0' is not a whole number"),
        (b"0\n1_0\n2\n", "line 2: '1_0' is not a whole number"),
        ("0\n٣\n2\n".encode(), "line 2: '٣' is not a whole number"),
        (b"0 1 2\n", "line 1: '0 1 2' is not a whole number"),
        (b"0\n\n1\n2\n", "line 2: the line is blank"),
        (b"", "the file is empty"),
        (b"\n\n", "the file is empty"),
        (b"0\n1\n2\n2\n", "line 4: row 2 already appears on line 3"),
        (b"\xff\xfe0\x00", "not UTF-8"),
        (b"x" * 2_000_000, "more than the"),
    ],
)
def test_bad_rankings_are_located(tmp_path, content, message):
    with pytest.raises(InvalidInput, match=message):
        read(tmp_path, content)


def test_a_method_has_at_most_100_letters(tmp_path):
    assert identify(tmp_path / f"a_{'m' * 100}.txt", IDS, 0).method == "m" * 100
    with pytest.raises(InvalidInput, match="101 characters, more than 100"):
        identify(tmp_path / f"a_{'m' * 101}.txt", IDS, 0)


def test_a_missing_time_is_not_an_error(tmp_path):
    (tmp_path / "a_m.txt").write_text("0\n")
    assert read_submission(identify(tmp_path / "a_m.txt", IDS, 0), 1).seconds is None
