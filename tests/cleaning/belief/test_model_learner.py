import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from cleaning import InvalidInput, Split, inspection_order, label_posterior, next_round, plant_noise
from cleaning.belief import basis
from cleaning.belief.model_learner import log_scores
from tests.support import blobs


def noisy(n=200, rate=0.3, seed=0, **shape):
    clean = blobs(n, 10 * seed + 1, **shape)
    labels = plant_noise(clean.labels, rate, "symmetric", np.random.default_rng(seed))
    return Split(clean.features, labels, clean.ids), clean.labels, blobs(n // 3, 10 * seed + 2, **shape)


def predictions(rows, labels, folds=5):
    model = LogisticRegression(C=0.1, max_iter=500)
    return cross_val_predict(model, rows, labels, cv=folds, method="predict_proba")


@settings(max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 25),
    classes=st.integers(2, 3),
    more=st.integers(0, 2),
    large=st.booleans(),
)
def test_uniform_probabilities_change_nothing(seed, n, classes, more, large):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    train = Split.from_arrays(rng.normal(size=(n, 3)), labels)
    trusted = Split.from_arrays(rng.normal(size=(4, 3)), np.arange(4) % classes)
    even = np.full((n + 4, classes + more), 1 / (classes + more))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(basis, "DENSE_ROWS", 0 if large else 2500)
        plain = label_posterior(train, trusted)
        found = label_posterior(train, trusted, probabilities=even[:n], validation_probabilities=even[n:])
        assert np.array_equal(found.probabilities, plain.probabilities)
        assert np.array_equal(found.noise_matrix, plain.noise_matrix)
        assert found.wrong_labels() == pytest.approx(plain.wrong_labels(), nan_ok=True)
        assert np.array_equal(
            inspection_order(found, train, trusted).order, inspection_order(plain, train, trusted).order
        )


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize("large", [False, True])
def test_a_model_that_knows_more_than_the_features_finds_more(trusted, large, monkeypatch):
    monkeypatch.setattr(basis, "DENSE_ROWS", 0 if large else 2500)
    train, truth, others = noisy(300, 0.3, classes=3, width=6, gap=4.0)
    weak = Split(train.features[:, :1], train.labels, train.ids)
    few = Split(others.features[:, :1], others.labels, others.ids) if trusted else None
    wrong, own = train.labels != truth, predictions(train.features, train.labels)
    plain = label_posterior(weak, few)
    found = label_posterior(weak, few, probabilities=own)
    before, after = (average_precision_score(wrong, one.suspicion) for one in (plain, found))
    assert after > before + 0.1
    assert found.wrong_labels().low <= wrong.sum() <= found.wrong_labels().high


def test_probabilities_of_trusted_rows_are_used():
    train, truth, others = noisy(200, 0.3, classes=3, width=6, gap=4.0)
    model = LogisticRegression(C=0.1, max_iter=500).fit(train.features, train.labels)
    own, known = predictions(train.features, train.labels), model.predict_proba(others.features)
    weak, few = (Split(part.features[:, :1], part.labels, part.ids) for part in (train, others))
    without = label_posterior(weak, few, probabilities=own)
    found = label_posterior(weak, few, probabilities=own, validation_probabilities=known)
    right = np.eye(3)[others.labels]
    assert ((found.validation - right) ** 2).sum() < ((without.validation - right) ** 2).sum()
    assert np.mean(found.suggestion == truth) >= np.mean(without.suggestion == truth) - 0.02


@pytest.mark.parametrize("large", [False, True])
def test_probabilities_alone_are_ordered_at_least_as_well_as_by_themselves(large, monkeypatch):
    monkeypatch.setattr(basis, "DENSE_ROWS", 0 if large else 2500)
    train, truth, _ = noisy(400, 0.2, classes=4, width=6, gap=6.0)
    own = predictions(train.features, train.labels)
    rows = Split.from_arrays(own, train.labels)
    found = label_posterior(rows, probabilities=own)
    wrong = train.labels != truth
    peer = average_precision_score(wrong, 1 - own[np.arange(400), train.labels])
    assert average_precision_score(wrong, found.suspicion) > peer - 0.02
    assert found.wrong_labels().low <= wrong.sum() <= found.wrong_labels().high
    assert (np.diff(found.suspicion[inspection_order(found, rows).order]) <= 0).all()
    assert (found.near_duplicate_of < 0).all()
    assert not found.outlier.any()


def test_sure_predictions_of_different_rows_are_not_copies():
    own = np.repeat(np.eye(2), 30, axis=0)
    labels = np.repeat([0, 1], 30)
    labels[[3, 40]] = 1 - labels[[3, 40]]
    found = label_posterior(Split.from_arrays(own, labels), probabilities=own)
    assert len(np.unique(found.group)) == 60
    assert set(np.argsort(found.quality)[:2].tolist()) == {3, 40}


