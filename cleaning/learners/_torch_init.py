"""The initial weights of two linear layers after `torch.manual_seed(42)`, bit for bit, without torch.

torch's CPU generator is MT19937, like NumPy's `RandomState`. A uniform float is the low 24 bits of one 32-bit draw.
`torch.nn.Linear` draws its weight, then its bias. The kernels map a draw to [-bound, bound] by a fused multiply-add, so
the result is rounded only once.
Source: torch 2.13, `torch/nn/init.py` (kaiming_uniform_ with a = √5) and `ATen/core/TransformationHelper.h`.
"""

import math
from dataclasses import dataclass

import numpy as np

from cleaning.data import Single

HIDDEN = 128
_SEED = 42
_RANDOM_BITS = 24


@dataclass(frozen=True, eq=False)
class InitialWeights:
    """Linear(d → 128): weight (128, d), bias (128,); then Linear(128 → 1): weight (128,), bias (1,). All float32."""

    hidden_weight: Single
    hidden_bias: Single
    output_weight: Single
    output_bias: Single


def initial_weights(width: int) -> InitialWeights:
    """The weights before the first step, for embeddings `width` columns wide."""
    draws = np.random.RandomState(_SEED)
    return InitialWeights(
        _uniform(draws, HIDDEN * width, _weight_bound(width)).reshape(HIDDEN, width),
        _uniform(draws, HIDDEN, _bias_bound(width)),
        _uniform(draws, HIDDEN, _weight_bound(HIDDEN)),
        _uniform(draws, 1, _bias_bound(HIDDEN)),
    )


def _uniform(draws: np.random.RandomState, count: int, bound: float) -> Single:
    raw = draws.randint(0, 2**32, size=count, dtype=np.uint32) & np.uint32(2**_RANDOM_BITS - 1)
    limit = float(np.float32(bound))
    # The product is exact in float64, so only the final result is rounded, as in a fused multiply-add.
    return (raw * 2.0**-_RANDOM_BITS * (2 * limit) - limit).astype(np.float32)


def _weight_bound(fan_in: int) -> float:
    """Equal to the bias bound in exact arithmetic, but torch's order of operations can give another float."""
    gain = math.sqrt(2.0 / (1 + math.sqrt(5) ** 2))
    return math.sqrt(3.0) * (gain / math.sqrt(fan_in))


def _bias_bound(fan_in: int) -> float:
    return 1 / math.sqrt(fan_in)
