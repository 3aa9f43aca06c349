import numpy as np
import pytest

from cleaning import Split, inspection_order, label_posterior, plant_noise
from cleaning.belief.caveats import independent_rows
from tests.support import blobs


def noisy(seed=0, n=120, rate=0.25):
    clean = blobs(n, seed, gap=4.0)
    return Split(clean.features, plant_noise(clean.labels, rate, "symmetric", np.random.default_rng(seed)), clean.ids)


def kinds(train, validation=None):
    return [caveat.kind for caveat in label_posterior(train, validation).caveats]


@pytest.mark.parametrize("seed", range(4))
def test_ordinary_rows_have_no_caveat(seed):
    assert kinds(noisy(seed)) == []
    assert kinds(noisy(seed), blobs(40, seed + 50, gap=4.0)) == []


def test_one_class_one_vector_and_features_without_signal_give_no_number():
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(60) % 2)
    for features, given, kind in (
        (rng.normal(size=(60, 4)), np.full(60, 3), "one class"),
        (np.ones((60, 4)), labels, "no signal"),
        (np.random.default_rng(5).normal(size=(60, 500)), labels, "no signal"),
    ):
        found = label_posterior(Split.from_arrays(features, given))
        assert [caveat.kind for caveat in found.caveats] == [kind]
        expected, low, high = found.wrong_labels()
        assert np.isnan(expected)
        assert (low, high) == (0, 60)
        assert "Fix: " in str(found.caveats[0])


def test_a_quantity_is_not_taken_for_classes():
    features = np.random.default_rng(0).normal(size=(200, 5))
    values = np.round(60 + 40 * features[:, 0]).astype(int).clip(0)
    found = label_posterior(Split.from_arrays(features, values))
    assert "many values" in [caveat.kind for caveat in found.caveats]
    assert np.isnan(found.wrong_labels().expected)


def test_many_classes_of_few_rows_have_an_order_but_no_number():
    clean = blobs(30 * 12, 0, classes=30, gap=6.0, width=20)
    labels = plant_noise(clean.labels, 0.2, "symmetric", np.random.default_rng(0))
    found = label_posterior(Split(clean.features, labels, clean.ids))
    (caveat,) = found.caveats
    assert caveat.kind == "few rows"
    assert caveat.sentence.startswith("each of the 30 classes has fewer than 25 rows")
    assert np.isnan(found.wrong_labels().expected)
    suspects = np.argsort(-found.suspicion)[: np.sum(labels != clean.labels)]
    assert np.mean(labels[suspects] != clean.labels[suspects]) > 0.8


def test_classes_that_do_not_line_up_are_named():
    train, trusted = noisy(rate=0.0), blobs(60, 9, gap=4.0)
    swapped = Split(train.features, 1 - train.labels, train.ids)
    (caveat,) = label_posterior(swapped, trusted).caveats
    assert caveat.kind == "moved classes"
    assert "what the trusted rows call 0, the training rows call 1; what the" in caveat.sentence


@pytest.mark.parametrize("shared", [40, 120])
def test_trusted_rows_that_are_training_rows_confirm_nothing(shared):
    """Whatever part of the training file is given as trusted rows, wrong labels and all, the numbers stay the same."""
    train = noisy()
    alone, leaked = label_posterior(train), label_posterior(train, train.take(np.arange(shared)))
    (caveat,) = leaked.caveats
    assert (caveat.kind, caveat.hides_count) == ("shared rows", False)
    assert caveat.sentence.startswith(f"all {shared} trusted rows are also training rows")
    assert leaked.wrong_labels() == alone.wrong_labels()
    assert leaked.suspicion == pytest.approx(alone.suspicion)
    assert leaked.validation.shape == (shared, 2)
    order = inspection_order(leaked, train, train.take(np.arange(shared))).order
    assert order.tolist() == inspection_order(alone, train).order.tolist()