def test_the_order_of_rows_does_not_matter_and_copies_share_their_mean():
    train, _, _ = noisy(120)
    own = predictions(train.features, train.labels)
    plain = label_posterior(train, probabilities=own)
    shuffle = np.random.default_rng(1).permutation(120)
    again = label_posterior(train.take(shuffle), probabilities=own[shuffle])
    assert np.array_equal(again.probabilities, plain.probabilities[shuffle])
    twice = np.append(np.arange(120), 5)
    rows = Split(train.features[twice], train.labels[twice], (*train.ids, "twin"))
    found = label_posterior(rows, probabilities=own[twice])
    assert found.group[5] == found.group[120]
    assert found.probabilities == pytest.approx(plain.probabilities[twice], abs=0.02)


@pytest.mark.parametrize("alone", [False, True])
def test_the_model_is_still_heard_after_rows_were_checked(alone):
    train, truth, _ = noisy(200, classes=3, width=6, gap=4.0)
    own = predictions(train.features, train.labels)
    rows = Split.from_arrays(own if alone else train.features[:, :1], train.labels)
    posterior = label_posterior(rows, probabilities=own)
    first = inspection_order(posterior, rows).order[:30]
    found = next_round(posterior, {int(row): int(truth[row]) for row in first})
    wrong = train.labels != truth
    assert not set(found.order.tolist()) & set(first.tolist())
    assert average_precision_score(wrong[found.order], found.suspicion[found.order]) > 0.6
    assert found.posterior.basis.told.probabilities.shape == (170, 3)


def test_missing_classes_and_zeros_are_fine():
    assert not log_scores(np.full((3, 4), 0.25)).any()
    assert np.isfinite(log_scores(np.array([[1.0, 0.0], [0.0, 0.0]]))).all()
    train, _, _ = noisy(60)
    own = np.hstack([predictions(train.features, train.labels), np.zeros((60, 3))])
    assert np.isfinite(label_posterior(train, probabilities=own).probabilities).all()


def test_predictions_of_rows_that_the_model_was_fitted_on_are_refused():
    train, _, others = noisy(300, 0.2, classes=3, width=6, gap=4.0)
    fitted = DecisionTreeClassifier(random_state=0).fit(train.features, train.labels)
    own = fitted.predict_proba(train.features)
    with pytest.raises(
        InvalidInput, match=r"contradict \d+ of 300 labels, but the features show that \d+ or more are wrong"
    ):
        label_posterior(train, probabilities=own)
    trusted = fitted.predict_proba(others.features)
    with pytest.raises(InvalidInput, match=r"agree with \d+% of the labels, but with only \d\d% of the trusted ones"):
        label_posterior(train, others, probabilities=own, validation_probabilities=trusted)
    with pytest.raises(InvalidInput, match="fitted on these rows"):
        label_posterior(
            Split.from_arrays(own, train.labels), Split.from_arrays(trusted, others.labels), probabilities=own
        )


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.2, 0.4])
@pytest.mark.parametrize("columns", [1, 2, 6])
def test_held_out_predictions_are_not_refused_however_good_they_are(rate, columns):
    train, truth, others = noisy(200, rate, columns, classes=2, width=6, gap=2.5)
    weak, few = (Split(part.features[:, :columns], part.labels, part.ids) for part in (train, others))
    perfect, right = np.eye(2)[truth] * 0.9 + 0.05, np.eye(2)[others.labels] * 0.9 + 0.05
    label_posterior(weak, probabilities=perfect)
    label_posterior(weak, few, probabilities=perfect, validation_probabilities=right)
    own = predictions(train.features, train.labels)
    label_posterior(weak, few, probabilities=own)


def test_agreement_with_every_label_is_said_where_it_cannot_be_judged():
    train = blobs(100, 1, gap=9.0)
    own = np.eye(2)[train.labels]
    found = label_posterior(Split.from_arrays(own, train.labels), probabilities=own)
    assert [caveat.kind for caveat in found.caveats] == ["all agree"]
    assert np.isnan(found.wrong_labels().expected)


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        (np.zeros((6, 2)), "sums to 0, not to 1"),
        (np.full((5, 2), 0.5), "5 rows for 6 labels"),
        (np.ones((6, 1)), "1 column for 2 classes"),
        (np.tile([1.5, -0.5], (6, 1)), "-0.5 is not a probability"),
        (np.full((6, 2), np.nan), "NaN"),
        (np.full(6, 0.5), "shape is"),
        (np.array([["a", "b"]] * 6), "not numbers"),
    ],
)
def test_what_is_no_probability_is_refused(own, problem):
    train = Split.from_arrays(np.random.default_rng(0).normal(size=(6, 2)), [0, 1, 0, 1, 0, 1])
    with pytest.raises(InvalidInput, match=problem) as refused:
        label_posterior(train, probabilities=own)
    assert str(refused.value).startswith("probabilities")
    with pytest.raises(InvalidInput, match="there are no probabilities"):
        label_posterior(train, train, validation_probabilities=np.full((6, 2), 0.5))
    with pytest.raises(InvalidInput, match="the predictions of one model"):
        label_posterior(
            train, train, probabilities=np.full((6, 2), 0.5), validation_probabilities=np.full((6, 4), 0.25)
        )
