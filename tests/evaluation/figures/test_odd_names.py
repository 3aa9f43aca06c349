"""Names of methods, data ids and classes come from submissions: they are drawn as they stand."""

import numpy as np
import pytest

from evaluation.contest.standings import leaderboard
from evaluation.contract.record import Curve
from evaluation.contract.registry import task
from evaluation.figures.calibration import calibration_figures, reliability
from evaluation.figures.canvas import canvas, plain_label, render
from evaluation.figures.confusion import confusion, confusion_figures
from evaluation.figures.curves import curves_figure, details_figures
from evaluation.figures.overview import overview_figure
from evaluation.figures.precision import precision_figures, spread
from tests.evaluation.figures.test_pictures import LABEL, LOSS, MAIN, legend_of, record

ODD = ("$^$", "_hidden", r"\$^$", "_$")
CURVE = Curve(fixes=(0, 5, 10), accuracy=(0.5, 0.7, 0.9), dirty=0.5, clean=0.9)
METRICS = {metric.name: 0.4 for metric in task("cleaning").metrics}


def records():
    truth = {"0": "$^$", "1": "b"}
    details = {
        "f2": {"$^$": 0.5, "_b": 0.25},
        "log_loss": {"$^$": 0.2, "_b": 0.5},
        "reliability": reliability(np.array([[1, 0]]), np.full((1, 2), 0.6)),
        "precision": spread(np.linspace(0, 1, 9)),
        "recall": {"1": 0.5, "10": 1.0},
        "confusion": confusion(truth, {"0": "b"}, {"$^$": 0.5, "b": 0.5}),
    }
    made = [record(name, n / 10, dataset="$_$", **details) for n, name in enumerate(ODD)]
    return [one.model_copy(update={"curve": CURVE, "metrics": {**one.metrics, **METRICS}}) for one in made]


FIGURES = {
    "curves": lambda made: [curves_figure("$_$", made, leaderboard(made, task("cleaning")))],
    "overview": lambda made: [overview_figure(leaderboard(made, task("cleaning")))],
    "details": lambda made: [figure for _, figure in details_figures(made, "f2", LABEL, MAIN)],
    "calibration": lambda made: [figure for _, figure in calibration_figures(made, LOSS, LOSS)],
    "precision": lambda made: [figure for _, figure in precision_figures(made, MAIN, MAIN, MAIN)],
    "confusion": lambda made: [figure for _, figure in confusion_figures(made, MAIN, LABEL)],
}


@pytest.mark.parametrize("kind", FIGURES)
def test_every_picture_is_drawn_with_the_name_of_every_method(kind):
    made = [one.model_copy(update={"task": "cleaning"}) for one in records()]
    (figure,) = FIGURES[kind](made)
    assert render(figure, "svg")
    names = [text.get_text() for text in figure.axes[0].texts] if kind == "overview" else legend_of(figure)
    shown = [text.split("  ")[0] for text in names]
    assert sorted(shown) == ([] if kind == "confusion" else sorted(map(plain_label, ODD)))


@pytest.mark.parametrize("name", ["$^$", "$", "a$b", r"\$"])
def test_a_label_looks_like_its_name_without_any_formula(name):
    pictures = []
    for text, options in ((plain_label(name), {}), (name, {"parse_math": False})):
        figure, axes = canvas(3, 2)
        axes.set_title(text, **options)
        pictures.append(render(figure, "png"))
    assert pictures[0] == pictures[1]
