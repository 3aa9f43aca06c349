import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import InvalidInput, Split, plant_noise
from cleaning.vectors.folds import out_of_fold_probabilities, stratified_folds
from tests.support import blobs


@given(st.integers(2, 5), st.floats(0.01, 0.5), st.integers(0, 99))
def test_exactly_the_requested_share_is_wrong(classes, rate, seed):
    labels = np.arange(60) % classes
    noisy = plant_noise(labels, rate, "symmetric", np.random.default_rng(seed))
    assert np.sum(noisy != labels) == round(rate * 60)
    assert set(noisy) <= set(labels)


def test_one_directional_noise_only_turns_the_highest_class_into_the_lowest():
    labels = np.arange(60) % 3
    noisy = plant_noise(labels, 0.2, "one_directional", np.random.default_rng(0))
    wrong = noisy != labels
    assert wrong.sum() == 12
    assert set(labels[wrong]) == {2}
    assert set(noisy[wrong]) == {0}


def test_impossible_noise_is_refused():
    with pytest.raises(InvalidInput, match="at least two classes"):
        plant_noise(np.zeros(5, int), 0.2, "symmetric", np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="48 wrong labels, but only 30 can be made"):
        plant_noise(np.arange(60) % 2, 0.8, "one_directional", np.random.default_rng(0))


def test_folds_are_balanced_and_follow_the_ids():
    split = blobs(50, 0)
    folds = stratified_folds(split, 5, np.random.default_rng(1))
    assert np.bincount(folds).tolist() == [10] * 5
    for label in (0, 1):
        assert np.bincount(folds[split.labels == label]).tolist() == [5] * 5
    order = np.random.default_rng(2).permutation(50)
    assert stratified_folds(split.take(order), 5, np.random.default_rng(1)).tolist() == folds[order].tolist()


def test_a_row_is_predicted_by_a_model_not_trained_on_it():
    split = blobs(40, 0, gap=6)
    flipped = split.labels.copy()
    flipped[3] = 1 - flipped[3]
    probability = out_of_fold_probabilities(Split(split.features, flipped, split.ids), 2, np.random.default_rng(0))
    assert np.allclose(probability.sum(axis=1), 1)
    assert np.argmin(probability[np.arange(40), flipped]) == 3


def test_absent_classes_and_tiny_splits_get_an_answer():
    split = blobs(12, 0)
    lonely = split.labels.copy()
    lonely[0] = 3
    probability = out_of_fold_probabilities(Split(split.features, lonely, split.ids), 5, np.random.default_rng(0))
    assert probability.shape == (12, 5)
    assert np.isfinite(probability).all()
    assert probability[0, 3] == 0
    one = out_of_fold_probabilities(split.take([0]), 2, np.random.default_rng(0))
    assert one.tolist() == [[0.5, 0.5]]
