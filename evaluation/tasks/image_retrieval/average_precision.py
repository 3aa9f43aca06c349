"""Average precision and the recall ladder of ranked lists, many queries at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatVector, IntVector

NOWHERE = np.iinfo(np.int64).max
"""The place of the first hit of a list without one."""

_BLOCK = 256


def numbered(queries: Sequence[str], references: Sequence[str]) -> tuple[IntVector, IntVector, IntVector]:
    """Classes as whole numbers: of each query, of each reference, and how many references each query's class has."""
    number = {name: place for place, name in enumerate(dict.fromkeys((*queries, *references)))}
    mine, theirs = (np.array([number[name] for name in names], dtype=np.int64) for names in (queries, references))
    return mine, theirs, np.bincount(theirs, minlength=len(number))[mine]


def average_precision(
    ranks: NDArray[np.int32], query_class: IntVector, reference_class: IntVector, relevant: IntVector
) -> tuple[FloatVector, IntVector]:
    """AP@depth of each query, (queries,), higher is better, and the place from 0 of its first hit (NOWHERE: none).

    ranks: (queries, depth) reference numbers, best first, −1 after the end of a list. relevant: R of each query, all
    relevant references, listed or not. AP = (1 / R) Σ P(i) · rel(i) over the listed ranks i, and 0 where R is 0.
    """
    total = np.zeros(len(ranks))
    first = np.full(len(ranks), NOWHERE)
    for start in range(0, len(ranks), _BLOCK):
        part = slice(start, start + _BLOCK)
        block = ranks[part]
        row, place = np.nonzero((reference_class[block] == query_class[part, None]) & (block >= 0))
        before = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=len(block)))))
        hits = np.arange(1, len(row) + 1) - before[row]
        total[part] = np.bincount(row, weights=hits / (place + 1), minlength=len(block))
        some = before[1:] > before[:-1]
        first[part][some] = place[before[:-1][some]]
    return total / np.maximum(relevant, 1), first


def recall_at(first: IntVector, k: int) -> float:
    """Recall@K in the metric-learning sense: the share of queries with a relevant reference among the first K."""
    return float(np.mean(first < k))
