"""The order in which training labels are inspected."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from cleaning.data import IntVector
from cleaning.errors import InvalidInput, Place, first_three


def said_of_order(scores: ArrayLike) -> str | None:
    """What to say of scores that may be the order itself: whole numbers from 0, each once."""
    found = np.asarray(scores)
    if found.ndim != 1 or found.dtype.kind not in "iu" or len(found) < 2:
        return None
    if not np.array_equal(np.sort(found), np.arange(len(found))):
        return None
    looks = f"its scores are the numbers 0 to {len(found) - 1}, each once, which looks like an order"
    return f"{looks}; they were read as scores (lowest first). To return an order: fixfirst.Ranking(order)"


@dataclass(frozen=True, eq=False)
class Ranking:
    """An order in which to inspect the labels of n rows.

    Parameters
    ----------
    order : array of int, shape (n,)
        Each of the row numbers 0 … n-1 once, in the order of inspection.

    Raises
    ------
    InvalidInput
        If `order` is not a permutation.
    """

    order: IntVector

    def __post_init__(self) -> None:
        order = np.asarray(self.order)
        if order.ndim != 1 or order.dtype.kind not in "iu":
            raise InvalidInput("ranking", f"{order.dtype} of shape {order.shape}", "give a vector of row numbers")
        order = order.astype(np.int64)
        order.flags.writeable = False
        outside = order[(order < 0) | (order >= len(order))]
        if len(outside):
            raise InvalidInput(
                "ranking", f"rows outside 0 … {len(order) - 1} ({first_three(outside.tolist())})", "list every row once"
            )
        twice = np.flatnonzero(np.bincount(order, minlength=len(order)) > 1)
        if len(twice):
            raise InvalidInput("ranking", f"duplicate rows ({first_three(twice.tolist())})", "list every row once")
        object.__setattr__(self, "order", order)

    def __len__(self) -> int:
        return len(self.order)

    @classmethod
    def from_scores(cls, scores: ArrayLike) -> "Ranking":
        """Rank rows by a label-quality score.

        Parameters
        ----------
        scores : array-like of shape (n,)
            Finite numbers; lower means more suspicious (cleanlab's convention).

        Returns
        -------
        Ranking
            The lowest score first; equal scores keep the order of the rows.

        Raises
        ------
        InvalidInput
            If the scores are not a vector of finite numbers.
        """
        vector = np.asarray(scores)
        if vector.ndim != 1 or vector.dtype.kind not in "fiub":
            raise InvalidInput("scores", f"{vector.dtype} of shape {vector.shape}", "give one number per row")
        bad = np.flatnonzero(~np.isfinite(vector))
        if len(bad):
            raise InvalidInput(
                Place(key="scores", row=int(bad[0])),
                f"{vector[bad[0]]} is not finite (affected rows, {first_three(bad.tolist())})",
                "give every row a finite label-quality score",
            )
        return cls(np.argsort(vector, kind="stable"))
