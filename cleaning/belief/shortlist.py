"""The classes that each row of a stack is fitted with: all, or a few if there are many."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from cleaning.data import FloatMatrix, FloatVector, IntMatrix, IntVector

# With more classes than this, each row is fitted with its most probable classes and a sample of the others.
_ALL_CLASSES, _LEADING, _SAMPLED = 64, 24, 8
_BLOCK = 1024


def classes_fitted(n_classes: int) -> int:
    """With how many classes each row is fitted."""
    return n_classes if n_classes <= _ALL_CLASSES else _LEADING + _SAMPLED


@dataclass(frozen=True, eq=False)
class Shortlist:
    """The scores of rows for the classes that each of them may have; the sampled ones stand for the others.

    scores (learners, C, m), since sums over long rows of memory are faster; classes (C, m), or None for all K classes
    in their order; several (C, 1): the logarithm of the number of classes that each one stands for.
    """

    scores: FloatMatrix
    n_classes: int
    classes: IntMatrix | None = None
    several: FloatMatrix | None = None

    @classmethod
    def of(cls, scores: FloatMatrix, votes: FloatMatrix, start: FloatVector) -> "Shortlist":
        """Those of rows with scores (learners, m, K) and votes (m, K).

        start: the weights by which classes are probable, and then what is not looked at.
        """
        learners, rows, n_classes = scores.shape
        if classes_fitted(n_classes) == n_classes:
            return cls(np.ascontiguousarray(scores.transpose(0, 2, 1), dtype=np.float64), n_classes)
        # another sample for each row; the callers order their rows by id, so it does not depend on the rows' order
        rng, blocks = np.random.default_rng(0), [slice(at, at + _BLOCK) for at in range(0, rows, _BLOCK)]
        likely = (np.tensordot(start[:learners].astype(scores.dtype), scores[:, block], 1) for block in blocks)
        classes = np.vstack([_chosen(rough, votes[block], rng) for rough, block in zip(likely, blocks, strict=True)])
        several = np.zeros((classes.shape[1], 1))
        several[_LEADING:] = np.log((n_classes - _LEADING) / _SAMPLED)
        few = np.take_along_axis(scores, classes[None], axis=2).transpose(0, 2, 1)
        return cls(np.ascontiguousarray(few, dtype=np.float64), n_classes, np.ascontiguousarray(classes.T), several)

    def take(self, rows: slice) -> "Shortlist":
        """The same of some rows."""
        classes = None if self.classes is None else np.ascontiguousarray(self.classes[:, rows])
        return Shortlist(np.ascontiguousarray(self.scores[:, :, rows]), self.n_classes, classes, self.several)

    def logits(self, parameters: FloatVector) -> FloatMatrix:
        """The unnormalised log-probabilities, (C, m), by the weights and the offset."""
        weights, offset = parameters[: len(self.scores)], parameters[len(self.scores) :]
        found = np.tensordot(weights, self.scores, 1)
        found += self.of_class(offset)
        if self.several is not None:
            found += self.several
        return np.asarray(found)

    def of_class(self, values: FloatVector) -> FloatMatrix:
        """The (K,) values for each row's classes: (C, m), or (K, 1) if every row has all classes."""
        return values[:, None] if self.classes is None else values.take(self.classes)

    def of_rows(self, values: FloatMatrix) -> FloatMatrix:
        """The (m, K) values of each row's classes, (C, m)."""
        turned = values.T
        return turned.copy() if self.classes is None else np.take_along_axis(turned, self.classes, axis=0)

    def by_class(self, values: FloatMatrix) -> FloatVector:
        """The sum of (C, m) values over the rows, (K,)."""
        if self.classes is None:
            return np.asarray(values @ np.ones(values.shape[1]))
        return np.asarray(np.bincount(self.classes.ravel(), values.ravel(), self.n_classes), dtype=np.float64)

    def heard(self, ballot: csr_array, noise: FloatMatrix) -> FloatMatrix:
        """The logarithm of P(what each row was called | its class), (C, m)."""
        logs = np.log(noise + 1e-300)
        if self.classes is None:
            return np.ascontiguousarray((ballot @ logs.T).T)
        row = np.repeat(np.arange(self.classes.shape[1]), np.diff(ballot.indptr))
        each = ballot.data * logs[self.classes[:, row], ballot.indices]
        return np.add.reduceat(each, ballot.indptr[:-1], axis=1)

    def counted(self, believed: FloatMatrix, ballot: csr_array) -> FloatMatrix:
        """The expected number of votes by true class, (K, A·K)."""
        if self.classes is None:
            return np.asarray(believed @ ballot)
        start = np.arange(0, believed.size + 1, len(believed))
        shape = believed.shape[1], self.n_classes
        wide = csr_array((believed.T.ravel(), self.classes.T.ravel(), start), shape=shape)
        return np.asarray((wide.T @ ballot).toarray())


def _chosen(likely: FloatMatrix, votes: FloatMatrix, rng: np.random.Generator) -> IntVector:
    """For each row _LEADING classes, what it is called and the most probable ones, then a sample of the others."""
    likely[votes > 0] = np.inf
    leading = np.argpartition(-likely, _LEADING, axis=1)[:, :_LEADING]
    lottery = rng.random(likely.shape, dtype=np.float32)
    np.put_along_axis(lottery, leading, 2, axis=1)
    return np.concatenate([leading, np.argpartition(lottery, _SAMPLED, axis=1)[:, :_SAMPLED]], axis=1)
