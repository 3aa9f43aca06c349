"""The picture of one order on data with known truth: wrong labels found, and test accuracy, against fixes."""

from typing import TYPE_CHECKING, Any

from cleaning.data import FloatVector, IntVector
from evaluation.figures.canvas import COLOURS, INK, plain_label, reference_line, row_of_axes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def found_figure(title: str, rows: int, fixes: IntVector, found: IntVector, accuracy: FloatVector | None) -> "Figure":
    """Wrong labels found after so many looks, beside random and perfect order; and the accuracy, if it is known."""
    figure, axes = row_of_axes(5.5 if accuracy is None else 11.0, 4.6, [1.0] if accuracy is None else [1.0, 1.0], title)
    total = int(found[-1])
    axes[0].plot([0, total, rows], [0, total, total], color=INK, lw=1.1, ls=(0, (4, 3)), label="perfect order")
    axes[0].plot([0, rows], [0, total], color=INK, lw=1.1, ls=(0, (1, 1.5)), label="random order")
    line: dict[str, Any] = {"color": COLOURS[0], "lw": 2.2, "where": "post"}
    axes[0].step([*fixes, rows], [*found, total], label=plain_label(title), **line)
    axes[0].set_xlabel("labels looked at")
    axes[0].set_ylabel("wrong labels found")
    axes[0].legend(frameon=False, fontsize=9, loc="lower right")
    if accuracy is not None:
        axes[1].step([*fixes, rows], [*accuracy, accuracy[-1]], **line)
        reference_line(axes[1], float(0.95 * accuracy[-1]), f"95% of clean: {0.95 * accuracy[-1]:.3f}")
        axes[1].set_xlabel("labels fixed")
        axes[1].set_ylabel("test accuracy")
    return figure
