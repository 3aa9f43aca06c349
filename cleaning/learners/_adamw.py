"""AdamW for the rank-one gradients of a two-layer linear network, without separate passes over memory for the decay.

The gradient of the hidden weight is the outer product of a column (the output weight) and a row (Xᵀ·error), so both
moment updates are rank-one updates. The decay multiplies all elements of a matrix by the same factor, so it is kept as
one scale per matrix: the stored array times its scale is the actual value.
Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2, as torch computes it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg.blas import saxpy, sger

from cleaning.data import Single

# The challenge's evaluator fixes these.
_LEARNING_RATE = 0.01
_WEIGHT_DECAY = 0.9
_BETA1, _BETA2 = 0.9, 0.999
_EPSILON = 1e-8
_SHRINKAGE = 1 - _LEARNING_RATE * _WEIGHT_DECAY
# Scales are multiplied into the arrays after so many steps: 0.9 ** -128 ≈ 7e5 is far from the limits of float32,
# whatever the gradients are.
_STEPS_PER_SCALE = 128
# Elements per block: 2 MiB per array.
_BLOCK_FLOATS = 2**19
# BLAS kernels round the last n mod 32 elements of a vector differently (no fused multiply-add). With blocks of a
# multiple of 32 rows, those elements are the same as without blocks, so the result does not depend on the block size.
_BLOCK_ROWS = 32


@dataclass(frozen=True)
class Step:
    """The scalars of one optimizer step. A stored array times its scale is the actual value.

    weight, next_weight: the scale of the weights before and after the step. first, second: the factors of a gradient
    and its square when they are added to the stored moments. rate, epsilon: stored weight += rate · first moment /
    (√second moment + epsilon). rescale: factors by which to multiply (weight, first moment, second moment) after the
    step, which resets their scales to 1; None for most steps.
    """

    weight: float
    next_weight: float
    first: float
    second: float
    rate: float
    epsilon: float
    rescale: tuple[float, float, float] | None


def steps(count: int) -> Iterator[Step]:
    """Yields `count` steps, starting with zero moments."""
    since = 0
    for number in range(1, count + 1):
        weight, since = _SHRINKAGE**since, since + 1
        scales = _SHRINKAGE**since, _BETA1**since, _BETA2**since
        root = math.sqrt(scales[2]) / math.sqrt(1 - _BETA2**number)
        full = since == _STEPS_PER_SCALE
        yield Step(
            weight,
            scales[0],
            (1 - _BETA1) / scales[1],
            (1 - _BETA2) / scales[2],
            -_LEARNING_RATE * scales[1] / ((1 - _BETA1**number) * scales[0] * root),
            _EPSILON / root,
            scales if full else None,
        )
        since = 0 if full else since


class Update:
    """Applies one step to a matrix whose gradient is column · rowᵀ, with BLAS calls and NumPy ufuncs.

    It works on one block of rows at a time, so that intermediate results stay in cache. Each thread needs an object of
    its own, because the object owns a scratch array. Almost half of the time goes into NumPy's square root and
    division; the square root takes four numbers at a time on x86 processors (float32, correctly rounded).
    """

    def __init__(self) -> None:
        self._scratch = np.empty((0, 0), np.float32)

    def __call__(
        self,
        weight: Single,
        first: Single,
        second: Single,
        first_column: Single,
        second_column: Single,
        row: Single,
        row_squared: Single,
        rate: np.float32,
        epsilon: np.float32,
    ) -> None:
        """Updates weight, first and second, all (h, d) float32, in place.

        Adds first_column · rowᵀ and second_column · row_squaredᵀ to the moments, then
        rate · first / (√second + epsilon) to the weight.
        """
        block = max(1, _BLOCK_FLOATS // (_BLOCK_ROWS * weight.shape[1])) * _BLOCK_ROWS
        if self._scratch.shape[1] != weight.shape[1]:
            self._scratch = np.empty((min(block, len(weight)), weight.shape[1]), np.float32)
        for start in range(0, len(weight), block):
            rows = slice(start, start + block)
            change = self._scratch[: len(weight[rows])]
            sger(1.0, row, first_column[rows], a=first[rows].T, overwrite_a=1)
            sger(1.0, row_squared, second_column[rows], a=second[rows].T, overwrite_a=1)
            np.sqrt(second[rows], out=change)
            np.add(change, epsilon, out=change)
            np.divide(first[rows], change, out=change)
            saxpy(change.reshape(-1), weight[rows].reshape(-1), a=float(rate))
