from itertools import combinations
from math import comb

import numpy as np
import pytest

from cleaning.vectors import neighbours as module
from cleaning.vectors.neighbours import knn_shapley, nearest, unit_rows


def utility(rows, distance, labels, label, k):
    """Share of the K nearest of these rows that have the query's label; Jia et al. 2019, equation 5."""
    near = sorted(rows, key=lambda row: distance[row])[:k]
    return sum(labels[row] == label for row in near) / k


def shapley_by_definition(features, labels, queries, query_labels, k):
    n = len(labels)
    total = np.zeros(n)
    for query, label in zip(queries, query_labels, strict=True):
        distance = np.linalg.norm(features - query, axis=1)
        for row in range(n):
            others = [other for other in range(n) if other != row]
            for size in range(n):
                for rows in combinations(others, size):
                    gain = utility([*rows, row], distance, labels, label, k) - utility(rows, distance, labels, label, k)
                    total[row] += gain / (n * comb(n - 1, size))
    return total / len(queries)


@pytest.mark.parametrize("k", [1, 2, 3, 10])
def test_values_equal_the_definition_over_all_coalitions(k):
    rng = np.random.default_rng(k)
    features, queries = rng.normal(size=(6, 3)), rng.normal(size=(3, 3))
    labels, query_labels = rng.integers(0, 2, 6), rng.integers(0, 2, 3)
    expected = shapley_by_definition(features, labels, queries, query_labels, k)
    assert knn_shapley(features, labels, queries, query_labels, k) == pytest.approx(expected, abs=1e-12)


def test_blocks_do_not_change_the_values(monkeypatch):
    rng = np.random.default_rng(0)
    arguments = rng.normal(size=(20, 3)), rng.integers(0, 2, 20), rng.normal(size=(9, 3)), rng.integers(0, 2, 9), 5
    whole = knn_shapley(*arguments)
    monkeypatch.setattr(module, "_BLOCK_ENTRIES", 40)
    assert knn_shapley(*arguments) == pytest.approx(whole, abs=1e-15)


def test_nearest_finds_what_sorting_all_distances_finds(monkeypatch):
    rng = np.random.default_rng(1)
    features, queries = rng.normal(size=(50, 4)), rng.normal(size=(13, 4))
    distance = ((queries[:, None] - features) ** 2).sum(axis=2)
    expected = np.argsort(distance, axis=1)[:, :7]
    monkeypatch.setattr(module, "_BLOCK_ENTRIES", 200)
    squared, index = nearest(queries, features, 7)
    assert np.array_equal(index, expected)
    assert squared == pytest.approx(np.take_along_axis(distance, expected, axis=1), abs=1e-10)


def test_nearest_keeps_the_order_of_rows_at_equal_distances_and_gives_no_more_rows_than_there_are():
    features = np.ones((3, 2))
    squared, index = nearest(features[:1], features, 5)
    assert index.tolist() == [[0, 1, 2]]
    assert squared.tolist() == [[0.0, 0.0, 0.0]]


def test_unit_rows_keep_the_type_and_leave_zeros_alone():
    rows = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]], dtype=np.float32))
    assert rows.dtype == np.float32
    assert rows.tolist() == [[pytest.approx(0.6), pytest.approx(0.8)], [0.0, 0.0]]
