"""Copies: rows that are equal or nearly so. However many there are, they count as one piece of evidence."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.vectors.neighbours import nearest

# A near copy is within 1% of the typical distance between rows, and the next row that is not a copy is at least five
# times as far away.
_NEAR, _GAP = 0.01, 5.0
# That next row is looked for among so many neighbours, and among more if all of them are near.
_NEIGHBOURS, _MOST_NEIGHBOURS = 8, 512
# In one or two dimensions, many rows lie that close to just one other by chance.
_FEWEST_COLUMNS = 3
# With more rows than the first, neighbours are found in a random projection to so many directions. With more than the
# second, only equal rows are grouped.
_PROJECTED_ROWS, _MOST_ROWS, _DIRECTIONS = 2500, 20_000, 32
_PAIRS = 2000
# So many distances are looked at together. In single precision, squares are off by less than this share of them.
_ENTRIES, _ROUNDING = 4_000_000, 1e-5


def copy_groups(features: FloatMatrix) -> IntVector:
    """The number of the group of each row, (n,); groups are numbered from 0 in the order of their first rows.

    Equal rows are one group. So are near copies, if there are at most 20,000 distinct rows with more than two columns.
    """
    numbers: dict[bytes, int] = {}
    equal = np.array([numbers.setdefault(key, len(numbers)) for key in row_keys(features)], dtype=np.int64)
    if not 2 < len(numbers) <= _MOST_ROWS or features.shape[1] < _FEWEST_COLUMNS:
        return equal
    first = np.unique(equal, return_index=True)[1]
    return np.asarray(_near_copies(features[first].astype(np.float64))[equal], dtype=np.int64)


def row_keys(features: FloatMatrix) -> list[bytes]:
    """The bytes of each row, the same for equal rows: adding 0 turns -0.0 into 0.0."""
    return [row.tobytes() for row in np.ascontiguousarray(features) + features.dtype.type(0)]


def _near_copies(rows: FloatMatrix) -> IntVector:
    """Connected components of the pairs that are near copies of each other, (m,), numbered in the order of the rows."""
    typical = _typical_distance(rows)
    limit, looked_at = _NEAR * typical, _looked_at(rows - rows.mean(axis=0))
    some = _not_far(looked_at, typical) if looked_at.shape == rows.shape and typical else np.arange(len(rows))
    one, other = _near_pairs(looked_at, limit, some)
    kept = _distances(rows, one, other) <= limit
    graph = coo_array((np.ones(int(kept.sum())), (one[kept], other[kept])), shape=(len(rows), len(rows)))
    found = connected_components(graph, directed=False)[1]
    # scipy promises no order of the components; the rank of its first row is the number of a group
    return np.argsort(np.argsort(np.unique(found, return_index=True)[1]))[found]


def _typical_distance(rows: FloatMatrix) -> float:
    """The median distance of up to 2,000 random pairs of different rows."""
    rng = np.random.default_rng(0)
    one = rng.integers(0, len(rows), _PAIRS)
    other = (one + rng.integers(1, len(rows), _PAIRS)) % len(rows)
    return float(np.median(_distances(rows, one, other)))


def _distances(rows: FloatMatrix, one: IntVector, other: IntVector) -> FloatVector:
    """The Euclidean distances between the rows `one` and `other`, (pairs,), exact also for very near rows."""
    found = np.empty(len(one))
    for start in range(0, len(one), _PAIRS):
        block = slice(start, start + _PAIRS)
        found[block] = np.sqrt(((rows[one[block]] - rows[other[block]]) ** 2).sum(axis=1))
    return found


def _looked_at(centred: FloatMatrix) -> FloatMatrix:
    """The rows; if there are many, a random projection that keeps squared distances on average."""
    if len(centred) <= _PROJECTED_ROWS or centred.shape[1] <= _DIRECTIONS:
        return centred
    directions = np.random.default_rng(0).standard_normal((centred.shape[1], _DIRECTIONS)) / np.sqrt(_DIRECTIONS)
    return np.asarray(centred @ directions)


def _not_far(rows: FloatMatrix, typical: float) -> IntVector:
    """The numbers of the rows that another row may be near; mostly these are few.

    They are looked for in single precision; where that does not tell, a row is among them.
    """
    with np.errstate(all="ignore"):
        single = rows.astype(np.float32)
        single /= np.float32(typical)
        half = np.einsum("ij,ij->i", single, single) * np.float32((1 - _ROUNDING) / 2)
        far = np.empty(len(rows), dtype=np.bool_)
        block = max(1, _ENTRIES // len(rows))
        for start in range(0, len(rows), block):
            part = slice(start, start + block)
            near = single[part] @ single.T  # |a - b|² <= limit² if a b - |b|² / 2 >= |a|² / 2 - limit² / 2
            near -= half
            np.fill_diagonal(near[:, start:], -np.inf)
            far[part] = near.max(axis=1) < half[part] - np.float32(_NEAR**2 / 2)
    return np.flatnonzero(~far)


def _near_pairs(rows: FloatMatrix, limit: float, open_rows: IntVector) -> tuple[IntVector, IntVector]:
    """Pairs of rows: each open row with its neighbours within `limit`, up to the last large step in their distances."""
    none, count = np.empty(0, dtype=np.int64), _NEIGHBOURS
    pairs: list[tuple[IntVector, IntVector]] = [(none, none)]
    while len(open_rows):
        index = nearest(rows[open_rows], rows, count + 1)[1]
        k = index.shape[1]
        # the search computes distances as differences of large numbers, so those of copies are only rounding errors
        distance = _distances(rows, np.repeat(open_rows, k), index.ravel()).reshape(index.shape)
        distance[index == open_rows[:, None]] = -1.0
        order = np.argsort(distance, axis=1, kind="stable")
        distance, index = np.take_along_axis(distance, order, axis=1), np.take_along_axis(index, order, axis=1)
        step = (distance[:, :-1] <= limit) & (distance[:, 1:] > _GAP * np.maximum(distance[:, :-1], 0))
        step &= distance[:, :-1] >= 0  # no step from the row itself
        last = np.where(step.any(axis=1), k - 2 - step[:, ::-1].argmax(axis=1), -1)
        linked = (np.arange(k) <= last[:, None]) & (distance >= 0)
        pairs.append((np.repeat(open_rows, linked.sum(axis=1)), index[linked]))
        more = distance[:, -1] <= limit
        open_rows = open_rows[more] if count < min(_MOST_NEIGHBOURS, len(rows) - 1) else open_rows[:0]
        count *= 4
    return np.concatenate([one for one, _ in pairs]), np.concatenate([other for _, other in pairs])
