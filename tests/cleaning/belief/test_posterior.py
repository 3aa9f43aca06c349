import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score

from cleaning import InvalidInput, Split, inspection_order, label_posterior, plant_noise
from cleaning.belief import basis
from cleaning.belief.posterior import as_given
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
    apart=st.booleans(),
)
def test_probabilities_are_distributions_whatever_the_data(seed, n, checked, classes, apart):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    features = rng.normal(size=(n, 3)).round(1) + 4 * apart * np.eye(4)[labels, :3]
    train = Split.from_arrays(features, labels)
    validation = Split.from_arrays(rng.normal(size=(checked, 3)), rng.integers(0, classes, checked))
    found = label_posterior(train, validation)
    for part in (found.probabilities, found.before_label, found.noise_matrix):
        assert np.isfinite(part).all()
        assert part.min() >= 0
        assert part.sum(axis=1) == pytest.approx(1.0)
    assert found.validation.shape == (checked, found.noise_matrix.shape[0])
    expected, low, high = found.wrong_labels()
    if any(caveat.hides_count for caveat in found.caveats):
        assert np.isnan(expected)
        assert (low, high) == (0, n)
    else:
        assert 0 <= low <= expected <= high <= n
        unguessed = as_given(found.basis, guesses=False).suspicion
        # beliefs about rows use another noise matrix with as many wrong labels, copies counted once
        assert expected == pytest.approx(unguessed.sum(), rel=1e-5 if classes < 3 else 0.1, abs=0.01)
        assert classes > 2 or found.suspicion.sum() == pytest.approx(expected)


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


@pytest.mark.parametrize("checked", [0, 30, 300])
def test_overlap_of_clean_classes_is_not_taken_for_wrong_labels(checked):
    """Bayes error 11%, every label right: the low end is near 0, and trusted rows do not make the number worse."""
    said = []
    for seed in range(4):
        rows = blobs(300 + checked, 20 + seed, gap=2.4)
        train, trusted = rows.take(np.arange(300)), rows.take(np.arange(300, 300 + checked))
        said.append(label_posterior(train, trusted).wrong_labels())
    expected, low, high = np.mean(said, axis=0)
    assert low < 2
    assert expected < 9
    assert high < 150


@pytest.mark.parametrize("checked", [100, 30, 1, 0])
def test_one_directional_noise_is_in_the_interval_however_many_rows_are_trusted(checked):
    train, truth, validation = noisy(300, 0.3, "one_directional", gap=4.0)
    validation = validation.take(np.arange(checked))
    wrong = int((train.labels != truth).sum())
    expected, low, high = label_posterior(train, validation).wrong_labels()
    assert low <= wrong <= high < 300
    assert not np.isnan(expected)


@pytest.mark.parametrize("distance", [0.0, 1e-3])
def test_copies_count_as_one_piece_of_evidence(distance):
    """Every row is there twice, with the same label: a wrong label is not confirmed by its copy."""
    train, truth, validation = noisy(150, 0.25, gap=4.0)
    once = label_posterior(train, validation)
    moved = train.features + distance * np.random.default_rng(0).normal(size=train.features.shape)
    features, labels = np.vstack([train.features, moved]), np.tile(train.labels, 2)
    twice = label_posterior(Split.from_arrays(features, labels), validation)
    assert twice.group[:150].tolist() == twice.group[150:].tolist()
    assert twice.suspicion[:150] == pytest.approx(twice.suspicion[150:])
    assert np.corrcoef(once.suspicion, twice.suspicion[:150])[0, 1] > 0.999
    expected, low, high = twice.wrong_labels()
    assert expected == pytest.approx(2 * once.wrong_labels().expected, rel=0.05)
    assert low <= 2 * np.sum(train.labels != truth) <= high


def test_copies_with_different_labels_are_suspicious_where_their_label_is_the_odd_one():
    train, _, validation = noisy(100, 0.1, gap=4.0)
    right = int(np.argmax(label_posterior(train, validation).quality))
    features = np.vstack([train.features, train.features[[right, right]]])
    labels = np.append(train.labels, [train.labels[right], 1 - train.labels[right]])
    found = label_posterior(Split.from_arrays(features, labels), validation)
    assert len(set(found.group[[right, 100, 101]])) == 1
    assert found.suspicion[[right, 100]].max() < 0.2
    assert found.suspicion[101] > 0.8


