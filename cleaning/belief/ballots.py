"""Several labels per row: who said what of each group of copies."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import xlogy

from cleaning.data import FloatMatrix, FloatVector, IntMatrix, IntVector, slices
from cleaning.errors import InvalidInput, Place

MISSING = -1
"""In a matrix of votes: this annotator has not labelled this row."""

_BLOCK = 4096


def vote_matrix(values: object, rows: int, what: str) -> IntMatrix:
    """The (n, A) matrix of class numbers, -1 where there is no vote.

    Raises InvalidInput for anything else, and for a row without any vote.
    """
    matrix = np.asarray(values)
    if matrix.ndim != 2 or not matrix.shape[1]:
        raise InvalidInput(what, f"the shape is {matrix.shape}", "give a matrix: one row per sample, one column each")
    if matrix.dtype.kind == "f":
        matrix = np.where(np.isnan(matrix), MISSING, matrix)
    if matrix.dtype.kind not in "fiu" or not (np.isfinite(matrix) & (matrix == np.round(matrix))).all():
        raise InvalidInput(what, "the values are not whole numbers", "number the classes from 0")
    if len(matrix) != rows:
        raise InvalidInput(what, f"{len(matrix)} rows of votes for {rows} rows", "give one row of votes for every row")
    found = matrix.astype(np.int64)
    odd = np.argwhere(found < MISSING)
    if len(odd):
        row, column = map(int, odd[0])
        problem = f"{found[row, column]} is not a class"
        raise InvalidInput(Place(key=what, column=str(column), row=row), problem, "use -1 where there is no vote")
    bare = np.flatnonzero((found < 0).all(axis=1))
    if len(bare):
        raise InvalidInput(Place(key=what, row=int(bare[0])), "nobody has labelled it", "leave such rows out")
    return found


def ballots_of(votes: IntMatrix, group: IntVector, classes: IntVector) -> csr_array:
    """What each of A annotators said of each group, (groups, A·K): the shares of their labels among its rows."""
    groups, (_, annotators), n_classes = int(group.max(initial=-1)) + 1, votes.shape, len(classes)
    row, one = np.nonzero(votes >= 0)
    column = one * n_classes + np.searchsorted(classes, votes[row, one])
    said = np.zeros(len(row)) + 1
    total = csr_array((said, (group[row], one)), shape=(groups, annotators)).tocsr()
    total.sum_duplicates()
    weight = 1 / np.asarray(total[group[row], one]).ravel() if len(row) else said
    return csr_array((weight, (group[row], column)), shape=(groups, annotators * n_classes))


def shares_in(ballots: csr_array, n_classes: int) -> csr_array:
    """The share of each class among all votes on each group, (groups, K); nothing for a group without a vote."""
    start = ballots.indptr
    shape = ballots.shape[0], n_classes
    total = csr_array((ballots.data, ballots.indices % n_classes, start), shape=shape, copy=True)
    total.sum_duplicates()
    votes = np.repeat(total.sum(axis=1), np.diff(total.indptr))
    total.data = total.data / votes
    return total


def shares_of(ballots: csr_array, n_classes: int) -> FloatMatrix:
    """The same, dense; each group has a vote."""
    return np.asarray(shares_in(ballots, n_classes).toarray())


def voted_on(ballots: csr_array, n_classes: int) -> NDArray[np.bool_]:
    """Whether each annotator has voted on each group, (groups, A)."""
    found = np.zeros((ballots.shape[0], ballots.shape[1] // n_classes), dtype=np.bool_)
    row = np.repeat(np.arange(len(found)), np.diff(ballots.indptr))
    found[row, ballots.indices // n_classes] = True
    return found


def bits_told(belief: FloatMatrix, noise: FloatMatrix) -> FloatVector:
    """How much one more vote, with this noise matrix, should tell about each row, (m,), by the beliefs (m, K).

    The mutual information of vote and class, in bits; rounding may make it a little negative.
    """
    answer = belief @ noise.astype(belief.dtype)
    unsure = -xlogy(noise, noise).sum(axis=1).astype(belief.dtype)
    return np.asarray((-xlogy(answer, answer).sum(axis=1) - belief @ unsure) / np.log(2))


def majority(votes: IntMatrix) -> IntVector:
    """The class with most votes of each row, (n,); of equals, the one that is more frequent among all votes.

    -1 for a row without votes.
    """
    n_classes = max((int(votes[part].max(initial=-1)) for part in slices(len(votes), _BLOCK)), default=-1) + 1
    common, found = np.zeros(n_classes), np.full(len(votes), MISSING)
    for part in slices(len(votes), _BLOCK):
        common += np.bincount(votes[part][votes[part] >= 0], minlength=n_classes)
    first = common / (2 * common.sum() + 1)
    for part in slices(len(votes), _BLOCK) if n_classes else ():
        counts = vote_counts(votes[part], n_classes)
        found[part] = np.where(counts.any(axis=1), (counts + first).argmax(axis=1), MISSING)
    return found


def vote_counts(votes: IntMatrix, n_classes: int) -> IntMatrix:
    """How many votes each class has on each row, (b, K)."""
    row, one = np.nonzero(votes >= 0)
    named = row * n_classes + votes[row, one]
    return np.bincount(named, minlength=len(votes) * n_classes).reshape(len(votes), n_classes)
