import numpy as np
import pytest

from cleaning import Split, plant_noise
from cleaning.belief.moved import Moved, moved_classes
from tests.support import blobs


def called(change, n=200, rate=0.0, classes=5):
    """Training rows whose labels went through `change` after noise, and trusted rows."""
    train, trusted = blobs(n, 1, classes=classes, width=8, gap=6.0), blobs(60, 2, classes=classes, width=8, gap=6.0)
    noisy = plant_noise(train.labels, rate, "symmetric", np.random.default_rng(0))
    return Split(train.features, change(noisy), train.ids), trusted


@pytest.mark.parametrize("rate", [0.0, 0.2])
def test_classes_all_shifted_round_are_found(rate):
    found = moved_classes(*called(lambda labels: (labels + 1) % 5, rate=rate))
    assert sorted((one.trusted, one.given) for one in found) == [(c, (c + 1) % 5) for c in range(5)]


def test_classes_numbered_from_one_are_found():
    found = moved_classes(*called(lambda labels: labels + 1))
    assert found == [Moved(c, c + 1) for c in range(5)]


def test_two_swapped_classes_are_found_and_the_others_left_alone():
    swap = np.array([0, 3, 2, 1, 4])
    assert sorted((one.trusted, one.given) for one in moved_classes(*called(lambda labels: swap[labels]))) == [
        (1, 3),
        (3, 1),
    ]


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.45])
@pytest.mark.parametrize("classes", [2, 5])
def test_noise_is_no_move(rate, classes):
    assert moved_classes(*called(lambda labels: labels, rate=rate, classes=classes)) == []


def test_one_class_called_another_is_noise_and_no_move():
    """60% of class 1 are called 2: no cycle and no chain, since rows of 2 keep their label."""

    def some(labels):
        changed, ones = labels.copy(), np.flatnonzero(labels == 1)
        changed[ones[: int(0.6 * len(ones))]] = 2
        return changed

    assert moved_classes(*called(some)) == []


@pytest.mark.parametrize(("lost", "missing"), [(0, 4), (1, 2), (3, 0), (4, 1)])
def test_a_class_without_training_rows_and_another_without_trusted_rows_is_no_move(lost, missing):
    train, trusted = called(lambda labels: labels)
    train = train.take(np.flatnonzero(train.labels != lost))
    assert moved_classes(train, trusted.take(np.flatnonzero(trusted.labels != missing))) == []


def test_a_single_trusted_class_tells_nothing():
    train, trusted = called(lambda labels: (labels + 1) % 5)
    assert moved_classes(train, trusted.take(np.flatnonzero(trusted.labels == 0))) == []
