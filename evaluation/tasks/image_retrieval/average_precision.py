"""Average precision and Recall@K of ranked lists, for many queries at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatVector, IntVector

NOWHERE = np.iinfo(np.int64).max
"""The position of the first hit in a list without a hit."""

_BLOCK = 256


def numbered(queries: Sequence[str], references: Sequence[str]) -> tuple[IntVector, IntVector, IntVector]:
    """The class number of each query and of each reference, and the number of references in each query's class."""
    number = {name: place for place, name in enumerate(dict.fromkeys((*queries, *references)))}
    mine, theirs = (np.array([number[name] for name in names], dtype=np.int64) for names in (queries, references))
    return mine, theirs, np.bincount(theirs, minlength=len(number))[mine]


def average_precision(
    ranks: NDArray[np.int32], query_class: IntVector, reference_class: IntVector, relevant: IntVector
) -> tuple[FloatVector, IntVector]:
    """AP@depth of each query, (queries,), higher is better, and the 0-based position of its first hit (or NOWHERE).

    ranks is (queries, depth): reference numbers, best first, and −1 after the end of a list. relevant is R for each
    query: the number of all relevant references, listed or not. AP = (1 / R) Σ P(i) · rel(i) over the listed ranks i,
    and 0 if R is 0.
    """
    total = np.zeros(len(ranks))
    first = np.full(len(ranks), NOWHERE)
    classes = np.append(reference_class, -1).astype(np.int32)  # number −1 is of no class
    wanted = query_class.astype(np.int32)
    found = np.empty((_BLOCK, ranks.shape[1]), np.int32)
    for start in range(0, len(ranks), _BLOCK):
        part = slice(start, start + _BLOCK)
        block = ranks[part]
        listed = np.take(classes, block, mode="wrap", out=found[: len(block)])
        row, place = np.divmod(np.flatnonzero(listed == wanted[part, None]), max(1, ranks.shape[1]))
        before = np.concatenate(([0], np.cumsum(np.bincount(row, minlength=len(block)))))
        hits = np.arange(1, len(row) + 1) - before[row]
        total[part] = np.bincount(row, weights=hits / (place + 1), minlength=len(block))
        some = before[1:] > before[:-1]
        first[part][some] = place[before[:-1][some]]
    return total / np.maximum(relevant, 1), first


def recall_at(first: IntVector, k: int) -> float:
    """Recall@K as in metric learning: the share of queries with a relevant reference among the first K."""
    return float(np.mean(first < k))
