"""The index of what was ranked, by which labels that come back in another order find their rows."""

from typing import Any

import numpy as np
import pandas as pd

from cleaning.data import IntVector
from cleaning.errors import InvalidInput, Place


def index_of(data: object, labels: object, place: Place) -> "pd.Index[Any] | None":
    """The index of the labels, or else that of the data; None where neither has one.

    place: of the labels, for errors. Raises InvalidInput where both have the same index in another order: rows and
    labels are paired by place.
    """
    own, other = (one.index if isinstance(one, pd.DataFrame | pd.Series) else None for one in (labels, data))
    if own is not None and other is not None and not own.equals(other) and _same_labels(own, other):
        problem = "their index is that of the data in another order"
        raise InvalidInput(place, problem, "give y.loc[X.index], or y.to_numpy() if the order is right")
    return other if own is None else own


def places_of(index: "pd.Index[Any] | None", labels: object) -> IntVector | None:
    """At which place each ranked row is in these labels, (n,); None if they are in the order that was ranked.

    Raises InvalidInput for another index.
    """
    if index is None or not isinstance(labels, pd.DataFrame | pd.Series) or labels.index.equals(index):
        return None
    if not _same_labels(index, labels.index):
        fix = "give the labels that were ranked, or only their values (y.to_numpy()) in the same order"
        raise InvalidInput("labels", "their index is not that of what was ranked", fix)
    return np.asarray(labels.index.get_indexer(index), dtype=np.int64)


def _same_labels(one: "pd.Index[Any]", other: "pd.Index[Any]") -> bool:
    if len(one) != len(other) or not (one.is_unique and other.is_unique):
        return False
    return bool((other.get_indexer(one) >= 0).all())
