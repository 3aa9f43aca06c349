import json
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import InvalidInput
from evaluation.submissions.ranked_lists import digest, read_lists, write_npz

QUERIES, REFERENCES = ("q1", "ä.2"), ("r1", "r2", "r3")


def write_json(path, lists):
    path.write_text(json.dumps([[0, [query, names]] for query, names in lists.items()]))
    return path


def parts(**changes):
    """The arrays of a good npz, some of them exchanged; the hash is right unless it is exchanged itself."""
    found = {
        "ranks": np.array([[2, 0, -1], [1, -1, -1]], dtype=np.int32),
        "query_ids": np.array(QUERIES),
        "reference_ids": np.array(REFERENCES),
        **changes,
    }
    if "sha256" not in found:
        found["sha256"] = np.asarray(digest(found["ranks"], found["query_ids"], found["reference_ids"]))
    return {name: value for name, value in found.items() if value is not None}


def read(path, depth=1000):
    return read_lists(path, QUERIES, REFERENCES, depth, lenient=False)


@given(
    st.lists(
        st.permutations(range(3)).flatmap(lambda p: st.integers(0, 3).map(lambda n: p[:n])), min_size=2, max_size=2
    )
)
def test_both_forms_give_the_same_matrix(tmp_path_factory, lists):
    folder = tmp_path_factory.getbasetemp()
    text = write_json(
        folder / "a.json", dict(zip(QUERIES[::-1], ([REFERENCES[r] for r in row] for row in lists), strict=True))
    )
    # written against a table in another order: the numbers in the file are not those of the truth
    turned = np.array([[*(2 - r for r in row), *[-1] * (3 - len(row))] for row in lists], dtype=np.int32)
    write_npz(folder / "a.npz", QUERIES[::-1], REFERENCES[::-1], turned)
    expected = np.array([[*row, *[-1] * (3 - len(row))] for row in lists[::-1]])
    for path in (text, folder / "a.npz"):
        assert np.array_equal(read(path).ranks, expected)


def test_a_list_longer_than_the_depth_is_checked_whole_and_cut(tmp_path):
    path = write_json(tmp_path / "a.json", {"q1": ["r3", "r1", "r2"], "ä.2": ["r1"]})
    found = read(path, depth=2)
    assert found.ranks.tolist() == [[2, 0], [0, -1]]
    assert (found.n_cut, found.n_missing) == (1, 0)
    np.savez(tmp_path / "a.npz", **parts())
    assert read(tmp_path / "a.npz", depth=1).n_cut == 1
    path = write_json(tmp_path / "a.json", {"q1": ["r3", "r1", "r3"], "ä.2": ["r1"]})
    with pytest.raises(InvalidInput, match="the reference 'r3' appears at ranks 1 and 3"):
        read(path, depth=2)


def test_names_that_are_no_unicode_text_are_looked_up_all_the_same(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[[0, ["q1", ["r2", "r1"]]], [0, ["ä.2", ["\\ud800"]]]]')
    with pytest.raises(InvalidInput, match=r"entry 1, query ä.2: unknown references"):
        read(path)


def test_the_same_lists_are_written_as_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_npz(tmp_path / f"{name}.npz", QUERIES, REFERENCES, np.zeros((2, 1), dtype=np.int32))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


BAD = [
    ({"ranks": np.zeros((2, 1), dtype=np.int64)}, "ranks: int64 of shape"),
    ({"ranks": np.zeros((2, 1), dtype=">i4")}, "ranks: >i4 of shape"),
    ({"ranks": np.zeros((2, 1))}, "ranks: float64 of shape"),
    ({"ranks": np.zeros(2, dtype=np.int32)}, r"ranks: int32 of shape \(2,\)"),
    ({"ranks": np.zeros((1, 1), dtype=np.int32)}, "1 list for 2 queries"),
    ({"ranks": np.full((2, 1), 3, dtype=np.int32)}, "ranks: numbers outside reference_ids"),
    ({"ranks": np.full((2, 1), -2, dtype=np.int32)}, "ranks: numbers outside reference_ids"),
    ({"ranks": np.array([[0, 1], [-1, 1]], dtype=np.int32)}, "entry 1, query ä.2: -1 appears before the end"),
    ({"ranks": np.array([[0, 1], [1, 1]], dtype=np.int32)}, "query ä.2: the reference 'r2' appears at ranks 1 and 2"),
    ({"query_ids": np.array([1, 2])}, "query_ids: int64 where names are expected"),
    ({"query_ids": np.array(["q1", "q1"])}, r"ids appear more than once \(1 in all: q1\)"),
    ({"query_ids": np.array(["q1", "q9"])}, r"unknown queries \(1 in all: q9\)"),
    ({"reference_ids": np.array(["r1", "r2", "r1"])}, r"ids appear more than once \(1 in all: r1\)"),
    ({"reference_ids": np.array(["r1", "r2", "r9"])}, r"reference_ids: unknown references \(1 in all: r9\)"),
    ({"sha256": np.asarray("0" * 64)}, "the sha256 does not match the content"),
    ({"sha256": np.array(["0", "1"])}, "the sha256 does not match the content"),
    ({"ranks": None, "sha256": np.asarray("")}, "this is not an npz of ranked lists .*ranks"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_a_bad_npz_is_refused(tmp_path, changes, message):
    left_out = "ranks" in changes and changes["ranks"] is None
    np.savez(tmp_path / "a.npz", **({"query_ids": np.array(QUERIES)} if left_out else parts(**changes)))
    with pytest.raises(InvalidInput, match=message) as error:
        read(tmp_path / "a.npz")
    assert str(error.value).startswith(str(tmp_path / "a.npz"))


def test_missing_queries_of_an_npz_are_refused_or_counted(tmp_path):
    write_npz(tmp_path / "a.npz", QUERIES[:1], REFERENCES, np.zeros((1, 1), dtype=np.int32))
    with pytest.raises(InvalidInput, match=r"missing queries \(1 in all: ä.2\)"):
        read(tmp_path / "a.npz")
    found = read_lists(tmp_path / "a.npz", QUERIES, REFERENCES, 5, lenient=True)
    assert found.n_missing == 1
    assert found.ranks.tolist() == [[0, -1, -1], [-1, -1, -1]]


def test_a_truncated_npz_a_pickle_and_a_flipped_byte_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, QUERIES, REFERENCES, np.zeros((2, 1), dtype=np.int32))
    whole = path.read_bytes()
    for length in range(0, len(whole), 37):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidInput, match="this is not an npz of ranked lists"):
            read(path)
    place = whole.index(b"r\0\0\0" + b"1")
    path.write_bytes(whole[:place] + b"z" + whole[place + 1 :])
    with pytest.raises(InvalidInput, match="this is not an npz of ranked lists"):
        read(path)
    np.savez(path, **{**parts(), "query_ids": np.array([{"q1": 1}, None], dtype=object)}, allow_pickle=True)
    with pytest.raises(InvalidInput, match=r"this is not an npz of ranked lists .*allow_pickle"):
        read(path)


def test_an_npz_that_unpacks_to_more_than_can_be_needed_is_not_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ranks.npy", b"\0" * 100_000)
    monkeypatch.setattr("evaluation.submissions.ranked_lists.LARGEST_NPZ", 50_000)
    with pytest.raises(InvalidInput, match="unpacks to 100000 bytes"):
        read(path)
