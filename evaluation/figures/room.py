"""Where the names of lines and points have room in a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_STEPS = 40
_REACH = 12


@dataclass(frozen=True)
class Box:
    """A rectangle by its centre and size, in pixels."""

    x: float
    y: float
    wide: float
    high: float

    def overlaps(self, other: "Box") -> bool:
        """Whether the two have a pixel in common."""
        across, up = (self.wide + other.wide) / 2, (self.high + other.high) / 2
        return abs(self.x - other.x) < across and abs(self.y - other.y) < up

    def within(self, other: "Box") -> bool:
        """Whether it is inside the other."""
        across, up = (other.wide - self.wide) / 2, (other.high - self.high) / 2
        return abs(self.x - other.x) <= across and abs(self.y - other.y) <= up


def beside(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    bars: Sequence[tuple[float, float, float]],
    inside: Box,
    point: float,
) -> list[Box | None]:
    """Where the name of each point has room beside it, where it covers no name and no point; None if nowhere.

    sizes: width and height of each name. bars: x, lower and upper end of upright lines that a name should not cross.
    inside: what no name leaves. point: the width of a point. A name at the front of the list chooses first.
    """
    taken = [Box(x, y, point, point) for x, y in points]
    rods = [Box(x, (low + high) / 2, 2.0, abs(high - low)) for x, low, high in bars]
    found: list[Box | None] = []
    for (x, y), (wide, high) in zip(points, sizes, strict=True):
        spots = [
            (Box(x + side * (wide / 2 + 0.7 * point), y + 0.5 * step * high, wide, high), abs(step) + 0.1 * (side < 0))
            for step in range(-_REACH, _REACH + 1)
            for side in (1, -1)
        ]
        free = [
            (far + 3 * sum(spot.overlaps(rod) for rod in rods), number, spot)
            for number, (spot, far) in enumerate(spots)
            if spot.within(inside) and not any(spot.overlaps(other) for other in taken)
        ]
        best = min(free)[2] if free else None
        found.append(best)
        taken += [best] if best is not None else []
    return found


def roomiest(
    lines: Sequence[Any], named: Sequence[int], sizes: Sequence[tuple[float, float]], box: tuple[float, float]
) -> list[tuple[float, float]]:
    """The centre of the name of each line in `named`, just above or below the line, where the fewest others pass.

    lines: points (n, 2) of every line, with rising x. sizes: width and height of each name. box: width and height of
    the picture. All in pixels, y upwards.
    """
    ticks = np.linspace(0, box[0], 6 * _STEPS)
    heights = np.array([np.interp(ticks, line[:, 0], line[:, 1]) for line in lines])
    taken: list[Box] = []
    found = []
    for place, (wide, high) in zip(named, sizes, strict=True):
        best, least = (wide / 2, high), np.inf
        for x in np.linspace(0.03 * box[0] + wide / 2, box[0] - wide / 2 - 2, _STEPS):
            within = np.abs(ticks - x) <= wide / 2
            own = heights[place][within]
            for y in (own.max() + 0.6 * high, own.min() - 0.6 * high):
                passing = int((np.abs(heights[:, within] - y) < 0.6 * high).sum())
                covered = sum(Box(x, y, wide, high).overlaps(other) for other in taken)
                outside = y < high or y > box[1] - high
                cost = passing + 400 * covered + 2000 * outside + float(np.ptp(own)) / high
                if cost < least:
                    best, least = (float(x), float(y)), cost
        taken.append(Box(*best, wide, high))
        found.append(best)
    return found
