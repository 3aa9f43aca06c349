"""Figures of classification: which labels the best method confuses, for the labels it is worst at."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluation.contract.metric import Metric
from evaluation.contract.record import Record
from evaluation.figures.canvas import INK, canvas, methods_best_first, plain_label

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_ROWS, _COLUMNS = 12, 16
OTHERS, NO_ANSWER = "other labels", "no answer"


def confusion(truth: Mapping[str, str], given: Mapping[str, str], scores: Mapping[str, float]) -> dict[str, Any]:
    """The data for a confusion matrix of the 12 labels of the ground truth with the lowest scores.

    rows: a label, its score, and the counts by column. columns: the same labels, then the labels they are most often
    confused with (16 labels at most), then all other labels together, then files without an answer.
    """
    worst = sorted(set(truth.values()), key=lambda label: (scores[label], label))[:_ROWS]
    pairs = Counter((label, given.get(item, NO_ANSWER)) for item, label in truth.items() if label in worst)
    taken: Counter[str] = Counter()
    for (_, answer), count in pairs.items():
        if answer not in worst and answer != NO_ANSWER:
            taken[answer] += count
    named = [*worst, *sorted(taken, key=lambda label: (-taken[label], label))[: _COLUMNS - len(worst)]]
    rows = []
    for label in worst:
        counts = [pairs[label, answer] for answer in named]
        silent = pairs[label, NO_ANSWER]
        every = sum(count for (true, _), count in pairs.items() if true == label)
        rows.append({"label": label, "score": scores[label], "counts": [*counts, every - silent - sum(counts), silent]})
    return {"columns": [*named, OTHERS, NO_ANSWER], "rows": rows}


def confusion_figures(records: Sequence[Record], main: Metric, label: Metric) -> "Iterator[tuple[str, Figure]]":
    """One heat map per data id of `details["confusion"]` (see `confusion`), for the method with the best main metric.

    label is the name of a row's score. If there are several seeds, the first is drawn.
    """
    for data_id in sorted({record.dataset for record in records}):
        own = [record for record in records if record.dataset == data_id and "confusion" in record.details]
        if own:
            first = min(next(iter(methods_best_first(own, main).values())), key=lambda record: record.seed)
            yield f"{data_id}_confusion", _figure(first, label)


def _figure(record: Record, label: Metric) -> "Figure":
    rows = record.details["confusion"]["rows"]
    counts = np.array([row["counts"] for row in rows])
    seen = np.flatnonzero(counts.any(axis=0) | (np.arange(counts.shape[1]) < len(rows)))
    counts, columns = counts[:, seen], [record.details["confusion"]["columns"][place] for place in seen]
    totals = counts.sum(axis=1, keepdims=True)
    figure, axes = canvas(max(6.5, 3.2 + 0.5 * len(columns)), max(3.6, 2.4 + 0.36 * len(rows)))
    image = axes.imshow(counts / totals, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    _write_counts(axes, counts, totals)
    names = [f"{_short(row['label'])}  ({row['score']:.2f}, {n})" for row, n in zip(rows, totals[:, 0], strict=True)]
    axes.set_yticks(range(len(rows)), names)
    axes.set_xticks(range(len(columns)), [_short(name) for name in columns], rotation=45, ha="right")
    axes.set_ylabel(f"true label ({label.name}, files)")
    axes.set_xlabel("predicted label")
    title = plain_label(f"{record.dataset}: the labels {record.method} is worst at")
    axes.set_title(title, loc="left", fontweight="bold")
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, label="share of the true label's files", shrink=0.9)
    return figure


def _write_counts(axes: "Axes", counts: Any, totals: Any) -> None:
    from matplotlib.patches import Rectangle

    for row, column in zip(*np.nonzero(counts), strict=True):
        light = counts[row, column] > 0.55 * totals[row, 0]
        axes.text(
            column, row, str(counts[row, column]), ha="center", va="center", fontsize=8, color="white" if light else INK
        )
    for place in range(len(counts)):
        axes.add_patch(Rectangle((place - 0.5, place - 0.5), 1, 1, fill=False, ec=INK, lw=0.9))


def _short(name: str) -> str:
    return plain_label(name if len(name) <= 22 else name[:21] + "…")