@pytest.mark.parametrize("change", [lambda rows: rows.astype(np.float64), lambda rows: np.where(rows == 0, -0.0, rows)])
def test_trusted_rows_in_another_precision_or_with_negative_zeros_are_recognised(change):
    train = noisy()
    features = np.where(np.abs(train.features) < 0.2, 0.0, train.features).astype(np.float32)
    train = Split(features, train.labels, train.ids)
    trusted = Split(change(features), train.labels, train.ids)
    assert len(independent_rows(train, trusted)) == 0


def test_copies_do_not_make_a_signal_of_noise_nor_failed_encodings_noise_of_a_signal():
    rng = np.random.default_rng(5)
    noise, labels = rng.normal(size=(60, 500)), rng.permutation(np.arange(60) % 2)
    twice = Split.from_arrays(np.vstack([noise, noise]), np.tile(labels, 2))
    assert kinds(twice) == ["no signal"]
    rows = blobs(60, 3, gap=6.0)
    failed = np.vstack([rows.features, np.zeros((200, 5))])
    assert kinds(Split.from_arrays(failed, np.append(rows.labels, np.arange(200) % 2))) == []


@pytest.mark.parametrize("seed", range(4))
def test_what_is_said_does_not_depend_on_the_order_of_the_rows(seed):
    """With a weak signal, near the level of the test."""
    clean = blobs(40, seed, gap=1.0)
    shuffle = np.random.default_rng(seed).permutation(40)
    found, shuffled = label_posterior(clean), label_posterior(clean.take(shuffle))
    assert found.caveats == shuffled.caveats
    assert found.wrong_labels() == pytest.approx(shuffled.wrong_labels(), abs=1, nan_ok=True)


def test_training_rows_that_somebody_corrected_are_trusted():
    train, truth = noisy(), blobs(120, 0, gap=4.0)
    checked = truth.take(np.arange(30))
    assert (checked.labels != train.labels[:30]).any()
    assert independent_rows(train, checked).tolist() == list(range(30))
    assert kinds(train, checked) == []


def test_shared_and_other_trusted_rows_keep_their_places():
    train, other = noisy(), blobs(30, 8, gap=4.0)
    rows = np.vstack([other.features[:10], train.features[:5], other.features[10:]])
    labels = np.concatenate([other.labels[:10], train.labels[:5], other.labels[10:]])
    mixed = Split.from_arrays(rows, labels)
    assert independent_rows(train, mixed).tolist() == [*range(10), *range(15, 35)]
    found, plain = label_posterior(train, mixed), label_posterior(train, other)
    assert found.suspicion == pytest.approx(plain.suspicion, abs=1e-6)
    assert found.validation[10:15] == pytest.approx(np.eye(2)[train.labels[:5]])
    assert np.delete(found.validation, np.arange(10, 15), axis=0) == pytest.approx(plain.validation, abs=1e-6)


def test_small_classes_are_counted_among_large_ones():
    clean = blobs(22 * 40, 0, classes=22, gap=6.0, width=20)
    kept = np.flatnonzero((clean.labels < 2) | (np.arange(len(clean)) < 22 * 12))
    (caveat,) = label_posterior(clean.take(kept)).caveats
    assert caveat.sentence.startswith("20 of the 22 classes have fewer than 25 rows")


def test_a_class_of_trusted_rows_only_is_named_and_hides_the_number():
    made = blobs(160, 0, classes=3, gap=6.0)
    training = np.flatnonzero((made.labels < 2) & (np.arange(160) < 120))
    found = label_posterior(made.take(training), made.take(np.arange(120, 160)))
    (caveat,) = found.caveats
    assert (caveat.kind, caveat.classes) == ("unknown classes", (2,))
    named = caveat.with_names(["cat", "dog", "bird"]).sentence
    assert named.startswith("trusted rows are labelled bird, but no training row is; ")
    assert np.isnan(found.wrong_labels().expected)
