"""Exact nearest neighbours by inner product, in blocks: memory grows with queries × depth, not queries × references.

Equal similarities are in ascending order of row, at the last place as well, and references that are equal number for
number have equal similarities whatever the BLAS does. The numbers are float32: on other blocks, threads or processors
a similarity may move by some 1e-7, and references that are closer than that may change places.
"""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, IntVector, refuse_overflow
from cleaning.errors import InvalidInput, Place
from cleaning.progress import Progress, silent

Single = NDArray[np.float32]
Ranks = NDArray[np.int32]

METRICS = ("cosine", "inner_product", "euclidean")

_BLOCK_ROWS = 512
_BLOCK_ENTRIES = 20_000_000
_STRIDE = 16
_COLUMN = np.uint64(0xFFFFFFFF)


def unit_directions(features: FloatMatrix, mean: NDArray[np.floating] | None = None) -> Single:
    """Rows minus `mean`, scaled to length 1, as float32 (n, d); a row of zeros stays one."""
    rows = np.asarray(features, dtype=np.float32)
    rows = rows - np.asarray(mean, dtype=np.float32) if mean is not None else rows.copy()
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    rows /= np.where(length == 0, np.float32(1), length)
    return rows


def column_means(features: FloatMatrix) -> NDArray[np.float64]:
    """The mean of every column, summed in float64, (d,)."""
    return np.asarray(np.mean(features, axis=0, dtype=np.float64))


def comparable(queries: FloatMatrix, references: FloatMatrix, metric: str) -> tuple[Single, Single]:
    """Float32 rows whose inner products rank references as `metric`, one of METRICS, does, the most similar first.

    Raises InvalidInput for different widths, for a row too long for float32, and under the cosine for a row of zeros,
    which has no direction.
    """
    if queries.shape[1] != references.shape[1]:
        raise InvalidInput(
            "queries", f"{queries.shape[1]} columns where references have {references.shape[1]}", "embed both alike"
        )
    for what, rows in (("queries", queries), ("references", references)):
        refuse_overflow(rows, np.dtype(np.float32), what)
    if metric == "cosine":
        for what, rows in (("queries", queries), ("references", references)):
            empty = np.flatnonzero(~rows.any(axis=1))
            if len(empty):
                raise InvalidInput(
                    Place(key=what, row=int(empty[0])), "a vector of zeros has no cosine", "embed it again"
                )
        return unit_directions(queries), unit_directions(references)
    if metric == "inner_product":
        return np.asarray(queries, dtype=np.float32), np.asarray(references, dtype=np.float32)
    mean = column_means(references)
    near, far = (np.asarray(rows - mean, dtype=np.float32) for rows in (queries, references))
    half = np.einsum("ij,ij->i", far, far, dtype=np.float64)[:, None] / 2
    return (
        np.hstack([near, np.ones((len(near), 1), dtype=np.float32)]),
        np.hstack([far, -half.astype(np.float32)]),
    )


def most_similar(queries: Single, references: Single, depth: int, progress: Progress = silent) -> tuple[Single, Ranks]:
    """The `depth` largest inner products of each query, (q, depth), falling, and the reference rows they belong to.

    `progress` is told the queries done.
    """
    depth = min(depth, len(references))
    values = np.empty((len(queries), depth), dtype=np.float32)
    rows = np.empty((len(queries), depth), dtype=np.int32)
    block = max(1, min(_BLOCK_ROWS, _BLOCK_ENTRIES // len(references), len(queries)))
    similarity = np.empty((block, len(references)), dtype=np.float32)
    copies, originals = _copies(references)
    for start in range(0, len(queries), block):
        part = slice(start, start + block)
        here = similarity[: len(queries[part])]
        if len(here) > 1:
            np.matmul(queries[part], references.T, out=here)
        else:
            # a single row takes another way through BLAS, which rounds otherwise than blocks do: make it two
            here[0] = (queries[part].repeat(2, axis=0) @ references.T)[0]
        here[:, copies] = here[:, originals]
        values[part], rows[part] = largest(here, depth)
        progress(min(start + block, len(queries)), len(queries), "queries")
    return values, rows


def largest(similarity: Single, depth: int) -> tuple[Single, Ranks]:
    """The `depth` largest entries of each row, falling, with their columns; equal ones in ascending order of column.

    similarity: (rows, columns) without NaN, at least `depth` columns.
    """
    values = np.empty((len(similarity), depth), dtype=np.float32)
    columns = np.empty((len(similarity), depth), dtype=np.int32)
    for row, (entries, least) in enumerate(zip(similarity, _probable_least(similarity, depth), strict=True)):
        among = np.flatnonzero(entries >= least)
        if len(among) < depth:
            among = np.flatnonzero(entries >= np.partition(entries, len(entries) - depth)[-depth])
        keys = _falling(entries[among], among)
        keys.sort()
        columns[row] = keys[:depth] & _COLUMN
        values[row] = entries[columns[row]]
    return values, columns


def _probable_least(similarity: Single, depth: int) -> Single:
    """A number for each row that hardly fewer than `depth` entries reach, and not many more, from every 16th column.

    Four standard deviations of a sample's count are left as room; a row that has fewer after all is looked at whole.
    """
    width = similarity.shape[1]
    sample = similarity[:, ::_STRIDE]
    count = sample.shape[1]
    wanted = depth * count / width
    place = count - int(np.ceil(wanted + 4 * np.sqrt(wanted) + 4))
    if place < 0:
        return np.full(len(similarity), -np.inf, dtype=np.float32)
    return np.partition(sample, place, axis=1)[:, place]


def _falling(values: Single, columns: IntVector) -> NDArray[np.uint64]:
    """Whole numbers that ascend where values fall, and with the column where they are equal (it is the lower half).

    The bits of positive floats are in the order of the numbers, those of negative ones in the opposite order.
    """
    # + 0 makes -0 the 0 it is equal to
    bits = (values + np.float32(0)).view(np.uint32)
    order = np.where(bits >> np.uint32(31), bits, bits ^ np.uint32(0x7FFFFFFF))
    return (order.astype(np.uint64) << np.uint64(32)) | columns.astype(np.uint64)


def _copies(references: Single) -> tuple[IntVector, IntVector]:
    """Rows that are number for number an earlier one, and which."""
    first: dict[bytes, int] = {}
    pairs = []
    for row, numbers in enumerate(np.ascontiguousarray(references)):
        original = first.setdefault(blake2b(numbers, digest_size=16).digest(), row)
        if original != row:
            pairs.append((row, original))
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]
