"""Figures drawn from records: colour-blind-safe, distinguishable without colour, readable with ten methods."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.contest.standings import Row
from evaluation.contract.metric import Metric
from evaluation.contract.record import Record
from evaluation.figures.canvas import (
    INK,
    canvas,
    legend,
    mean_of,
    methods_best_first,
    plain_label,
    reference_line,
    settle,
    style,
)
from evaluation.figures.drawn import BEST, Drawn, Picture, picture, roles, saved
from evaluation.figures.room import roomiest
from evaluation.submissions.round_logs import ranker_in_rounds

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_GREY = "#8a8f98"
ROLE_STYLES: dict[str, dict[str, Any]] = {
    **{f"best{place}": {**style(place), "marker": "", "lw": 2.2 if place < 3 else 1.6} for place in range(BEST)},
    "random": {"color": "black", "ls": (0, (1, 1.2)), "lw": 1.8},
    "bound": {"color": INK, "ls": (0, (7, 2, 1.5, 2)), "lw": 1.4},
    "rounds": {"color": INK, "ls": (0, (1, 1, 4, 1)), "lw": 1.6},
    "rest": {"color": _GREY, "ls": "-", "lw": 0.9, "alpha": 0.8},
}
"""How the curve of each kind of method is drawn (`roles`)."""


def curves_figure(data_id: str, records: Sequence[Record], rows: Sequence[Row]) -> "Figure":
    """Test accuracy against the number of fixes for every method of a data id.

    records, rows: those of the whole task. The five best methods of the task, random order and the bounds are in colour
    and in the legend, with the score here and the mean over all data sets; so are rounds, in their ranker's colour.
    The others are grey, with their names at their lines. Several seeds of a method are drawn as their mean, with their
    range shaded. Dashed lines show the accuracy before any fix and the target. Raises ValueError if no record of the
    data id has a curve.
    """
    shown, kinds = picture(data_id, records), roles(rows)
    known = {row.method: row for row in rows}
    figure, axes = canvas(10.0, 5.6)
    for number, one in enumerate(shown.curves):
        kind = kinds[one.method]
        line = {**_line(one.method, kinds), "zorder": (5 if kind == "rest" else 30) - number / 100}
        label = None if kind == "rest" else plain_label(_told(one, known[one.method]))
        axes.plot(one.fixes, one.accuracy, label=label, **line)
        if one.seeds > 1 and kind != "rest":
            axes.fill_between(one.fixes, one.low, one.high, alpha=0.15, lw=0, color=line["color"])
    reference_line(axes, shown.dirty, f"before any fix: {shown.dirty:.3f}")
    reference_line(axes, shown.level, f"{shown.target:.0%} of clean: {shown.level:.3f}")
    axes.set_xlim(0, shown.rows)
    axes.set_xlabel("labels fixed")
    axes.set_ylabel("test accuracy")
    title = plain_label(f"Cleaning {data_id}")
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
    axes.set_title(plain_label(saved(shown)), loc="left", fontsize=9.5)
    if any(kind != "rest" for kind in kinds.values()):
        legend(axes, "method, score here\nmean over all data sets (95% interval)")
    _name_the_others(figure, shown, [one for one in shown.curves if kinds[one.method] == "rest"])
    return figure


def _line(method: str, kinds: Mapping[str, str]) -> dict[str, Any]:
    """How a curve is drawn; rounds have the colour of the order that their ranker made at once."""
    line = ROLE_STYLES[kinds[method]]
    ranker = kinds.get(ranker_in_rounds(method) or "", "rounds")
    return {**line, "color": ROLE_STYLES[ranker]["color"]} if kinds[method] == "rounds" else line


def _told(one: Drawn, row: Row) -> str:
    known = "" if row.low is None or row.high is None else f" ({row.low:.3f} to {row.high:.3f})"
    return f"{one.method}  {one.score:.3f}\n{row.mean:.3f}{known}"


def _name_the_others(figure: "Figure", shown: Picture, others: Sequence[Drawn]) -> None:
    """Writes each name at its line, where there is most room."""
    from matplotlib.patheffects import withStroke

    axes = figure.axes[0]
    settle(figure)
    width, height = axes.get_window_extent().size
    low, high = axes.get_ylim()
    across, up = width / max(axes.get_xlim()[1], 1), height / (high - low)
    lines = [np.column_stack([one.fixes * across, (one.accuracy - low) * up]) for one in shown.curves]
    lines += [np.array([[0, (level - low) * up], [width, (level - low) * up]]) for level in (shown.dirty, shown.level)]
    places = [shown.curves.index(one) for one in others]
    size = figure.dpi / 72 * 7.5
    sizes = [(0.58 * size * len(one.method), 1.2 * size) for one in others]
    for one, spot in zip(others, roomiest(lines, places, sizes, (width, height)), strict=True):
        at = (spot[0] / across, spot[1] / up + low)
        text = axes.text(
            *at, plain_label(one.method), fontsize=7.5, color="#50555d", ha="center", va="center", zorder=35
        )
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])


def details_figures(
    records: Sequence[Record], key: str, metric: Metric, main: Metric, most: int | None = None
) -> "Iterator[tuple[str, Figure]]":
    """One figure per data id of `details[key]`, a number per name: one row per name, one marker per method.

    metric is what the axis shows; main orders the methods and is shown in the legend. Several seeds of a method are
    averaged. Names are in the order in which the records first list them. If there are more than `most` names, only
    those with the worst mean over the methods are drawn, the worst on top.
    """
    for data_id in sorted({record.dataset for record in records}):
        own = [record for record in records if record.dataset == data_id and key in record.details]
        methods = {
            f"{method}  {mean_of(several, main):.3f}": _means([record.details[key] for record in several])
            for method, several in methods_best_first(own, main).items()
        }
        over = _means(list(methods.values()))
        names, title = list(over), data_id
        if most is not None and len(names) > most:
            sign = 1 if metric.greater_is_better else -1
            names = [name for _, name in sorted((sign * value, name) for name, value in over.items())][:most]
            title = f"{data_id}: the worst {most} of {len(over)}"
        if names:
            figure = _details_figure(names, methods, metric)
            figure.axes[0].set_title(plain_label(title), loc="left", fontweight="bold")
            legend(figure.axes[0], f"method, {main.name}")
            yield f"{data_id}_evaluation", figure


def _means(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean of each name's values, over the mappings that contain the name."""
    names = dict.fromkeys(name for values in several for name in values)
    return {name: float(np.mean([values[name] for values in several if name in values])) for name in names}


def _details_figure(names: Sequence[str], methods: Mapping[str, Mapping[str, float]], metric: Metric) -> "Figure":
    figure, axes = canvas(9.0, max(3.0, 1.2 + 0.28 * max(len(names), len(methods))))
    for number, (method, values) in enumerate(methods.items()):
        mark = {**style(number), "ls": "none"}
        found = [values.get(name, np.nan) for name in names]
        axes.plot(found, range(len(names)), ms=7, label=plain_label(method), alpha=0.85, **mark)
    axes.set_yticks(range(len(names)), [plain_label(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(f"{metric.label} ({metric.direction})")
    return figure
