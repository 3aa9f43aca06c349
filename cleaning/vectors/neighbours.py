"""Distances between rows, computed in blocks: nearest neighbours and KNN-Shapley values in closed form."""

import numpy as np

from cleaning.data import FloatMatrix, FloatVector, IntVector

# Distances per block: 32 MB in float64.
_BLOCK_ENTRIES = 4_000_000
_BLOCK_ROWS = 4096


def unit_rows(features: FloatMatrix) -> FloatMatrix:
    """The rows scaled to length 1, in float64 (float32 stays float32); a row of zeros is left as it is."""
    scaled = np.empty(features.shape, np.float32 if features.dtype == np.float32 else np.float64)
    for start in range(0, len(features), _BLOCK_ROWS):
        rows = features[start : start + _BLOCK_ROWS].astype(scaled.dtype, copy=False)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        np.divide(rows, np.where(length == 0, 1, length), out=scaled[start : start + _BLOCK_ROWS])
    return scaled


def nearest(queries: FloatMatrix, references: FloatMatrix, count: int) -> tuple[FloatMatrix, IntVector]:
    """Squared Euclidean distances from each query to the `count` nearest of the (n, d) references, and their rows.

    Both are (queries, min(count, n)), nearest first and ties in the order of the rows. Only one block of the distance
    matrix is in memory at a time.
    """
    count = min(count, len(references))
    index = np.empty((len(queries), count), dtype=np.int64)
    distance = np.empty((len(queries), count))
    squares = np.einsum("ij,ij->i", references, references)
    block = max(1, _BLOCK_ENTRIES // max(len(references), 1))
    for start in range(0, len(queries), block):
        part = queries[start : start + block]
        apart = squares - 2 * (part @ references.T)
        rough = np.sort(np.argpartition(apart, count - 1, axis=1)[:, :count], axis=1)
        near = np.take_along_axis(apart, rough, axis=1)
        order = np.argsort(near, axis=1, kind="stable")
        index[start : start + block] = np.take_along_axis(rough, order, axis=1)
        length = np.einsum("ij,ij->i", part, part)[:, None]
        distance[start : start + block] = np.maximum(np.take_along_axis(near, order, axis=1) + length, 0)
    return distance, index


def knn_shapley(
    features: FloatMatrix, labels: IntVector, queries: FloatMatrix, query_labels: IntVector, neighbours: int
) -> FloatVector:
    """Exact Shapley values (n,) of the Euclidean K-nearest-neighbour utility, averaged over the queries.

    With rows sorted by distance and match = [label agrees], s_n = match_n · min(K, n) / (n K) and
    s_i = s_{i+1} + (match_i - match_{i+1}) · min(K, i) / (K i). Source: Jia et al. 2019, Efficient Task-Specific Data
    Valuation for Nearest Neighbor Algorithms, Theorem 1. Ties keep the order of the rows. The queries are
    processed in blocks, so memory does not grow with n × queries.
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
