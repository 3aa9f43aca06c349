import numpy as np
import pytest

from cleaning.belief import signal
from cleaning.belief.base_learners import root_view
from cleaning.belief.signal import pairing_p_value
from tests.support import blobs


@pytest.mark.parametrize(("rows", "width"), [(40, 500), (100, 8)])
def test_labels_without_signal_are_called_so_as_often_as_the_level_says(rows, width):
    rng = np.random.default_rng(0)
    found = [
        pairing_p_value(rng.normal(size=(rows, width)), rng.permutation(np.arange(rows) % 2), rng) for _ in range(40)
    ]
    assert np.mean(np.array(found) <= 0.05) <= 0.15
    assert 0.3 < np.mean(found) < 0.7


@pytest.mark.parametrize("rate", [0.0, 0.3])
@pytest.mark.parametrize("classes", [2, 5])
def test_labels_with_signal_have_the_smallest_p_value_even_if_many_are_wrong(rate, classes):
    rows, rng = blobs(200, 1, classes=classes), np.random.default_rng(0)
    wrong = rng.random(200) < rate
    labels = np.where(wrong, (rows.labels + 1) % classes, rows.labels)
    assert pairing_p_value(rows.features, labels, rng) == 0.01


@pytest.mark.parametrize(
    ("features", "labels"),
    [
        (np.ones((20, 3)), np.arange(20) % 2),
        (np.eye(20), np.zeros(20, dtype=int)),
        (np.eye(3), np.arange(3)),
    ],
)
def test_rows_all_alike_one_class_and_too_few_rows_tell_nothing(features, labels):
    assert pairing_p_value(features, labels, np.random.default_rng(0)) == 1.0


def test_many_rows_are_sampled(monkeypatch):
    monkeypatch.setattr(signal, "_ROWS", 50)
    sizes = []
    monkeypatch.setattr(signal, "root_view", lambda features: sizes.append(len(features)) or root_view(features))
    rows = blobs(400, 2)
    assert pairing_p_value(rows.features, rows.labels, np.random.default_rng(0)) == 0.01
    assert sizes == [50]


@pytest.mark.parametrize("classes", [2, 20])
def test_single_precision_gives_the_same_p_value(classes, monkeypatch):
    rows = blobs(200, 3, classes=classes, gap=0.3)
    exact = pairing_p_value(rows.features, rows.labels, np.random.default_rng(0))
    monkeypatch.setattr(signal, "SINGLE_ROWS", 100)
    assert pairing_p_value(rows.features, rows.labels, np.random.default_rng(0)) == exact


def test_pairs_of_rows_are_summed_over_only_where_no_class_has_most_of_them():
    assert signal._by_pairs(np.full(28, 50), 100)
    assert not signal._by_pairs(np.array([1344, *[2] * 28]), 100)
    assert not signal._by_pairs(np.array([700, 700]), 100)


def test_sums_over_pairs_of_rows_of_one_class_agree_with_those_over_rows():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), [1, 5, 9, 15])
    kernel = np.exp(-np.abs(rng.normal(size=30) - rng.normal(size=(30, 1))))
    inverses = [np.linalg.inv(kernel @ kernel.T + noise * np.eye(30)) for noise in (1, 3)]
    deals = np.stack([rng.permutation(labels) for _ in range(6)])
    by_pairs = signal._agreement_in_pairs(inverses, np.argsort(deals, axis=1), np.bincount(labels))
    assert by_pairs == pytest.approx(sum(signal._agreement(each, deals) for each in inverses), rel=1e-9)
