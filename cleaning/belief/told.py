"""What a posterior is told: rows and their labels, and what else speaks about them."""

from dataclasses import dataclass

import numpy as np

from cleaning.data import FloatMatrix, IntMatrix, IntVector, Split, checked_features
from cleaning.errors import InvalidInput, Place, count_of

# Rows of probabilities may miss a sum of 1 by this much: float16 predictions of a thousand classes do.
_ROUNDING = 0.02


@dataclass(frozen=True, eq=False)
class Checked:
    """Training rows that somebody has looked at, probably since they were suspicious.

    Attributes
    ----------
    rows : Split
        The c rows with their right labels. They are not among the training rows any more.
    given : array of int, shape (c,)
        The labels that they had before.
    probabilities : array of shape (c, K), optional
        What the user's own model predicts for them, if it does so for the training rows.
    votes : array of int, shape (c, A), optional
        What each annotator said of them, if that is known for the training rows.
    """

    rows: Split
    given: IntVector
    probabilities: FloatMatrix | None = None
    votes: IntMatrix | None = None


@dataclass(frozen=True, eq=False)
class Told:
    """Everything that `label_posterior` is told.

    probabilities (n, K) and validation_probabilities (m, K): out-of-sample predictions of the user's own model for the
    training rows and for the validation rows; None where there are none. votes (n, A): the label that each of A
    annotators gave the training rows, -1 for none; None: the labels are all that was said.
    """

    train: Split
    validation: Split | None = None
    checked: Checked | None = None
    probabilities: FloatMatrix | None = None
    validation_probabilities: FloatMatrix | None = None
    votes: IntMatrix | None = None

    @property
    def alone(self) -> bool:
        """Whether the probabilities are all that is known: the features are these probabilities."""
        return self.probabilities is not None and np.array_equal(self.probabilities, self.train.features)

    def voted(self) -> IntVector:
        """The classes that annotators named, each as often as they did."""
        parts = [] if self.votes is None else [self.votes.ravel()]
        if self.checked is not None and self.checked.votes is not None:
            parts.append(self.checked.votes.ravel())
        named = np.concatenate([np.empty(0, dtype=np.int64), *parts])
        return np.asarray(named[named >= 0], dtype=np.int64)

    def predictions(self, order: IntVector, kept: IntVector) -> list[FloatMatrix] | None:
        """The probabilities of the training rows in this order, of the validation rows `kept`, of the checked rows.

        A part without rows is left out. Rows without predictions get the same probability for each class.
        """
        if self.probabilities is None:
            return None
        parts = [self.probabilities[order]]
        even = np.full((1, self.probabilities.shape[1]), 1 / self.probabilities.shape[1])
        if self.validation is not None and len(kept):
            known = self.validation.features if self.alone else self.validation_probabilities
            parts.append(even.repeat(len(kept), axis=0) if known is None else known[kept])
        if self.checked is not None:
            known = self.checked.rows.features if self.alone else self.checked.probabilities
            parts.append(even.repeat(len(self.checked.rows), axis=0) if known is None else known)
        return parts


def probability_matrix(values: object, rows: int, n_classes: int, what: str) -> FloatMatrix:
    """The (n, K) matrix of finite numbers. Raises InvalidInput for anything but one distribution per row.

    rows: n. n_classes: at least so many classes there must be. what: the name of the argument, for errors.
    """
    matrix = checked_features(np.asarray(values), what)
    if len(matrix) != rows:
        found = f"{count_of(len(matrix), 'row')} for {count_of(rows, 'label')}"
        raise InvalidInput(what, found, "give one row for every label")
    if matrix.shape[1] < n_classes:
        found = f"{count_of(matrix.shape[1], 'column')} for {n_classes} classes"
        raise InvalidInput(what, found, "give one column for every class, in the order of the classes")
    refuse_no_distributions(matrix, what)
    return matrix


def refuse_no_distributions(matrix: FloatMatrix, what: str) -> None:
    """Raises InvalidInput for the first row with a negative number or a sum that is not 1. matrix (n, K): finite."""
    sums = matrix.sum(axis=1, dtype=np.float64)
    odd = np.flatnonzero((matrix.min(axis=1) < 0) | (np.abs(sums - 1) > _ROUNDING))
    if len(odd):
        row = int(odd[0])
        least = matrix[row].min()
        found = f"{least:.3g} is not a probability" if least < 0 else f"the row sums to {sums[row]:.3g}, not to 1"
        raise InvalidInput(Place(key=what, row=row), found, "give probabilities, not scores or logits")
