"""Exact nearest neighbours by inner product, in blocks: memory grows with queries × depth, not queries × references."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, IntVector

Single = NDArray[np.float32]
Ranks = NDArray[np.int32]

_BLOCK_ENTRIES = 16_000_000


def unit_rows(features: FloatMatrix, mean: NDArray[np.floating] | None = None) -> Single:
    """Rows minus `mean`, scaled to length 1, as float32 (n, d); a row of zeros stays one."""
    rows = np.asarray(features, dtype=np.float32)
    rows = rows - np.asarray(mean, dtype=np.float32) if mean is not None else rows.copy()
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    rows /= np.where(length == 0, np.float32(1), length)
    return rows


def column_means(features: FloatMatrix) -> NDArray[np.float64]:
    """The mean of every column, summed in float64, (d,)."""
    return np.asarray(np.mean(features, axis=0, dtype=np.float64))


def nearest(
    queries: Single, references: Single, depth: int, step: Callable[[int], None] | None = None
) -> tuple[Single, Ranks]:
    """The `depth` largest inner products of each query, (q, depth), falling, and the reference rows they belong to.

    Equal products are in ascending order of row, at the last place as well. `step` is told the queries done.
    """
    depth = min(depth, len(references))
    values = np.empty((len(queries), depth), dtype=np.float32)
    rows = np.empty((len(queries), depth), dtype=np.int32)
    block = max(1, min(256, _BLOCK_ENTRIES // len(references)))
    for start in range(0, len(queries), block):
        part = slice(start, start + block)
        values[part], rows[part] = largest(queries[part] @ references.T, depth)
        if step is not None:
            step(min(start + block, len(queries)))
    return values, rows


def largest(similarity: Single, depth: int) -> tuple[Single, Ranks]:
    """The `depth` largest entries of each row, falling, with their columns; equal ones in ascending order of column."""
    width = similarity.shape[1]
    if depth < width:
        columns = np.argpartition(similarity, width - depth, axis=1)[:, width - depth :]
        columns.sort(axis=1)
        values = np.take_along_axis(similarity, columns, axis=1)
        _settle_last_place(similarity, columns, values)
    else:
        columns = np.broadcast_to(np.arange(width), similarity.shape)
        values = similarity
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(values, order, axis=1), np.take_along_axis(columns, order, axis=1).astype(np.int32)


def _settle_last_place(similarity: Single, columns: IntVector, values: Single) -> None:
    """Where several columns tie for the last places, argpartition takes any; this takes the first, in place."""
    threshold = values.min(axis=1, keepdims=True)
    tied = np.count_nonzero(similarity == threshold, axis=1) > np.count_nonzero(values == threshold, axis=1)
    for row in np.flatnonzero(tied):
        chosen = np.sort(np.argsort(-similarity[row], kind="stable")[: columns.shape[1]])
        columns[row], values[row] = chosen, similarity[row, chosen]
