"""The AdamW update as one compiled loop, where the optional package numba is installed (extra `numba`).

One pass over weight and moments instead of six. It is used only where it gives the same bits as the numpy update, which
is tried out once a process: both round after every operation but a fused multiply-add.
"""

import importlib
from functools import cache

import numpy as np

from cleaning.learners._adamw import Float32, NumpyUpdate, Update


def fused_update(
    weight: Float32,
    first: Float32,
    second: Float32,
    first_column: Float32,
    second_column: Float32,
    row: Float32,
    row_squared: Float32,
    rate: np.float32,
    epsilon: np.float32,
) -> None:
    """The `Update` of _adamw, element by element, for a compiler."""
    for i in range(weight.shape[0]):
        for j in range(weight.shape[1]):
            mean = first[i, j] + first_column[i] * row[j]
            square = second[i, j] + second_column[i] * row_squared[j]
            first[i, j] = mean
            second[i, j] = square
            weight[i, j] = weight[i, j] + rate * (mean / (np.sqrt(square) + epsilon))


@cache
def compiled_update() -> Update | None:
    """The compiled update, or None where numba is missing or rounds differently on this machine.

    Compiling takes about half a second, once a process.
    """
    try:
        numba = importlib.import_module("numba")
    except ImportError:
        return None
    update: Update = numba.njit(fused_update, error_model="numpy", fastmath={"contract"})
    return update if same_bits(update, NumpyUpdate()) else None


_TRIAL_WIDTH = 1040


def same_bits(one: Update, other: Update) -> bool:
    """Whether two updates give the same bits on random arrays of ordinary magnitudes."""
    results = []
    for update in (one, other):
        draws = np.random.default_rng(0)
        weight, first, second = draws.standard_normal((3, 16, _TRIAL_WIDTH), dtype=np.float32)
        np.abs(second, out=second)
        column, row = draws.standard_normal(16, dtype=np.float32), draws.standard_normal(_TRIAL_WIDTH, dtype=np.float32)
        for _ in range(2):
            update(weight, first, second, column, column**2, row, row**2, np.float32(-0.01), np.float32(1e-8))
        results.append(np.stack([weight, first, second]))
    return results[0].tobytes() == results[1].tobytes()