def test_a_row_that_repeats_another_names_the_one_with_the_first_id():
    train, _, _ = noisy(30, gap=4.0)
    features = np.vstack([train.features, train.features[[4]], train.features[[9, 9]] + 1e-6])
    ids = tuple(f"row {number:02d}" for number in [*range(1, 31), 0, 40, 41])
    found = label_posterior(Split(features, np.append(train.labels, train.labels[[4, 9, 9]]), ids)).near_duplicate_of
    assert dict(enumerate(found[found >= 0].tolist(), start=0)) == {0: 30, 1: 9, 2: 9}
    assert np.flatnonzero(found >= 0).tolist() == [4, 31, 32]


def test_trusted_rows_from_another_source_do_not_make_a_large_set_worse(monkeypatch):
    """Mirror images of digits, with the right labels: a mirrored 2 looks like a 5. Upright ones are used."""
    monkeypatch.setattr(basis, "DENSE_ROWS", 500)
    pixels, digits = load_digits(return_X_y=True)
    shuffle = np.random.default_rng(0).permutation(len(digits))
    images, truth = pixels[shuffle].reshape(-1, 8, 8).astype(np.float32), digits[shuffle]
    labels = plant_noise(truth[:800], 0.2, "symmetric", np.random.default_rng(0))
    train = Split.from_arrays(images[:800].reshape(-1, 64), labels)
    mirrored = Split.from_arrays(images[800:, :, ::-1].reshape(-1, 64), truth[800:])
    found = label_posterior(train, mirrored)
    assert [caveat.kind for caveat in found.caveats] == ["misleading rows"]
    assert "997 trusted rows are not used" in found.caveats[0].sentence
    assert np.corrcoef(found.suspicion, label_posterior(train).suspicion)[0, 1] > 0.99
    assert found.validation.shape == (997, 10)
    assert sorted(inspection_order(found, train, mirrored).order) == list(range(800))
    upright = Split.from_arrays(images[800:].reshape(-1, 64), truth[800:])
    counted = Counted(basis.forward_scores)
    monkeypatch.setattr(basis, "forward_scores", counted)
    assert label_posterior(train, upright).caveats == ()
    assert counted.calls == 1  # that they help is seen without a fit of everything


class Counted:
    """Counts the calls of a function."""

    def __init__(self, function):
        self.function, self.calls = function, 0

    def __call__(self, *arguments):
        self.calls += 1
        return self.function(*arguments)


@settings(max_examples=4)
@given(seed=st.integers(0, 10_000))
def test_the_numbers_of_the_classes_do_not_matter(seed):
    """The same classes under other numbers, with gaps: the same beliefs, the same order."""
    rng = np.random.default_rng(seed)
    train, _, validation = noisy(90, 0.3, classes=3, seed=seed % 7)
    numbers = rng.choice(300, 3, replace=False)
    renamed = [Split(part.features, numbers[part.labels], part.ids) for part in (train, validation)]
    found, other = label_posterior(train, validation), label_posterior(*renamed)
    assert other.probabilities[:, numbers] == pytest.approx(found.probabilities, abs=1e-4)
    assert other.wrong_labels() == pytest.approx(found.wrong_labels(), abs=1)
    same = inspection_order(found, train, validation).order == inspection_order(other, *renamed).order
    assert same.mean() > 0.95


def test_suggestions_are_the_true_labels_if_the_classes_are_separable():
    train, truth, validation = noisy(200, 0.3, classes=3, gap=8.0)
    found = label_posterior(train, validation)
    assert np.mean(found.suggestion == truth) > 0.97
    assert found.suggestion_probability == pytest.approx(found.probabilities.max(axis=1))
    kept = found.suggestion == train.labels
    assert found.quality[kept] == pytest.approx(found.suggestion_probability[kept])


def test_the_primal_learners_give_nearly_the_same_posterior(monkeypatch):
    train, truth, validation = noisy(400, 0.3, classes=3, gap=4.0, width=8)
    dense = label_posterior(train, validation)
    monkeypatch.setattr(basis, "DENSE_ROWS", 100)
    monkeypatch.setattr(basis, "STACKED_ROWS", 250)
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


