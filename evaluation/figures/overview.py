"""The overview of a task: score against time, a point for each method, with its name beside it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluation.contest.standings import Row
from evaluation.figures.canvas import INK, canvas, plain_label, plain_log_axis, settle
from evaluation.figures.curves import ROLE_STYLES
from evaluation.figures.drawn import roles
from evaluation.figures.room import Box, beside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE = 8.5
_PALE = "#50555d"
_POINT = 14.0
"""The room that a point takes, in pixels."""


def overview_figure(rows: Sequence[Row]) -> "Figure":
    """A task's main metric against ranking time (log axis), one point per method, with the mean's 95% interval.

    Methods whose time is unknown are hollow points at the left edge. The best five methods are in colour, as in the
    curves; the name of another is left out if it has no room.
    """
    figure, axes = canvas(10.0, 5.2)
    metric, kinds = rows[0].metric, roles(rows)
    edge = min((row.seconds for row in rows if _timed(row) and row.seconds is not None), default=1.0) / 3
    times = [row.seconds if _timed(row) and row.seconds is not None else edge for row in rows]
    for row, seconds in zip(rows, times, strict=True):
        colour = ROLE_STYLES[kinds[row.method]]["color"]
        above = 3 if kinds[row.method] == "rest" else 4
        if row.low is not None and row.high is not None:
            axes.plot([seconds] * 2, [row.low, row.high], color=colour, lw=1.2, alpha=0.45, zorder=above - 2)
        fill = colour if _timed(row) else "white"
        axes.plot([seconds], [row.mean], "o", ms=8, mec=colour, mfc=fill, ls="none", zorder=above)
    plain_log_axis(axes)
    axes.set_xlim(min(times) / 1.8, 4 * max(times))
    axes.margins(y=0.06)
    axes.set_xlabel("ranking time (seconds, log scale)")
    axes.set_ylabel(f"{metric.label}\n({metric.direction})")
    count = rows[0].n_all
    title = f"{rows[0].task}: " + (f"mean of {count} data sets, 95% interval" if count > 1 else "one data set")
    axes.set_title(title, loc="left", fontweight="bold")
    _name(figure, rows, times)
    return figure


def _timed(row: Row) -> bool:
    return row.seconds is not None and row.seconds > 0


def _name(figure: "Figure", rows: Sequence[Row], times: Sequence[float]) -> None:
    """Writes the names beside the points, the best method first."""
    axes, kinds = figure.axes[0], roles(rows)
    settle(figure)
    names = [f"{plain_label(row.method)}  {row.mean:.3f}" for row in rows]
    points = [_pixel(axes, seconds, row.mean) for row, seconds in zip(rows, times, strict=True)]
    ends = [
        [y if end is None else _pixel(axes, seconds, end)[1] for end in (row.low, row.high)]
        for (_, y), row, seconds in zip(points, rows, times, strict=True)
    ]
    bars = [(x, low, high) for (x, _), (low, high) in zip(points, ends, strict=True)]
    window = axes.get_window_extent()
    inside = Box(window.x0 + window.width / 2, window.y0 + window.height / 2, window.width, window.height)
    spots = beside(points, [_size(axes, name) for name in names], bars, inside, _POINT)
    for row, name, point, spot in zip(rows, names, points, spots, strict=True):
        if spot is None and kinds[row.method] == "rest":
            continue
        _write(axes, name, point, spot or Box(point[0], point[1] + _POINT, 0, 0), kinds[row.method])


def _pixel(axes: "Axes", x: float, y: float) -> tuple[float, float]:
    left, top = axes.transData.transform((x, y))
    return float(left), float(top)


def _size(axes: "Axes", name: str) -> tuple[float, float]:
    text = axes.text(0, 0, name, fontsize=_SIZE)
    box = text.get_window_extent()
    text.remove()
    return float(box.width), float(box.height)


def _write(axes: "Axes", name: str, point: tuple[float, float], spot: Box, kind: str) -> None:
    """The name at its spot, with a thin line to its point if it is not right beside it."""
    from matplotlib.patheffects import withStroke

    x, y = axes.transData.inverted().transform((spot.x, spot.y))
    text = axes.text(
        x, y, name, fontsize=_SIZE, color=_PALE if kind == "rest" else INK, ha="center", va="center", zorder=8
    )
    text.set_path_effects([withStroke(linewidth=2, foreground="white")])
    if abs(spot.y - point[1]) > _POINT:
        near = spot.x + (spot.wide / 2 if spot.x < point[0] else -spot.wide / 2)
        ends = axes.transData.inverted().transform([point, (near, spot.y)])
        axes.plot(*ends.T, color=_PALE, lw=0.6, alpha=0.7, zorder=2)
