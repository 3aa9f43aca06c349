import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning import InvalidInput, Split, label_posterior, plant_noise
from cleaning.belief import posterior
from tests.support import blobs


def noisy(n=150, rate=0.3, kind="symmetric", seed=0, **shape):
    clean = blobs(n, 10 * seed + 1, **shape)
    labels = plant_noise(clean.labels, rate, kind, np.random.default_rng(seed))
    return Split(clean.features, labels, clean.ids), clean.labels, blobs(n // 3, 10 * seed + 2, **shape)


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 30),
    checked=st.integers(0, 8),
    classes=st.integers(1, 4),
)
def test_probabilities_are_distributions_whatever_the_data(seed, n, checked, classes):
    rng = np.random.default_rng(seed)
    train = Split.from_arrays(rng.normal(size=(n, 3)).round(1), rng.integers(0, classes, n))
    validation = Split.from_arrays(rng.normal(size=(checked, 3)), rng.integers(0, classes, checked))
    found = label_posterior(train, validation)
    for part in (found.probabilities, found.before_label, found.noise_matrix):
        assert np.isfinite(part).all()
        assert part.min() >= 0
        assert part.sum(axis=1) == pytest.approx(1.0)
    assert found.validation.shape == (checked, found.noise_matrix.shape[0])
    expected, low, high = found.wrong_labels()
    assert 0 <= low <= expected <= high <= n
    assert expected == pytest.approx(found.suspicion.sum())


def test_the_noise_matrix_distinguishes_one_directional_from_symmetric_noise():
    train, _, validation = noisy(300, 0.3, "symmetric", gap=4.0)
    assert label_posterior(train, validation).noise_matrix == pytest.approx(np.array([[0.7, 0.3], [0.3, 0.7]]), abs=0.1)
    train, _, validation = noisy(300, 0.3, "one_directional", gap=4.0)
    assert label_posterior(train, validation).noise_matrix == pytest.approx(np.array([[1, 0], [0.6, 0.4]]), abs=0.12)


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.4])
def test_the_expected_number_of_wrong_labels_is_near_the_true_one(rate):
    train, truth, validation = noisy(300, rate, gap=4.0)
    expected, low, high = label_posterior(train, validation).wrong_labels()
    assert low <= np.sum(train.labels != truth) <= high
    assert expected == pytest.approx(300 * rate, abs=20)


def test_fewer_validation_rows_per_class_widen_the_interval_up_to_that_without_any():
    train, _, _ = noisy(200, 0.3, classes=4)
    found = label_posterior(train)
    shares = [np.full((rows, 4), 0.25) for rows in (1000, 200, 100, 10, 0)]
    bounds = np.array([dataclasses.replace(found, validation=share).wrong_labels() for share in shares])
    widths = bounds[:, 2] - bounds[:, 1]
    assert widths[0] == widths[1] < widths[2] < widths[3] <= widths[4]
    assert set(bounds[:, 0]) == {found.wrong_labels()[0]}


def test_suggestions_are_the_true_labels_if_the_classes_are_separable():
    train, truth, validation = noisy(200, 0.3, classes=3, gap=8.0)
    found = label_posterior(train, validation)
    assert np.mean(found.suggestion == truth) > 0.97
    assert found.suggestion_probability == pytest.approx(found.probabilities.max(axis=1))
    kept = found.suggestion == train.labels
    assert found.quality[kept] == pytest.approx(found.suggestion_probability[kept])


def test_clean_class_frequencies_reveal_errors_that_look_like_the_other_class():
    """The positives nearest the other class are called negative. By their features alone, those labels are right."""
    clean, validation = blobs(300, 1, gap=1.5), blobs(300, 2, gap=1.5)
    direction = clean.features[clean.labels == 1].mean(axis=0) - clean.features[clean.labels == 0].mean(axis=0)
    positives = np.flatnonzero(clean.labels == 1)
    labels = clean.labels.copy()
    labels[positives[np.argsort(clean.features[positives] @ direction)[:90]]] = 0
    train = Split(clean.features, labels, clean.ids)
    informed, blind = label_posterior(train, validation).wrong_labels()[0], label_posterior(train).wrong_labels()[0]
    assert abs(informed - 90) < abs(blind - 90)
    assert informed > 45


def test_the_primal_learners_give_nearly_the_same_posterior(monkeypatch):
    train, truth, validation = noisy(400, 0.3, classes=3, gap=4.0, width=8)
    dense = label_posterior(train, validation)
    monkeypatch.setattr(posterior, "_DENSE_ROWS", 100)
    monkeypatch.setattr(posterior, "_STACKED_ROWS", 250)
    primal = label_posterior(train, validation, rng=np.random.default_rng(0))
    assert np.corrcoef(dense.suspicion, primal.suspicion)[0, 1] > 0.9
    assert np.mean(primal.suggestion == truth) == pytest.approx(np.mean(dense.suggestion == truth), abs=0.04)
    again = label_posterior(train, validation, rng=np.random.default_rng(0))
    assert np.array_equal(primal.probabilities, again.probabilities)
    assert label_posterior(train).probabilities.shape == (400, 3)


def test_shuffled_rows_get_the_same_probabilities():
    train, _, validation = noisy(100)
    shuffle = np.random.default_rng(0).permutation(100)
    plain = label_posterior(train, validation).probabilities
    assert np.array_equal(label_posterior(train.take(shuffle), validation).probabilities, plain[shuffle])


def test_classes_without_rows_get_probability_zero():
    train = Split.from_arrays(np.random.default_rng(0).normal(size=(20, 2)), np.repeat([1, 4], 10))
    found = label_posterior(train)
    assert found.probabilities.shape == (20, 5)
    assert found.probabilities[:, [0, 2, 3]].max() == 0
    assert found.noise_matrix[0].tolist() == [1, 0, 0, 0, 0]


def test_bad_input_is_refused():
    train = blobs(10, 0)
    with pytest.raises(InvalidInput, match="no rows"):
        label_posterior(train.take([]))
    with pytest.raises(InvalidInput, match="have 3 columns, training embeddings have 5"):
        label_posterior(train, blobs(5, 0, width=3))
