"""Figures drawn from records: colour-blind-safe, distinguishable without colour, readable with ten methods."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.contest.standings import Row
from evaluation.contract.metric import Metric
from evaluation.contract.record import Record
from evaluation.figures.canvas import (
    COLOURS,
    LINES,
    MARKERS,
    canvas,
    legend,
    mean_of,
    methods_best_first,
    plain_label,
    plain_log_axis,
    reference_line,
    style,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def curves_figure(data_id: str, records: Sequence[Record]) -> "Figure":
    """Test accuracy against the number of fixes for every method of a data id, best score first in the legend.

    Several seeds of a method are drawn as their mean, with their range shaded. Dashed lines show the accuracy before
    any fix and the target. Raises ValueError if there are no records.
    """
    figure, axes = canvas(9.0, 5.4)
    methods: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        methods[record.method].append(record)
    scores = {method: float(np.mean([r.metrics["score"] for r in own])) for method, own in methods.items()}
    for number, method in enumerate(sorted(methods, key=lambda name: (scores[name], name))):
        curves = [record.curve for record in methods[method] if record.curve is not None]
        fixes = np.asarray(curves[0].fixes)
        accuracy = np.asarray([np.interp(fixes, curve.fixes, curve.accuracy) for curve in curves])
        shared: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "zorder": 30 - number}
        label = plain_label(f"{method}  {scores[method]:.3f}")
        axes.plot(
            fixes,
            accuracy.mean(axis=0),
            ls=LINES[number % len(LINES)],
            lw=2.2 if number < 3 else 1.3,
            label=label,
            **shared,
        )
        if len(curves) > 1:
            axes.fill_between(fixes, accuracy.min(axis=0), accuracy.max(axis=0), alpha=0.15, lw=0, **shared)
    first = next(record for record in records if record.curve is not None)
    if first.curve is None:  # pragma: no cover - chosen to have one
        raise AssertionError
    target = float(first.settings.get("target", 0.95))
    reference_line(axes, first.curve.dirty, f"before any fix: {first.curve.dirty:.3f}")
    reference_line(axes, target * first.curve.clean, f"{target:.0%} of clean: {target * first.curve.clean:.3f}")
    axes.set_xlim(0, max(first.curve.fixes))
    axes.set_xlabel("labels fixed")
    axes.set_ylabel("test accuracy")
    axes.set_title(plain_label(f"Cleaning {data_id}"), loc="left", fontweight="bold")
    legend(axes, "method, score")
    return figure


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


def overview_figure(rows: Sequence[Row]) -> "Figure":
    """A task's main metric against ranking time (log axis), one point per method, with the mean's 95% interval.

    Methods whose time is unknown are hollow markers at the left edge.
    """
    figure, axes = canvas(9.0, 5.0)
    metric = rows[0].metric
    known = [row.seconds for row in rows if row.seconds is not None and row.seconds > 0]
    edge = min(known, default=1.0) / 3
    for number, row in enumerate(rows):
        timed = row.seconds is not None and row.seconds > 0
        seconds = row.seconds if timed and row.seconds is not None else edge
        colour = COLOURS[number % len(COLOURS)]
        if row.low is not None and row.high is not None:
            axes.plot([seconds, seconds], [row.low, row.high], color=colour, lw=1.2, alpha=0.6)
        axes.plot(
            [seconds],
            [row.mean],
            MARKERS[number % len(MARKERS)],
            ms=9,
            mec=colour,
            mfc=colour if timed else "white",
            ls="none",
            label=plain_label(f"{row.method}  {row.mean:.3f}"),
            zorder=3,
        )
    plain_log_axis(axes)
    axes.set_xlabel("ranking time (seconds, log scale)")
    axes.set_ylabel(f"{metric.label}\n({metric.direction})")
    count = rows[0].n_all
    title = f"{rows[0].task}: " + (f"mean of {count} data sets, 95% interval" if count > 1 else "one data set")
    axes.set_title(title, loc="left", fontweight="bold")
    legend(axes, f"method, {metric.name}")
    return figure