def test_many_rows_of_two_columns_have_a_posterior():
    train, truth, validation = noisy(2600, 0.2, width=2, gap=4.0)
    assert np.mean(label_posterior(train, validation).suggestion == truth) > 0.9


def test_copies_among_the_trusted_rows_are_one_piece_of_evidence_too():
    train, _, validation = noisy(150, 0.25, gap=4.0)
    few = validation.take(np.arange(20))
    many = Split.from_arrays(np.repeat(few.features, 9, axis=0), np.repeat(few.labels, 9))
    once, often = label_posterior(train, few), label_posterior(train, many)
    assert often.wrong_labels() == pytest.approx(once.wrong_labels(), abs=1)
    assert often.validation == pytest.approx(np.repeat(once.validation, 9, axis=0), abs=1e-3)


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


def test_one_class_can_be_ordered_with_trusted_rows():
    train, trusted = Split.from_arrays(np.eye(3), [0, 0, 0]), Split.from_arrays(-np.eye(3)[:2], [0, 0])
    order = inspection_order(label_posterior(train, trusted), train, trusted).order
    assert sorted(order.tolist()) == [0, 1, 2]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_class_mix_of_the_trusted_rows_is_not_that_of_the_training_rows(seed):
    """The classes overlap. 80 of 100 trusted rows are of class 0, but half of the training rows."""
    rng = np.random.default_rng(seed)
    truth, known = np.tile([0, 1], 150), np.repeat([0, 1], [80, 20])
    train, trusted = (rng.normal(size=(len(labels), 4)) + np.outer(labels, [1.5, 0, 0, 0]) for labels in (truth, known))
    labels = plant_noise(truth, 0.2, "symmetric", rng)
    found = label_posterior(Split.from_arrays(train, labels), Split.from_arrays(trusted, known))
    assert 135 < found.probabilities[:, 0].sum() < 175


def test_many_rows_of_one_class_or_with_nothing_but_probabilities_may_have_trusted_rows(monkeypatch):
    monkeypatch.setattr(basis, "DENSE_ROWS", 100)
    rng = np.random.default_rng(0)
    train, _, trusted = noisy(300, 0.2, gap=4.0)
    same = Split(train.features, np.zeros(300, dtype=int), train.ids), trusted.take(np.flatnonzero(trusted.labels == 0))
    assert [caveat.kind for caveat in label_posterior(*same).caveats] == ["one class"]

    def predicted(labels):
        found = 0.1 + 0.8 * np.eye(2)[labels] + 0.1 * rng.random((len(labels), 2))
        return found / found.sum(axis=1, keepdims=True)

    alone = [
        Split.from_arrays(predicted(blobs(n, seed, gap=4.0).labels), part.labels)
        for n, seed, part in ((300, 1, train), (100, 2, trusted))
    ]
    found = label_posterior(*alone, probabilities=alone[0].features)
    assert 40 < found.wrong_labels().expected < 80


@pytest.mark.parametrize(("n", "dense"), [(300, True), (1200, False)])
@pytest.mark.parametrize("shape", ["around each other", "in a row", "one column"])
def test_rows_of_one_direction_are_told_apart_by_their_lengths(monkeypatch, n, dense, shape):
    if not dense:
        monkeypatch.setattr(basis, "DENSE_ROWS", 10)
    rng = np.random.default_rng(1)
    truth = rng.choice(3, n)
    if shape == "around each other":
        turn = rng.uniform(0, 2 * np.pi, n)
        rows = np.stack([np.cos(turn), np.sin(turn)], axis=1) * (1 + truth + rng.normal(size=n) / 8)[:, None]
    else:
        rows = np.stack([6.0 * truth, np.zeros(n)], axis=1) + rng.normal(size=(n, 2))
    if shape == "one column":
        rows = rows[:, :1]
    labels = np.where(rng.random(n) < 0.15, (truth + 1) % 3, truth)
    train = Split.from_arrays(rows, labels)
    posterior = label_posterior(train)
    wrong = labels != truth
    assert average_precision_score(wrong, posterior.suspicion) > 0.95
    _, low, high = posterior.wrong_labels()
    assert low <= wrong.sum() <= high < n / 2
    first = inspection_order(posterior, train).order[: wrong.sum()]
    assert wrong[first].mean() > 0.85
