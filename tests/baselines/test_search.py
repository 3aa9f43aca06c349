import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from baselines._search import largest, nearest, unit_rows


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 14))
def test_the_largest_are_those_of_a_stable_sort_ties_included(seed, width, depth):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, 4, size=(5, width)).astype(np.float32)
    depth = min(depth, width)
    values, columns = largest(similarity, depth)
    expected = np.argsort(-similarity, axis=1, kind="stable")[:, :depth]
    assert np.array_equal(columns, expected)
    assert np.array_equal(values, np.take_along_axis(similarity, expected, axis=1))


def test_blocks_do_not_show(monkeypatch):
    rng = np.random.default_rng(0)
    queries, references = (
        rng.integers(-2, 3, (50, 4)).astype(np.float32),
        rng.integers(-2, 3, (31, 4)).astype(np.float32),
    )
    whole = nearest(queries, references, 7)
    told = []
    monkeypatch.setattr("baselines._search._BLOCK_ENTRIES", 31 * 8)
    parts = nearest(queries, references, 7, told.append)
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))
    assert told == [8, 16, 24, 32, 40, 48, 50]
    assert np.array_equal(nearest(queries, references, 99)[1], np.argsort(-(queries @ references.T), 1, kind="stable"))


def test_a_row_of_zeros_stays_one():
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert rows.dtype == np.float32
    assert rows.tolist() == [[np.float32(0.6), np.float32(0.8)], [0.0, 0.0]]
