"""KNN-Shapley (K = 10, cosine): exact Shapley value of each training row for nearest-neighbour validation accuracy."""

import numpy as np

from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.errors import Unsuitable

_NEIGHBOURS = 10
_BLOCK_ENTRIES = 8_000_000


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Mean Shapley value over the validation rows, (n,), low for rows that spoil their neighbourhood."""
    if validation is None or not len(validation):
        raise Unsuitable("it values training rows by clean validation labels, and this data id has none")
    return knn_shapley(
        _unit_rows(train.features), train.labels, _unit_rows(validation.features), validation.labels, _NEIGHBOURS
    )


def knn_shapley(
    features: FloatMatrix, labels: IntVector, queries: FloatMatrix, query_labels: IntVector, neighbours: int
) -> FloatVector:
    """Exact Shapley values (n,) of the K-nearest-neighbour utility, Euclidean distance, averaged over the queries.

    With rows sorted by distance and match = [label agrees], s_n = match_n · min(K, n) / (n K) and
    s_i = s_{i+1} + (match_i - match_{i+1}) · min(K, i) / (K i). Source: Jia et al. 2019, Efficient Task-Specific Data
    Valuation for Nearest Neighbor Algorithms, Theorem 1. Equal distances keep the order of the rows.
    The queries are taken in blocks, so memory does not grow with n × queries.
    """
    n = len(features)
    place = np.arange(1, n + 1, dtype=np.float64)
    weight = np.minimum(neighbours, place) / (neighbours * place)
    total = np.zeros(n)
    squares = np.einsum("ij,ij->i", features, features, dtype=np.float64)
    block = max(1, _BLOCK_ENTRIES // max(n, 1))
    for start in range(0, len(queries), block):
        distance = squares - 2.0 * (queries[start : start + block] @ features.T)
        order = np.argsort(distance, axis=1, kind="stable")
        match = (labels[order] == query_labels[start : start + block, None]).astype(np.float64)
        value = np.empty_like(match)
        value[:, -1] = match[:, -1] * weight[-1]
        steps = (match[:, :-1] - match[:, 1:]) * weight[:-1]
        value[:, :-1] = value[:, -1:] + np.cumsum(steps[:, ::-1], axis=1)[:, ::-1]
        total += np.bincount(order.ravel(), weights=value.ravel(), minlength=n)
    return total / len(queries)


def _unit_rows(features: FloatMatrix) -> FloatMatrix:
    rows = features.astype(np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length == 0, 1.0, length)
