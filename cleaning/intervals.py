"""Confidence intervals for a mean, as used by the leaderboard, the contest boards and the study's tables."""

import math
from collections.abc import Sequence
from statistics import fmean

import numpy as np

CONFIDENCE = 0.95


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95% Student's t interval for the mean of independent numbers; None for fewer than two.

    mean ± t(n − 1 degrees of freedom, 0.975) · s / √n, where s² is the unbiased variance.
    """
    if len(values) < 2:
        return None
    from scipy.special import stdtrit

    quantile = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2))
    half = quantile * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    mean = fmean(values)
    return mean - half, mean + half
