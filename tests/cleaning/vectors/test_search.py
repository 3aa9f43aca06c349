import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import InvalidInput
from cleaning.vectors.search import METRICS, comparable, largest, most_similar, unit_directions


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 14))
def test_the_largest_are_those_of_a_stable_sort_ties_included(seed, width, depth):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, 4, size=(5, width)).astype(np.float32)
    depth = min(depth, width)
    values, columns = largest(similarity, depth)
    expected = np.argsort(-similarity, axis=1, kind="stable")[:, :depth]
    assert np.array_equal(columns, expected)
    assert np.array_equal(values, np.take_along_axis(similarity, expected, axis=1))


def test_the_block_size_does_not_change_the_result(monkeypatch):
    rng = np.random.default_rng(0)
    queries, references = (
        rng.integers(-2, 3, (50, 4)).astype(np.float32),
        rng.integers(-2, 3, (31, 4)).astype(np.float32),
    )
    whole = most_similar(queries, references, 7)
    reports = []
    monkeypatch.setattr("cleaning.vectors.search._BLOCK_ENTRIES", 31 * 8)
    parts = most_similar(queries, references, 7, lambda done, _total, _note: reports.append(done))
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))
    assert reports == [8, 16, 24, 32, 40, 48, 50]
    assert np.array_equal(
        most_similar(queries, references, 99)[1], np.argsort(-(queries @ references.T), 1, kind="stable")
    )


def test_a_row_of_zeros_stays_zero():
    rows = unit_directions(np.array([[3.0, 4.0], [0.0, 0.0]]))
    assert rows.dtype == np.float32
    assert rows.tolist() == [[np.float32(0.6), np.float32(0.8)], [0.0, 0.0]]


@given(st.integers(0, 10_000), st.integers(1, 3), st.floats(0, 1))
def test_the_largest_of_wide_rows_are_those_of_a_stable_sort(seed, levels, share):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(-levels, levels + 1, size=(3, 900)).astype(np.float32)
    similarity += rng.random(similarity.shape, dtype=np.float32) * (rng.random(similarity.shape) < share)
    similarity[similarity == 0] *= rng.choice([-1.0, 1.0])
    for depth in (1, 20, 450, 900):
        values, columns = largest(similarity, depth)
        expected = np.argsort(-similarity, axis=1, kind="stable")[:, :depth]
        assert np.array_equal(columns, expected)
        assert np.array_equal(values, np.take_along_axis(similarity, expected, axis=1))


def test_rows_whose_sample_misleads_are_searched_completely():
    similarity = np.zeros((1, 1600), dtype=np.float32)
    similarity[0, ::16] = np.arange(1, 101)
    assert largest(similarity, 300)[1][0].tolist()[:101] == [*range(1584, -1, -16), 1]
    similarity[0] = -similarity[0]
    assert largest(similarity, 300)[1][0, :2].tolist() == [1, 2]


@given(st.integers(0, 1000))
def test_equal_references_are_in_row_order(seed):
    rng = np.random.default_rng(seed)
    references = rng.standard_normal((60, 33)).astype(np.float32)
    references[rng.permutation(60)] = references[rng.integers(0, 60, 60)]
    queries = rng.standard_normal((5, 33)).astype(np.float32)
    values, rows = most_similar(queries, references, 60)
    _, group = np.unique(references, axis=0, return_inverse=True)
    for ranked, products in zip(rows, values, strict=True):
        for one in np.unique(group):
            places = np.flatnonzero(group[ranked] == one)
            assert np.array_equal(np.sort(ranked[places]), ranked[places])
            assert len(set(products[places])) == 1


def test_a_single_query_has_the_same_similarities_as_in_a_batch():
    rng = np.random.default_rng(4)
    queries, references = (unit_directions(rng.standard_normal((size, 70))) for size in (9, 200))
    together = most_similar(queries, references, 200)
    for row in range(9):
        values, rows = most_similar(queries[row : row + 1], references, 200)
        assert np.abs(np.sort(values) - np.sort(together[0][row])).max() <= 1e-6
        # the order is the same wherever it does not depend on rounding
        clear = np.flatnonzero(np.diff(together[0][row]) < -1e-6)
        assert (together[1][row, clear[:1]] == rows[0, clear[:1]]).all()


@pytest.mark.parametrize("metric", METRICS)
def test_each_metric_ranks_by_its_definition(metric):
    rng = np.random.default_rng(1)
    queries, references = rng.standard_normal((6, 5)) + 3, rng.standard_normal((40, 5)) + 3
    products = queries @ references.T
    similarity = {
        "cosine": products / np.linalg.norm(references, axis=1),
        "inner_product": products,
        "euclidean": -np.linalg.norm(queries[:, None] - references, axis=2),
    }[metric]
    rows = most_similar(*comparable(queries, references, metric), 40)[1]
    assert np.array_equal(rows, np.argsort(-similarity, axis=1))


def test_vectors_that_cannot_be_compared_are_refused():
    with pytest.raises(InvalidInput, match="queries: 2 columns, references have 3"):
        comparable(np.ones((1, 2)), np.ones((1, 3)), "cosine")
    with pytest.raises(InvalidInput, match="references, row 1: the cosine of a zero vector is undefined"):
        comparable(np.ones((1, 2)), np.array([[1.0, 1.0], [0.0, 0.0]]), "cosine")
    for metric in METRICS:
        with pytest.raises(InvalidInput, match=r"queries, row 1: values up to 1e\+60, .* float32"):
            comparable(np.array([[1.0, 1.0], [0.0, 1e60]]), np.ones((1, 2)), metric)
    assert len(comparable(np.ones((1, 2)), np.zeros((1, 2)), "euclidean")) == 2
