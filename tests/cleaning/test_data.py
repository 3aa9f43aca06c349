import numpy as np
import pytest

from cleaning import GroundTruth, InvalidInput, NoisyDataset, Split, class_count
from tests.support import blobs


def test_a_split_keeps_its_rows_and_cannot_be_changed():
    split = Split.from_arrays(np.arange(6.0).reshape(3, 2), [0, 1, 1])
    assert split.ids == ("0", "1", "2")
    with pytest.raises(ValueError, match="read-only"):
        split.features[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        split.labels[0] = 1
    taken = split.take([2, 0])
    assert taken.ids == ("2", "0")
    assert taken.features.tolist() == [[4, 5], [0, 1]]


def test_the_caller_keeps_a_writable_array():
    features = np.zeros((2, 2))
    Split.from_arrays(features, [0, 1])
    features[0, 0] = 5


def test_features_end_up_aligned_contiguous_and_in_their_own_precision():
    raw = np.zeros(2 * 3 * 4 + 1, dtype=np.uint8)
    misaligned = np.frombuffer(raw.data, dtype=np.float32, count=6, offset=1).reshape(2, 3)
    assert not misaligned.flags.aligned
    split = Split.from_arrays(misaligned, [0, 1])
    assert split.features.flags.aligned
    assert split.features.dtype == np.float32
    assert Split.from_arrays(np.ones((3, 2), int).T, [0, 1]).features.dtype == np.float64


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        ([[1.0, np.nan], [0, 0]], [0, 1], r"features, row 0: NaN or infinite values \(affected rows, 1 in all: 0\)"),
        ([[1.0, 0.0], [np.inf, 0]], [0, 1], "features, row 1"),
        ([[1.0, 0.0], [0.0, -2e200]], [0, 1], r"row 1: values up to 2e\+200, .* float64 \(affected rows, 1 in all: 1"),
        (np.array([[1e19, 1e19], [1, 1]], np.float32), [0, 1], "features, row 0: values up to 1e.19, .* float32"),
        ([1.0, 2.0], [0, 1], "the shape is"),
        (np.zeros((2, 0)), [0, 1], "the shape is"),
        ([["a"], ["b"]], [0, 1], "not numbers"),
        ([[1.0], [2.0]], [0.0, 1.0], "not integers"),
        ([[1.0], [2.0]], [0, -1], "labels, row 1: -1 is not a class"),
        ([[1.0], [2.0]], [[0], [1]], "one label per row"),
        ([[1.0], [2.0]], [0], "do not match"),
    ],
)
def test_bad_arrays_are_refused_with_their_place(features, labels, message):
    with pytest.raises(InvalidInput, match=message):
        Split(np.asarray(features), np.asarray(labels), tuple(str(row) for row in range(2)))


def test_splits_of_different_width_or_without_rows_are_refused():
    a, b = blobs(6, 0), blobs(6, 0, width=3)
    with pytest.raises(InvalidInput, match="have 3 columns, training embeddings have 5"):
        NoisyDataset("x", a, b, a)
    with pytest.raises(InvalidInput, match="there are no rows"):
        NoisyDataset("x", a, None, a.take([]))


@pytest.mark.parametrize("largest", [100_000, 2**62])
def test_classes_far_beyond_the_number_of_rows_are_refused(largest):
    gappy, plain = Split.from_arrays(np.eye(3), [0, largest, 1]), Split.from_arrays(np.eye(3), [0, 1, 1])
    for train, validation, test, part in ((gappy, None, plain, "train"), (plain, gappy, plain, "validation")):
        with pytest.raises(InvalidInput, match=f"data id x, {part}, labels, row 1: class {largest}.*without gaps"):
            NoisyDataset("x", train, validation, test)
    assert NoisyDataset("x", plain, None, Split.from_arrays(np.eye(3), [0, 900, 1])).test.labels.max() == 900


def test_classes_are_counted_over_training_and_validation():
    train, more = Split.from_arrays(np.eye(3), [0, 1, 0]), Split.from_arrays(np.eye(3), [0, 4, 0])
    assert class_count(train, None) == 2
    assert class_count(train, more) == 5


def test_truth_is_checked_as_labels_are():
    with pytest.raises(InvalidInput, match="true labels, row 0"):
        GroundTruth(np.array([-3]))


def test_order_by_id_does_not_depend_on_the_order_of_rows():
    split = blobs(20, 3)
    shuffled = split.take(np.random.default_rng(0).permutation(20))
    assert [split.ids[r] for r in split.order_by_id()] == [shuffled.ids[r] for r in shuffled.order_by_id()]
