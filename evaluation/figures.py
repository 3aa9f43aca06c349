"""Pictures drawn from records: colour-blind-safe, told apart without colour too, readable with ten methods."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.leaderboard import Row
from evaluation.metrics import Metric
from evaluation.record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette (black is kept for reference lines), dark enough on white after dropping its yellow.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7A5195")
_LINES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (1, 1.2)), (0, (7, 2, 1.5, 2)))
_MARKERS = "osD^vPX*<>hd"
_INK = "#333333"


def curves_figure(data_id: str, records: Sequence[Record]) -> "Figure":
    """Test accuracy against fixes for every method of a data id, best score first in the legend.

    Several seeds of a method are drawn as their mean with the range between them shaded. Dashed lines: accuracy before
    any fix, and the target. Raises ValueError without records.
    """
    figure, axes = _canvas(9.0, 5.4)
    methods: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        methods[record.method].append(record)
    scores = {method: float(np.mean([r.metrics["score"] for r in own])) for method, own in methods.items()}
    for number, method in enumerate(sorted(methods, key=lambda name: (scores[name], name))):
        curves = [record.curve for record in methods[method] if record.curve is not None]
        fixes = np.asarray(curves[0].fixes)
        accuracy = np.asarray([np.interp(fixes, curve.fixes, curve.accuracy) for curve in curves])
        style: dict[str, Any] = {"color": _COLOURS[number % len(_COLOURS)], "zorder": 30 - number}
        label = f"{method}  {scores[method]:.3f}"
        axes.plot(
            fixes,
            accuracy.mean(axis=0),
            ls=_LINES[number % len(_LINES)],
            lw=2.2 if number < 3 else 1.3,
            label=label,
            **style,
        )
        if len(curves) > 1:
            axes.fill_between(fixes, accuracy.min(axis=0), accuracy.max(axis=0), alpha=0.15, lw=0, **style)
    first = next(record for record in records if record.curve is not None)
    if first.curve is None:  # pragma: no cover - chosen to have one
        raise AssertionError
    target = float(first.settings.get("target", 0.95))
    _reference_line(axes, first.curve.dirty, f"before any fix: {first.curve.dirty:.3f}")
    _reference_line(axes, target * first.curve.clean, f"{target:.0%} of clean: {target * first.curve.clean:.3f}")
    axes.set_xlim(0, max(first.curve.fixes))
    axes.set_xlabel("labels fixed")
    axes.set_ylabel("test accuracy")
    axes.set_title(f"Cleaning {data_id}", loc="left", fontweight="bold")
    _legend(axes, "method, score")
    return figure


def details_figures(records: Sequence[Record], key: str, metric: Metric) -> "Iterator[tuple[str, Figure]]":
    """For each data id a picture of `details[key]`, a number for each of some names: a row a name, a mark a method.

    Names stand in the order of the first record that has them; several seeds of a method are averaged.
    """
    for data_id in sorted({record.dataset for record in records}):
        methods: dict[str, list[dict[str, float]]] = defaultdict(list)
        for record in records:
            if record.dataset == data_id and key in record.details:
                methods[record.method].append(record.details[key])
        names = list(dict.fromkeys(name for own in methods.values() for values in own for name in values))
        if names:
            yield f"{data_id}_evaluation", _details_figure(data_id, names, methods, metric)


def _details_figure(
    data_id: str, names: Sequence[str], methods: Mapping[str, Sequence[Mapping[str, float]]], metric: Metric
) -> "Figure":
    figure, axes = _canvas(9.0, max(3.0, 1.2 + 0.28 * len(names)))
    for number, method in enumerate(sorted(methods)):
        known = [
            (np.mean([v[name] for v in methods[method] if name in v]), place)
            for place, name in enumerate(names)
            if any(name in v for v in methods[method])
        ]
        values, places = zip(*known, strict=True)
        colour = _COLOURS[number % len(_COLOURS)]
        axes.plot(
            values, places, _MARKERS[number % len(_MARKERS)], color=colour, ms=7, ls="none", label=method, alpha=0.85
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlabel(f"{metric.label} ({metric.direction})")
    axes.set_title(data_id, loc="left", fontweight="bold")
    _legend(axes, "method")
    return figure


def overview_figure(rows: Sequence[Row]) -> "Figure":
    """A task's main metric against ranking time (log axis), one point a method, with the 95% interval of the mean.

    Methods whose time is not known stand at the left edge, hollow.
    """
    figure, axes = _canvas(9.0, 5.0)
    metric = rows[0].metric
    known = [row.seconds for row in rows if row.seconds is not None and row.seconds > 0]
    edge = min(known, default=1.0) / 3
    for number, row in enumerate(rows):
        timed = row.seconds is not None and row.seconds > 0
        seconds = row.seconds if timed and row.seconds is not None else edge
        colour = _COLOURS[number % len(_COLOURS)]
        if row.low is not None and row.high is not None:
            axes.plot([seconds, seconds], [row.low, row.high], color=colour, lw=1.2, alpha=0.6)
        axes.plot(
            [seconds],
            [row.mean],
            _MARKERS[number % len(_MARKERS)],
            ms=9,
            mec=colour,
            mfc=colour if timed else "white",
            ls="none",
            label=f"{row.method}  {row.mean:.3f}",
            zorder=3,
        )
    axes.set_xscale("log")
    axes.set_xlabel("ranking time (seconds, log scale)")
    axes.set_ylabel(f"{metric.label}\n({metric.direction})")
    axes.set_title(f"{rows[0].task}: mean of {rows[0].n_all} data sets, 95% interval", loc="left", fontweight="bold")
    _legend(axes, f"method, {metric.name}")
    return figure


def render(figure: "Figure", kind: str) -> bytes:
    """The picture as `png` or `svg`; the same records give the same bytes."""
    from matplotlib import rc_context

    buffer = BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with rc_context({"svg.hashsalt": "fixfirst", "svg.fonttype": "path"}):
        figure.savefig(buffer, format=kind, dpi=144, metadata=metadata)
    return buffer.getvalue()


def _canvas(width: float, height: float) -> "tuple[Figure, Axes]":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#dddddd", lw=0.6)
    axes.set_axisbelow(True)
    return figure, axes


def _reference_line(axes: "Axes", height: float, text: str) -> None:
    axes.axhline(height, color=_INK, lw=1.1, ls=(0, (4, 3)), zorder=2)
    axes.annotate(
        text,
        (1, height),
        xycoords=("axes fraction", "data"),
        xytext=(-4, 3),
        textcoords="offset points",
        ha="right",
        va="bottom",
        color=_INK,
        fontsize=8.5,
        zorder=40,
        bbox={"fc": "white", "ec": "none", "alpha": 0.75, "pad": 0.8},
    )


def _legend(axes: "Axes", title: str) -> None:
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
