"""AdamW on the rank-one gradients of a two-layer linear network, without the passes that only decay.

The gradient of the hidden weight is the outer product of a column (the output weight) and a row (Xᵀ·error), so the two
moment updates are rank-one updates, and the decay of weight and moments, which multiplies every element alike, is
kept as one number per matrix instead: an array stores its value divided by that number.
Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 2, as torch computes it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.blas import saxpy, sger

Float32 = NDArray[np.float32]

_LEARNING_RATE = 0.01
_WEIGHT_DECAY = 0.9
_BETA1, _BETA2 = 0.9, 0.999
_EPSILON = 1e-8
_SHRINKAGE = 1 - _LEARNING_RATE * _WEIGHT_DECAY
# 0.9 ** -128 ≈ 7e5: far from the limits of float32 whatever the gradients are.
_STEPS_PER_SCALE = 128
_BLOCK_FLOATS = 2**19
# BLAS kernels round the last n mod 32 numbers of a vector in another way (no fused multiply-add). Blocks of whole
# multiples of 32 rows leave that remainder where it is without blocks, so no bit depends on the size of a block.
_BLOCK_ROWS = 32


@dataclass(frozen=True)
class Step:
    """The numbers of one optimizer step; a stored array times its scale is the real one.

    weight: scale of the weights before the step, next_weight after it. first, second: what a gradient and its square
    are multiplied by before they are added to the stored moments. rate, epsilon: stored weight += rate · first moment /
    (√second moment + epsilon). rescale: after the step, (weight, first moment, second moment) are to be multiplied by
    these and their scales are 1 again; None at most steps.
    """

    weight: float
    next_weight: float
    first: float
    second: float
    rate: float
    epsilon: float
    rescale: tuple[float, float, float] | None


def steps(count: int) -> Iterator[Step]:
    """`count` steps from fresh moments."""
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
    """One step of a matrix whose gradient is column · rowᵀ, in BLAS calls and numpy ufuncs.

    A block of rows at a time, so that intermediate results stay in cache. One object serves one thread: it owns the
    scratch array. A third of its time is the processor's square root (float32, correctly rounded): a loop compiled by
    numba, which touches memory once instead of six times, made the whole fit 1.7 times faster and no more.
    """

    def __init__(self) -> None:
        self._scratch = np.empty((0, 0), np.float32)

    def __call__(
        self,
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
        """Changes weight, first and second, all (h, d) float32, in place.

        first_column · row and second_column · row_squared are added to the moments, then
        weight += rate · first / (√second + epsilon).
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
            saxpy(change.reshape(-1), weight[rows].reshape(-1), a=rate)
