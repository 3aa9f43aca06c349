"""The order after some rows were checked."""

from collections.abc import Collection

import numpy as np

from cleaning.data import IntVector


def without_checked(order: IntVector, checked: Collection[int]) -> IntVector:
    """The order (n,) with the checked rows at its end, otherwise as it was."""
    done = np.isin(order, np.array(sorted(checked), dtype=np.int64))
    return np.concatenate([order[~done], order[done]])
