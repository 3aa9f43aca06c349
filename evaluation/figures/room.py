"""Where the names of lines and points have room in a picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np

_STEPS = 40


def roomiest(
    lines: Sequence[Any], named: Sequence[int], sizes: Sequence[tuple[float, float]], box: tuple[float, float]
) -> list[tuple[float, float]]:
    """The centre of the name of each line in `named`, just above or below the line, where the fewest others pass.

    lines: points (n, 2) of every line, with rising x. sizes: width and height of each name. box: width and height of
    the picture. All in pixels, y upwards.
    """
    ticks = np.linspace(0, box[0], 6 * _STEPS)
    heights = np.array([np.interp(ticks, line[:, 0], line[:, 1]) for line in lines])
    taken: list[tuple[float, float, float, float]] = []
    found = []
    for place, (wide, high) in zip(named, sizes, strict=True):
        best, least = (wide / 2, high), np.inf
        for x in np.linspace(0.03 * box[0] + wide / 2, box[0] - wide / 2 - 2, _STEPS):
            within = np.abs(ticks - x) <= wide / 2
            own = heights[place][within]
            for y in (own.max() + 0.6 * high, own.min() - 0.6 * high):
                passing = int((np.abs(heights[:, within] - y) < 0.6 * high).sum())
                covered = sum(_overlap((x, y, wide, high), other) for other in taken)
                outside = y < high or y > box[1] - high
                cost = passing + 400 * covered + 2000 * outside + float(np.ptp(own)) / high
                if cost < least:
                    best, least = (float(x), float(y)), cost
        taken.append((*best, wide, high))
        found.append(best)
    return found


def _overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return abs(one[0] - other[0]) < (one[2] + other[2]) / 2 and abs(one[1] - other[1]) < (one[3] + other[3]) / 2
