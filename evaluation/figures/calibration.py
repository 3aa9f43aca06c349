"""Figures of probabilities: the loss of each class, and the calibration of the predictions."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.contract.metric import Metric
from evaluation.contract.record import Record
from evaluation.figures.canvas import COLOURS, INK, legend, mean_of, methods_best_first, plain_label, row_of_axes, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 10


def reliability(truth: Any, probabilities: Any) -> dict[str, list[float]]:
    """The data for a reliability diagram: the number of predictions in each of ten equal bins from 0 to 1, their mean,
    and the share of them that came true. truth (0 and 1) and probabilities are (n, classes); the classes are pooled.
    """
    place = np.minimum((np.asarray(probabilities) * BINS).astype(np.int64), BINS - 1).ravel()
    count = np.bincount(place, minlength=BINS)
    size = np.maximum(count, 1)
    predicted = np.bincount(place, weights=np.ravel(probabilities), minlength=BINS) / size
    observed = np.bincount(place, weights=np.ravel(truth), minlength=BINS) / size
    return {"count": count.tolist(), "predicted": predicted.tolist(), "observed": observed.tolist()}


def calibration_figures(records: Sequence[Record], main: Metric, label: Metric) -> "Iterator[tuple[str, Figure]]":
    """One figure per data id of `details["log_loss"]`, a number per class, and of `details["reliability"]`.

    main orders the methods and is shown in the legend; label is what the bars show. Several seeds are averaged.
    """
    for data_id in sorted({record.dataset for record in records}):
        own = [r for r in records if r.dataset == data_id and {"log_loss", "reliability"} <= r.details.keys()]
        if own:
            yield f"{data_id}_evaluation", _figure(data_id, methods_best_first(own, main), main, label)


def _figure(data_id: str, methods: dict[str, list[Record]], main: Metric, label: Metric) -> "Figure":
    classes = len(next(iter(methods.values()))[0].details["log_loss"])
    figure, (left, right) = row_of_axes(12.5, max(4.6, 1.4 + 0.27 * classes), (1.15, 1.0), data_id)
    _losses(left, methods, label)
    left.set_title("loss of each class", loc="left")
    for number, (method, own) in enumerate(methods.items()):
        parts = {
            key: np.array([r.details["reliability"][key] for r in own]) for key in ("count", "predicted", "observed")
        }
        count = parts["count"].sum(axis=0)
        some = count > 0
        predicted, observed = (
            (parts[key] * parts["count"]).sum(axis=0)[some] / count[some] for key in ("predicted", "observed")
        )
        name = plain_label(f"{method}  {mean_of(own, main):.4f}")
        right.plot(predicted, observed, ms=6, label=name, **style(number))
    right.plot([0, 1], [0, 1], color=INK, lw=1.1, ls=(0, (4, 3)), zorder=1)
    right.set_xlim(-0.02, 1.02)
    right.set_ylim(-0.02, 1.02)
    right.set_xlabel("mean predicted probability per bin")
    right.set_ylabel("share that came true\n(the dashed line is best)")
    right.set_title("calibration, all classes", loc="left")
    legend(right, f"method, {main.name}")
    return figure


def _losses(axes: "Axes", methods: dict[str, list[Record]], label: Metric) -> None:
    """One bar per class for the best method, the worst class on top; one marker for each other method."""
    means = {
        method: {
            name: float(np.mean([r.details["log_loss"][name] for r in own])) for name in own[0].details["log_loss"]
        }
        for method, own in methods.items()
    }
    best, *others = means
    names = sorted(means[best], key=lambda name: (means[best][name], name))
    axes.barh(range(len(names)), [means[best][name] for name in names], color=COLOURS[0], alpha=0.55, height=0.72)
    for number, method in enumerate(others, start=1):
        mark = {**style(number), "ls": "none"}
        axes.plot([means[method].get(name, np.nan) for name in names], range(len(names)), ms=6, alpha=0.9, **mark)
    axes.set_yticks(range(len(names)), [plain_label(name) for name in names])
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"{label.label} ({label.direction}); bars: {plain_label(best)}")
