"""Figures of retrieval: the distribution of the queries' average precision, and Recall@K."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.contract.metric import Metric
from evaluation.contract.record import Record
from evaluation.figures.canvas import legend, mean_of, methods_best_first, plain_label, row_of_axes, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_QUANTILES = 101


def spread(precision: Any) -> list[float]:
    """The 0 to 100% quantiles, in rising order, of the queries' average precision, (q,), for the figure."""
    return [float(value) for value in np.quantile(precision, np.linspace(0, 1, _QUANTILES))]


def precision_figures(
    records: Sequence[Record], main: Metric, query: Metric, recall: Metric
) -> "Iterator[tuple[str, Figure]]":
    """One figure per data id of `details["precision"]` (see `spread`) and of `details["recall"]`, a number per K.

    main orders the methods and is shown in the legend; query and recall are what the axes show. Several seeds of a
    method are averaged.
    """
    for data_id in sorted({record.dataset for record in records}):
        own = [r for r in records if r.dataset == data_id and {"precision", "recall"} <= r.details.keys()]
        if own:
            yield f"{data_id}_evaluation", _figure(data_id, own, main, query, recall)


def _figure(data_id: str, records: Sequence[Record], main: Metric, query: Metric, recall: Metric) -> "Figure":
    figure, (left, right) = row_of_axes(12.0, 4.8, (1.0, 1.0), data_id)
    lowest = 0.9
    shares = 1 - np.linspace(0, 1, _QUANTILES)
    for number, (method, own) in enumerate(methods_best_first(records, main).items()):
        line = style(number)
        spreads = np.mean([record.details["precision"] for record in own], axis=0)
        left.plot(spreads, shares, **{**line, "marker": ""})
        steps = [int(k) for k in own[0].details["recall"]]
        ladder = np.mean([list(record.details["recall"].values()) for record in own], axis=0)
        lowest = min(lowest, float(ladder.min()))
        name = plain_label(f"{method}  {mean_of(own, main):.3f}")
        right.plot(steps, ladder, ms=6, clip_on=False, label=name, **line)
    left.set_xlim(0, 1)
    left.set_ylim(0, 1)
    left.set_xlabel(query.label)
    left.set_ylabel(f"share of queries with at least this value\n({query.direction})")
    left.set_title("average precision of the queries", loc="left")
    _ladder_axis(right, [int(k) for record in records for k in record.details["recall"]])
    right.set_ylim(max(0.0, lowest - 0.02), 1.0)
    right.set_ylabel(f"{recall.label}\n({recall.direction})")
    right.set_title("Recall@K", loc="left")
    legend(right, f"method, {main.name}")
    return figure


def _ladder_axis(axes: "Axes", steps: Sequence[int]) -> None:
    places = sorted(set(steps))
    axes.set_xscale("log")
    axes.set_xticks(places, [f"{k:,}" for k in places])
    axes.minorticks_off()
    axes.set_xlabel("K (log scale)")
