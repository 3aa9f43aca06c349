"""Labelled embeddings, the input of rankers, learners and the simulation. True labels are a separate object."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cleaning.errors import InvalidInput, Place, count_of, first_three

FloatMatrix = NDArray[np.floating]
FloatVector = NDArray[np.float64]
Single = NDArray[np.float32]
IntVector = NDArray[np.int64]
IntMatrix = NDArray[np.int64]
LARGEST_SHARE = 1e-9
"""Squared lengths are summed over rows, so each may be at most this share of the largest float."""
# A label may exceed the number of rows by this much.
_CLASSES_WITHOUT_ROWS = 1000

_Array = TypeVar("_Array", bound=NDArray[Any])


@dataclass(frozen=True, eq=False)
class Split:
    """Embeddings with their labels, one row per sample. Immutable.

    Parameters
    ----------
    features : array of shape (n, d)
        Finite numbers. float32 stays float32, everything else becomes float64.
    labels : array of shape (n,)
        Integer classes counted from 0.
    ids : tuple of str, length n
        Names of the rows; they need not be unique.

    Raises
    ------
    InvalidInput
        For a wrong shape or type, NaN or infinity, or a negative label.

    Notes
    -----
    The arrays are stored read-only, C-contiguous and aligned. On unaligned arrays, which a cluster may deliver, BLAS is
    slow and rounds differently.
    """

    features: FloatMatrix
    labels: IntVector
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        features = checked_features(self.features)
        labels = _checked_labels(self.labels, "labels")
        ids = tuple(self.ids)
        if not len(features) == len(labels) == len(ids):
            raise InvalidInput(
                "split",
                f"{len(features)} rows of features, {len(labels)} labels and {len(ids)} ids do not match",
                "give one label and one id for every row",
            )
        object.__setattr__(self, "features", features)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "ids", ids)

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def from_arrays(cls, features: ArrayLike, labels: ArrayLike, ids: Sequence[str] | None = None) -> "Split":
        """Make a split from anything that NumPy can convert to arrays.

        Parameters
        ----------
        features : array-like of shape (n, d)
            Finite numbers.
        labels : array-like of shape (n,)
            Integer classes counted from 0.
        ids : sequence of str, optional
            Names of the rows. Default: their numbers, from 0.

        Returns
        -------
        Split
            The checked arrays.

        Raises
        ------
        InvalidInput
            As for the class.
        """
        matrix, vector = np.asarray(features), np.asarray(labels)
        return cls(matrix, vector, tuple(str(row) for row in range(len(vector))) if ids is None else tuple(ids))

    def take(self, rows: ArrayLike) -> "Split":
        """Select rows.

        Parameters
        ----------
        rows : array-like of int
            Row numbers, in the order wanted.

        Returns
        -------
        Split
            These rows in that order.
        """
        index = np.asarray(rows, dtype=np.int64)
        return Split(self.features[index], self.labels[index], tuple(self.ids[row] for row in index))

    def order_by_id(self) -> IntVector:
        """Sort the rows by id, then label: an order that does not change when the rows are shuffled.

        Returns
        -------
        array of int, shape (n,)
            Row numbers. Rows that share id and label (duplicated samples) keep their order.
        """
        labels = self.labels.tolist()
        return np.asarray(sorted(range(len(self)), key=lambda row: (self.ids[row], labels[row])), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class NoisyDataset:
    """The rows of one benchmark data set, without the true training labels (see `GroundTruth`).

    Parameters
    ----------
    name : str
        The data id.
    train : Split
        Rows with noisy labels.
    validation : Split or None
        Rows with trusted labels, if there are any.
    test : Split
        Rows with trusted labels, on which accuracy is measured.

    Raises
    ------
    InvalidInput
        For embeddings of different widths, for no training or test rows, and for a label far above the number of rows.
    """

    name: str
    train: Split
    validation: Split | None
    test: Split

    def __post_init__(self) -> None:
        width = self.train.features.shape[1]
        for part, split in (("validation", self.validation), ("test", self.test)):
            if split is not None:
                refuse_other_width(f"data id {self.name}, {part}", split.features, width)
        for part, split in (("train", self.train), ("test", self.test)):
            if not len(split):
                raise InvalidInput(f"data id {self.name}, {part}", "there are no rows", "give at least one sample")
        named = (("train", self.train), ("validation", self.validation), ("test", self.test))
        refuse_gaps(*((Place(key=f"data id {self.name}, {part}"), split) for part, split in named))


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """The true labels of the training rows. A separate object, so that no ranker receives it by accident.

    Parameters
    ----------
    labels : array of int, shape (n,)
        Classes counted from 0, in the order of the training rows.

    Raises
    ------
    InvalidInput
        For a wrong shape or type, or a negative label.
    """

    labels: IntVector

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", _checked_labels(self.labels, "true labels"))


def checked_features(values: ArrayLike, what: str = "features") -> FloatMatrix:
    """A read-only, aligned, C-contiguous (n, d) float matrix without NaN or infinity.

    Raises InvalidInput for any other array, and for rows that `refuse_overflow` refuses in the dtype of the matrix.
    """
    matrix = np.asarray(values)
    if matrix.ndim != 2 or matrix.shape[1] == 0:
        raise InvalidInput(what, f"the shape is {matrix.shape}", "give a matrix with at least one column")
    if matrix.dtype.kind not in "fiu":
        raise InvalidInput(what, f"the values are {matrix.dtype}, not numbers", "give floats")
    dtype = np.float32 if matrix.dtype == np.float32 else np.float64
    matrix = np.require(matrix, dtype=dtype, requirements=["C", "A"])
    bad = np.flatnonzero(~np.isfinite(matrix).all(axis=1))
    if len(bad):
        raise InvalidInput(
            Place(key=what, row=int(bad[0])),
            f"NaN or infinite values (affected rows, {first_three(bad.tolist())})",
            "drop or re-embed those rows" if what == "features" else "give finite numbers",
        )
    refuse_overflow(matrix, np.dtype(dtype), what)
    return _read_only(matrix)


def refuse_other_width(what: str, features: FloatMatrix, width: int) -> None:
    """Raises InvalidInput for embeddings with another number of columns than the training rows have."""
    if features.shape[1] != width:
        problem = f"embeddings have {count_of(features.shape[1], 'column')}, training embeddings have {width}"
        raise InvalidInput(what, problem, "embed every split with the same network")


def refuse_overflow(matrix: FloatMatrix, dtype: np.dtype[Any], what: str) -> None:
    """Raises InvalidInput for a row whose squared length, or a sum of many of them, would overflow `dtype`.

    what: the name of the (n, d) matrix in the error message.
    """
    with np.errstate(over="ignore"):
        long = np.flatnonzero(np.einsum("ij,ij->i", matrix, matrix) > float(np.finfo(dtype).max) * LARGEST_SHARE)
    if len(long):
        raise InvalidInput(
            Place(key=what, row=int(long[0])),
            f"values up to {np.abs(matrix[long[0]]).max():.3g}, which are too large: their squares overflow {dtype} "
            f"(affected rows, {first_three(long.tolist())})",
            "scale the vectors down",
        )


def _checked_labels(values: ArrayLike, what: str) -> IntVector:
    """A read-only (n,) int64 vector of classes counted from 0. Raises InvalidInput for any other array."""
    vector = np.asarray(values)
    if vector.ndim != 1:
        raise InvalidInput(what, f"the shape is {vector.shape}", "give one label per row")
    if vector.dtype.kind not in "iu" and len(vector):
        raise InvalidInput(what, f"the values are {vector.dtype}, not integers", "number the classes from 0")
    bad = np.flatnonzero(vector < 0) if len(vector) else np.empty(0, int)
    if len(bad):
        raise InvalidInput(
            Place(key=what, row=int(bad[0])), f"{vector[bad[0]]} is not a class (negative)", "number the classes from 0"
        )
    return _read_only(np.require(vector, dtype=np.int64, requirements=["C", "A"]))


def refuse_gaps(*splits: tuple[Place, Split | None]) -> None:
    """Raises InvalidInput for a label far above the number of rows: memory is allocated for every class up to it.

    splits: pairs of a place (a file or a key) and the rows found there.
    """
    rows = sum(len(split) for _, split in splits if split is not None)
    for where, split in splits:
        if split is not None and len(split) and (largest := int(split.labels.max())) > rows + _CLASSES_WITHOUT_ROWS:
            raise InvalidInput(
                Place(
                    where.path, key=f"{where.key}, labels" if where.key else "labels", row=int(split.labels.argmax())
                ),
                f"class {largest}, but there are only {rows} rows in total",
                "number the classes from 0 without gaps",
            )


def class_count(train: Split, validation: Split | None) -> int:
    """Count the classes.

    Parameters
    ----------
    train : Split
        The training rows.
    validation : Split or None
        The validation rows, if there are any.

    Returns
    -------
    int
        One more than the largest label in either.
    """
    parts = [train.labels] if validation is None else [train.labels, validation.labels]
    return 1 + max((int(labels.max()) for labels in parts if len(labels)), default=0)


def slices(count: int, size: int) -> list[slice]:
    """The slices of `count` rows with up to `size` rows each, in order."""
    return [slice(at, min(at + size, count)) for at in range(0, count, size)]


def _read_only(array: _Array) -> _Array:
    view = array.view()
    view.flags.writeable = False
    return view
