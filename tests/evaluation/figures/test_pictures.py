"""What the pictures of the sister tasks are drawn from, and that they say which way is better."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.contract.metric import Metric
from evaluation.contract.record import Record
from evaluation.figures.calibration import BINS, calibration_figures, reliability
from evaluation.figures.canvas import render, style
from evaluation.figures.confusion import NO_ANSWER, OTHERS, confusion, confusion_figures
from evaluation.figures.curves import details_figures
from evaluation.figures.precision import precision_figures, spread

MAIN = Metric("main", "the main metric", greater_is_better=True)
LOSS = Metric("main", "the main loss", greater_is_better=False)
LABEL = Metric("F2", "F2 of the label", greater_is_better=True)


def record(method, value, seed=0, dataset="data", **details):
    return Record(
        task="made",
        task_version=1,
        dataset=dataset,
        method=method,
        seed=seed,
        status="ok",
        metrics={"main": value},
        denominators={},
        submission_sha256="0" * 64,
        dataset_sha256="0" * 64,
        settings={},
        fingerprint="0" * 64,
        environment={},
        created="2026-01-01T00:00:00Z",
        details=details,
    )


def legend_of(figure):
    return [text.get_text() for axes in figure.axes if axes.get_legend() for text in axes.get_legend().get_texts()]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_the_spread_is_rising_and_holds_the_extremes(values):
    found = spread(np.array(values))
    assert found[0] == min(values)
    assert found[-1] == max(values)
    assert (np.diff(found) >= -1e-12).all()


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=60))
def test_reliability_counts_every_prediction_once(pairs):
    truth, said = (np.array(column, dtype=float)[:, None] for column in zip(*pairs, strict=True))
    found = reliability(truth, said)
    count, predicted, observed = (np.array(found[key]) for key in ("count", "predicted", "observed"))
    assert count.sum() == len(pairs)
    assert count @ predicted == pytest.approx(said.sum())
    assert count @ observed == pytest.approx(truth.sum())
    edges = np.linspace(0, 1, BINS + 1)
    some = count > 0
    assert (predicted[some] >= edges[:-1][some] - 1e-9).all()
    assert (predicted[some] <= edges[1:][some] + 1e-9).all()


labels = st.sampled_from([f"label-{n:02d}" for n in range(30)])


@given(st.lists(st.tuples(labels, labels | st.none()), min_size=1, max_size=120))
def test_confusion_has_every_file_of_its_rows_once(pairs):
    truth = {str(n): label for n, (label, _) in enumerate(pairs)}
    given_ = {str(n): answer for n, (_, answer) in enumerate(pairs) if answer is not None}
    right = Counter(a for a, b in pairs if a == b)
    found = confusion(truth, given_, {label: right[label] / 10 for label in truth.values()})
    sizes = Counter(truth.values())
    columns = found["columns"]
    assert columns[-2:] == [OTHERS, NO_ANSWER]
    for place, row in enumerate(found["rows"]):
        assert sum(row["counts"]) == sizes[row["label"]]
        assert columns[place] == row["label"]
        assert row["counts"][place] == right[row["label"]]
        assert row["counts"][-1] == sum(a == row["label"] and b is None for a, b in pairs)
    scores = [row["score"] for row in found["rows"]]
    assert scores == sorted(scores)
    assert len(scores) == min(12, len(sizes))


def test_styles_of_many_methods_differ_without_their_colour():
    found = [(str(style(n)["ls"]), style(n)["marker"]) for n in range(12)]
    assert len(set(found)) == 12


def test_precision_and_ladder_are_drawn_with_their_directions():
    details = {"precision": spread(np.linspace(0, 1, 9)), "recall": {"1": 0.5, "10": 0.75, "1000": 1.0}}
    records = [record("b", 0.4, **details), record("a", 0.2, **details), record("b", 0.6, seed=1, **details)]
    query = Metric("average_precision", "average precision of a query", greater_is_better=True)
    recall = Metric("recall", "queries with a hit", greater_is_better=True)
    ((name, figure),) = precision_figures([*records, record("old", 0.9)], MAIN, query, recall)
    assert name == "data_evaluation"
    assert legend_of(figure) == ["b  0.500", "a  0.200"]
    left, right = figure.axes
    assert left.get_xlabel() == query.label
    assert query.direction in left.get_ylabel()
    assert right.get_ylabel() == "queries with a hit\n(higher is better)"
    assert right.get_xscale() == "log"
    assert [text.get_text() for text in right.get_xticklabels()] == ["1", "10", "1,000"]
    assert right.lines[0].get_ydata().tolist() == [0.5, 0.75, 1.0]


def test_the_confusion_of_the_best_method_is_drawn():
    truth = {str(n): "ab"[n % 2] for n in range(6)}
    worse = confusion(truth, {}, {"a": 0.0, "b": 0.1})
    better = confusion(truth, {**truth, "0": "b"}, {"a": 0.7, "b": 0.9})
    records = [record("worse", 0.1, confusion=worse), record("better", 0.8, confusion=better)]
    ((name, figure),) = confusion_figures(records, MAIN, LABEL)
    axes = figure.axes[0]
    assert name == "data_confusion"
    assert "better" in axes.get_title(loc="left")
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a  (0.70, 3)", "b  (0.90, 3)"]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b"]
    assert sorted(text.get_text() for text in axes.texts) == ["1", "2", "3"]
    ((_, again),) = confusion_figures(records, MAIN, LABEL)
    assert render(figure, "svg") == render(again, "svg")
    ((_, silent),) = confusion_figures(records[:1], MAIN, LABEL)
    assert [text.get_text() for text in silent.axes[0].get_xticklabels()] == ["a", "b", NO_ANSWER]


def test_losses_and_calibration_are_drawn_worst_class_on_top():
    truth = np.array([[1, 0], [0, 1], [1, 1]])
    details = {"log_loss": {"cat": 0.2, "dog": 0.5}, "reliability": reliability(truth, np.full((3, 2), 0.6))}
    records = [record("b", 0.3, **details), record("a", 0.1, **details)]
    ((_, figure),) = calibration_figures(records, LOSS, Metric("log_loss", "log loss of the class", False))
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["cat", "dog"]
    assert left.get_xlabel() == "log loss of the class (lower is better); bars: a"
    assert legend_of(figure) == ["a  0.1000", "b  0.3000"]
    assert right.lines[0].get_xdata().tolist() == pytest.approx([0.6])
    assert right.lines[0].get_ydata().tolist() == pytest.approx([4 / 6])


def test_of_many_names_the_worst_are_drawn():
    values = {f"name-{n}": n / 10 for n in range(8)}
    ((_, figure),) = details_figures([record("a", 0.5, f2=values)], "f2", LABEL, MAIN, most=3)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["name-0", "name-1", "name-2"]
    assert axes.get_title(loc="left") == "data: the worst 3 of 8"
    ((_, figure),) = details_figures([record("a", 0.5, f2=values)], "f2", LOSS, MAIN, most=2)
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["name-7", "name-6"]


def test_records_without_details_are_passed_over():
    old = [record("a", 0.5)]
    assert not list(precision_figures(old, MAIN, MAIN, MAIN))
    assert not list(confusion_figures(old, MAIN, LABEL))
    assert not list(calibration_figures(old, LOSS, LOSS))
    assert not list(details_figures(old, "f2", LABEL, MAIN))
