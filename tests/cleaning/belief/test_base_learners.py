"""What is faster than the plain formula gives the same numbers."""

import numpy as np
import pytest

from cleaning.belief import base_learners
from cleaning.belief.base_learners import _gaussian_process, _linear_process, _nearest, kernels, resolvent, solved
from cleaning.vectors.neighbours import unit_rows

ROWS = unit_rows(np.random.default_rng(0).standard_normal((120, 10)))
TARGETS = np.random.default_rng(1).standard_normal((120, 3))
NOISE = np.where(np.arange(120) < 100, 2.0, 0.3)


def test_an_inverse_is_applied_and_has_its_diagonal():
    kernel = kernels(ROWS)[0]
    matrix = kernel + np.diag(NOISE)
    applied, diagonal = solved(matrix, TARGETS)
    np.testing.assert_allclose(applied, np.linalg.inv(matrix) @ TARGETS, rtol=1e-10)
    np.testing.assert_allclose(diagonal, np.diag(np.linalg.inv(matrix)), rtol=1e-10)


def test_a_matrix_without_a_factor_is_inverted_all_the_same():
    matrix = np.diag([1.0, -2.0, 4.0])
    applied, diagonal = solved(matrix, np.eye(3))
    assert applied.tolist() == np.diag([1.0, -0.5, 0.25]).tolist()
    assert diagonal.tolist() == [1.0, -0.5, 0.25]


def test_few_columns_give_the_linear_process_of_the_kernel():
    cosine = ROWS @ ROWS.T
    expected = _gaussian_process(cosine, TARGETS, NOISE)
    np.testing.assert_allclose(_linear_process(ROWS, cosine, TARGETS, NOISE), expected, rtol=1e-8, atol=1e-10)


def test_the_kernels_go_by_distances_and_their_median_over_all_pairs():
    for count in (7, 8):
        rows = ROWS[:count] * np.linspace(0.5, 1.5, count)[:, None]
        kernel, product, similar = kernels(rows)
        distance = ((rows[:, None] - rows) ** 2).sum(axis=2)
        median = np.median(distance[np.triu_indices(count, 1)])
        np.testing.assert_allclose(kernel, np.exp(-distance / (0.3 * median)), atol=1e-12)
        np.testing.assert_allclose(product, rows @ rows.T)
        np.testing.assert_allclose(similar, 1 - distance / 2, atol=1e-12)


@pytest.mark.parametrize("digits", [1, 8])
def test_of_equally_near_rows_the_first_are_neighbours(monkeypatch, digits):
    monkeypatch.setattr(base_learners, "_GRAPH_NEIGHBOURS", 5)
    cosine = np.round(ROWS @ ROWS.T, digits)
    masked = np.where(np.eye(120, dtype=bool), -np.inf, cosine)
    expected = np.zeros((120, 120), dtype=bool)
    np.put_along_axis(expected, np.argsort(-masked, axis=1, kind="stable")[:, :5], True, axis=1)
    np.testing.assert_array_equal(_nearest(cosine), expected)


def test_labels_spread_over_the_graph_of_neighbours():
    cosine = ROWS @ ROWS.T
    graph = np.where(_nearest(cosine), np.maximum(cosine, 0) ** 2, 0)
    graph = np.maximum(graph, graph.T)
    root = graph.sum(axis=1) ** -0.5
    expected = np.linalg.inv(np.eye(120) - 0.5 * graph * root[:, None] * root)
    np.testing.assert_allclose(resolvent(cosine), expected, atol=1e-12)


def test_many_rows_are_solved_in_single_precision_unless_that_fails(monkeypatch):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 5))
    matrix, right = rows @ rows.T + 0.1 * np.eye(60), rng.normal(size=(60, 3))
    expected, diagonal = solved(matrix, right)
    monkeypatch.setattr(base_learners, "SINGLE_ROWS", 60)
    found, single = solved(matrix, right)
    assert found.dtype == single.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-3)
    np.testing.assert_allclose(single, diagonal, rtol=1e-3)
    nearly_singular = rows @ rows.T + 1e-8 * np.eye(60)
    assert solved(nearly_singular, right)[0].dtype == np.float64
