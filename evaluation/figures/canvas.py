"""Shared by all figures: axes, colour-blind-safe styles that also differ without colour, and rendering to bytes."""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

from evaluation.contract.metric import Metric
from evaluation.contract.record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette without yellow (too light on white) and black (used for reference lines), plus one purple.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7A5195")
_LINES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (1, 1.2)), (0, (7, 2, 1.5, 2)))
_MARKERS = "osD^vPX*<>hd"
INK = "#333333"


def render(figure: "Figure", kind: str) -> bytes:
    """The figure as `png` or `svg`; the same records give the same bytes."""
    from matplotlib import rc_context

    settle(figure)
    buffer = BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "fixfirst", "svg.fonttype": "path"}):
        figure.savefig(buffer, format=kind, dpi=144, metadata=metadata)
    return buffer.getvalue()


def settle(figure: "Figure") -> None:
    """Puts everything in its place, once: this takes longer than drawing, and a figure is drawn several times."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def canvas(width: float, height: float) -> "tuple[Figure, Axes]":
    """A figure with one pair of axes; width and height are in inches."""
    figure, (axes,) = row_of_axes(width, height, (1.0,))
    return figure, axes


def row_of_axes(
    width: float, height: float, shares: Sequence[float], title: str | None = None
) -> "tuple[Figure, list[Axes]]":
    """A figure (size in inches) with axes side by side, their widths in proportion to `shares`, and a common title."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    row = list(figure.subplots(1, len(shares), width_ratios=shares, squeeze=False)[0])
    if title is not None:
        figure.suptitle(plain_label(title), x=0.005, ha="left", fontweight="bold")
    for axes in row:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#dddddd", lw=0.6)
        axes.set_axisbelow(True)
    return figure, row


def style(number: int) -> dict[str, Any]:
    """The colour, line and marker of the method at this position (from 0); the first ten styles all differ."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "ls": _LINES[number % len(_LINES)],
        "marker": _MARKERS[number % len(_MARKERS)],
        "lw": 2.0 if number < 3 else 1.3,
    }


def reference_line(axes: "Axes", height: float, text: str) -> None:
    """Draws a dashed line across the axes, labelled at its right end."""
    axes.axhline(height, color=INK, lw=1.1, ls=(0, (4, 3)), zorder=2)
    axes.annotate(
        text,
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(-4, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=INK,
        fontsize=8.5,
        zorder=40,
        bbox={"fc": "white", "ec": "none", "alpha": 0.75, "pad": 0.8},
    )


def plain_label(text: str) -> str:
    """The text, escaped so that matplotlib draws it literally.

    A dollar sign does not start a formula, and a leading underscore does not remove the legend entry.
    """
    return ("\u200b" if text.startswith("_") else "") + text.replace("$", r"\$")


def legend(axes: "Axes", title: str) -> None:
    """Draws the legend to the right of the axes."""
    axes.legend(
        title=title,
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        frameon=False,
        handlelength=3.2,
        alignment="left",
        fontsize=9,
        title_fontsize=9,
    )


def plain_log_axis(axes: "Axes") -> None:
    """Makes the x axis logarithmic, with two labels per decade, written as plain numbers."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def methods_best_first(records: Sequence[Record], metric: Metric) -> dict[str, list[Record]]:
    """The records of each method, one per seed; methods are sorted by their mean, best first, ties by name."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.method, []).append(record)
    sign = -1 if metric.greater_is_better else 1
    return dict(sorted(found.items(), key=lambda item: (sign * mean_of(item[1], metric), item[0])))


def mean_of(records: Sequence[Record], metric: Metric) -> float:
    """The mean of a metric over the records."""
    return sum(record.metrics[metric.name] for record in records) / len(records)
