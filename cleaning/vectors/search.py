"""Exact nearest neighbours by inner product, in blocks: memory grows with queries × depth, not queries × references.

Ties are broken by ascending row, at the cut-off as well, and identical references get identical similarities whatever
the BLAS does. Similarities are float32: with other blocks, threads or processors they may differ by about 1e-7, and
references that are closer than that may swap places.
"""

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, IntVector, Single, refuse_overflow
from cleaning.errors import InvalidInput, Place, count_of
from cleaning.progress import Progress, silent

Ranks = NDArray[np.int32]

METRICS = ("cosine", "inner_product", "euclidean")

# A block of similarities has at most this many queries and entries (80 MB).
_BLOCK_ROWS = 512
_BLOCK_ENTRIES = 20_000_000
# One column in so many is sampled to estimate the cut-off.
_STRIDE = 16
_COLUMN_BITS = np.uint64(0xFFFFFFFF)


def unit_directions(features: FloatMatrix, mean: NDArray[np.floating] | None = None) -> Single:
    """Rows minus `mean`, scaled to length 1, as float32 (n, d); a row of zeros stays a row of zeros."""
    rows = np.asarray(features, dtype=np.float32)
    rows = rows - np.asarray(mean, dtype=np.float32) if mean is not None else rows.copy()
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
    rows /= np.where(length == 0, np.float32(1), length)
    return rows


def column_means(features: FloatMatrix) -> NDArray[np.float64]:
    """The mean of every column, summed in float64, (d,)."""
    return np.asarray(np.mean(features, axis=0, dtype=np.float64))


def comparable(queries: FloatMatrix, references: FloatMatrix, metric: str) -> tuple[Single, Single]:
    """Float32 rows whose inner products rank the references as `metric` (one of METRICS) does, largest first.

    Raises InvalidInput for different widths, for a row too long for float32 and, with the cosine, for a row of zeros,
    which has no direction.
    """
    if queries.shape[1] != references.shape[1]:
        raise InvalidInput(
            "queries",
            f"{count_of(queries.shape[1], 'column')}, references have {references.shape[1]}",
            "embed both with the same network",
        )
    for what, rows in (("queries", queries), ("references", references)):
        refuse_overflow(rows, np.dtype(np.float32), what)
    if metric == "cosine":
        for what, rows in (("queries", queries), ("references", references)):
            empty = np.flatnonzero(~rows.any(axis=1))
            if len(empty):
                raise InvalidInput(
                    Place(key=what, row=int(empty[0])), "the cosine of a zero vector is undefined", "embed it again"
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
    """The `depth` largest inner products per query, (q, depth), in descending order, and their reference rows.

    `progress` receives the number of queries done.
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
            # BLAS has a different kernel for a single row, which rounds differently, so compute the row twice
            here[0] = (queries[part].repeat(2, axis=0) @ references.T)[0]
        here[:, copies] = here[:, originals]
        values[part], rows[part] = largest(here, depth)
        progress(min(start + block, len(queries)), len(queries), "queries")
    return values, rows


def largest(similarity: Single, depth: int) -> tuple[Single, Ranks]:
    """The `depth` largest entries of each row in descending order, and their columns; ties by ascending column.

    similarity: (rows, columns) without NaN, with at least `depth` columns.
    """
    values = np.empty((len(similarity), depth), dtype=np.float32)
    columns = np.empty((len(similarity), depth), dtype=np.int32)
    for row, (entries, cutoff) in enumerate(zip(similarity, _probable_cutoff(similarity, depth), strict=True)):
        among = np.flatnonzero(entries >= cutoff)
        if len(among) < depth:
            among = np.flatnonzero(entries >= np.partition(entries, len(entries) - depth)[-depth])
        keys = _sort_keys(entries[among], among)
        keys.sort()
        columns[row] = keys[:depth] & _COLUMN_BITS
        values[row] = entries[columns[row]]
    return values, columns


def _probable_cutoff(similarity: Single, depth: int) -> Single:
    """A threshold per row that at least `depth` entries almost certainly reach, but not many more.

    Estimated from a sample of the columns, with a margin of four standard deviations of the sample's count. If fewer
    than `depth` entries reach it after all, `largest` searches the whole row.
    """
    width = similarity.shape[1]
    sample = similarity[:, ::_STRIDE]
    count = sample.shape[1]
    wanted = depth * count / width
    place = count - int(np.ceil(wanted + 4 * np.sqrt(wanted) + 4))
    if place < 0:
        return np.full(len(similarity), -np.inf, dtype=np.float32)
    return np.partition(sample, place, axis=1)[:, place]


def _sort_keys(values: Single, columns: IntVector) -> NDArray[np.uint64]:
    """Integer keys that sort by descending value, then by ascending column, which is their lower half.

    Read as integers, the bits of positive floats sort like the floats, and those of negative floats in reverse.
    """
    # + 0 turns -0 into 0, so that both get the same key
    bits = (values + np.float32(0)).view(np.uint32)
    order = np.where(bits >> np.uint32(31), bits, bits ^ np.uint32(0x7FFFFFFF))
    return (order.astype(np.uint64) << np.uint64(32)) | columns.astype(np.uint64)


def _copies(references: Single) -> tuple[IntVector, IntVector]:
    """Rows that are identical to an earlier row, and those earlier rows."""
    first: dict[bytes, int] = {}
    pairs = []
    for row, numbers in enumerate(np.ascontiguousarray(references)):
        original = first.setdefault(blake2b(numbers, digest_size=16).digest(), row)
        if original != row:
            pairs.append((row, original))
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]
