"""Confidence intervals for a mean and for a paired difference, as used by leaderboards, boards and comparisons."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np

_CONFIDENCE = 0.95
# Standard deviations on either side of a normal 90% interval.
DEVIATIONS_90 = 1.645


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """The 95% Student's t interval for the mean of independent numbers; None for fewer than two.

    mean ± t(n − 1 degrees of freedom, 0.975) · s / √n, where s² is the unbiased variance.
    """
    if len(values) < 2:
        return None
    from scipy.special import stdtrit

    quantile = float(stdtrit(len(values) - 1, (1 + _CONFIDENCE) / 2))
    half = quantile * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    mean = fmean(values)
    return mean - half, mean + half


@dataclass(frozen=True)
class PairedDifference:
    """The mean of second − first over pairs, with its 95% interval (None for fewer than two pairs)."""

    mean: float
    interval: tuple[float, float] | None
    pairs: int

    @property
    def sign(self) -> int:
        """1 or −1 where the whole interval is on that side of zero, else 0."""
        if self.interval is None:
            return 0
        return int(self.interval[0] > 0) - int(self.interval[1] < 0)


def paired_difference(first: Sequence[float], second: Sequence[float]) -> PairedDifference:
    """The difference of two lists of values that are paired by place. Raises ValueError for lists of other lengths."""
    gaps = [after - before for before, after in zip(first, second, strict=True)]
    return PairedDifference(fmean(gaps), mean_interval(gaps), len(gaps))


def paired_values(
    first: Mapping[tuple[str, int], float], second: Mapping[tuple[str, int], float]
) -> tuple[list[float], list[float]]:
    """Values by (data set, seed), paired over what both have: the mean over seeds for each data set.

    Seeds of a data set share its rows, so they are not pairs of their own, except where there is only one data set.
    """
    common = sorted(first.keys() & second.keys())
    groups: dict[object, list[tuple[str, int]]] = {}
    single = len({dataset for dataset, _ in common}) == 1
    for case in common:
        groups.setdefault(case if single else case[0], []).append(case)
    before, after = ([fmean(values[case] for case in group) for group in groups.values()] for values in (first, second))
    return before, after
