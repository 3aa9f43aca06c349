import numpy as np
import pytest

from cleaning import Split, label_posterior, plant_noise
from cleaning.belief import use
from cleaning.belief.posterior import for_order
from cleaning.belief.use import Beliefs, inspection_order, order_by_use
from tests.support import blobs


def certain(truth: np.ndarray, validation: Split | None) -> Beliefs:
    classes = np.eye(int(truth.max()) + 1)
    checked = np.empty((0, len(classes))) if validation is None else classes[validation.labels]
    return Beliefs(classes[truth], classes[truth], checked)


@pytest.mark.parametrize("shape", [(12, 30), (30, 4)])
def test_the_surrogate_predicts_what_refits_without_the_row_predict(shape):
    """A centred ridge for n < d and n > d, fitted without the held-out row's label, with the penalty from all rows."""
    rng = np.random.default_rng(0)
    features, checked, targets = rng.normal(size=shape), rng.normal(size=(5, shape[1])), rng.normal(size=(shape[0], 2))
    model = use._Surrogate.of(features, np.arange(len(features)), checked, 0.4)
    centred = features - features.mean(axis=0)
    penalty = 0.4 * (centred**2).sum() / len(features)
    rows, others = np.hstack([centred, np.ones((len(features), 1))]), checked - features.mean(axis=0)
    ridge = penalty * np.eye(shape[1] + 1)
    ridge[-1, -1] = 0
    found = model.left_out(model.fitted(targets), targets)
    for row in range(len(features)):
        kept = np.arange(len(features)) != row
        weights = np.linalg.solve(rows[kept].T @ rows[kept] + ridge, rows[kept].T @ targets[kept])
        assert found[row] == pytest.approx(rows[row] @ weights)
    weights = np.linalg.solve(rows.T @ rows + ridge, rows.T @ targets)
    assert found[len(features) :] == pytest.approx(others @ weights[:-1] + weights[-1])


@pytest.mark.parametrize("shape", [(12, 30), (30, 4)])
def test_pull_is_the_transpose_of_the_predictions(shape):
    rng = np.random.default_rng(1)
    rows, checked = rng.normal(size=shape), rng.normal(size=(5, shape[1]))
    model = use._Surrogate.of(rows, np.arange(len(rows)), checked, 1.0)
    targets, slope = rng.normal(size=(shape[0], 3)), rng.normal(size=(shape[0] + 5, 3))
    predictions, pull = model.left_out(model.fitted(targets), targets), model.pull(slope, len(rows))
    assert (predictions * slope).sum() == pytest.approx((pull * targets).sum())
    assert model.pull(slope, 4) == pytest.approx(pull[:4])


@pytest.mark.parametrize("places", [[2], [9, 1, 4, 0, 3]])
@pytest.mark.parametrize("shape", [(12, 30), (30, 4)])
def test_what_is_fitted_after_a_change_of_labels_is_what_is_fitted_to_the_new_ones(shape, places):
    rng = np.random.default_rng(2)
    rows, checked = rng.normal(size=shape), rng.normal(size=(5, shape[1]))
    model = use._Surrogate.of(rows, np.arange(len(rows)), checked, 1.0)
    targets, change = rng.normal(size=(shape[0], 3)), rng.normal(size=(len(places), 3))
    later = targets.copy()
    later[places] += change
    changed = model.fitted(targets) + model.changed(np.array(places), change)
    assert changed == pytest.approx(model.fitted(later))


def test_slope_is_the_gradient_of_the_soft_accuracy():
    rng = np.random.default_rng(2)
    predictions, believed = rng.normal(size=(6, 3)), rng.dirichlet(np.ones(3), size=6)

    def value(point):
        share = np.exp(point / 0.7)
        return ((share / share.sum(axis=1, keepdims=True)) * believed).sum()

    step = 1e-6 * np.eye(18).reshape(18, 6, 3)
    numeric = [(value(predictions + move) - value(predictions - move)) / 2e-6 for move in step]
    assert use._slope(predictions, believed, 0.7).ravel() == pytest.approx(numeric, abs=1e-6)


@pytest.mark.parametrize("start", [None, 0.001, 1000.0])
@pytest.mark.parametrize("classes", [2, 7])
def test_the_calibrated_temperature_is_the_most_likely_one(classes, start):
    rng = np.random.default_rng(3)
    predictions = rng.normal(size=(2000, classes))
    predictions -= predictions.mean(axis=1, keepdims=True)
    share = np.exp(predictions / 0.4)
    believed = share / share.sum(axis=1, keepdims=True)
    assert use._calibrated(predictions, believed, start) == pytest.approx(0.4, rel=1e-3)


def test_predictions_that_are_always_right_or_always_wrong_have_a_temperature():
    predictions = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert 0.1 <= use._calibrated(predictions, np.eye(2), None) < 0.3
    assert use._calibrated(predictions, 1 - np.eye(2), None) == pytest.approx(10.0)
    assert use._calibrated(np.zeros((2, 2)), np.eye(2), None) > 0


def test_every_row_is_named_once_and_sure_rows_come_last():
    split = blobs(50, 0)
    wrong = np.zeros(50, dtype=bool)
    wrong[[3, 17, 31]] = True
    train = Split(split.features, np.where(wrong, 1 - split.labels, split.labels), split.ids)
    order, gain = order_by_use(train, None, certain(split.labels, None))
    assert sorted(order) == list(range(50))
    assert np.flatnonzero(gain).tolist() == [3, 17, 31]
    assert 0 < gain[order[0]] < 50
    assert set(order[:3]) == {3, 17, 31}


def test_the_fix_of_an_outlying_error_comes_before_that_of_one_the_learner_ignores():
    """Two wrong labels: one deep inside the other class, one whose features are the mean of all."""
    split = blobs(60, 0, gap=6.0)
    features = split.features.copy()
    features[0] = split.features.mean(axis=0)
    labels = split.labels.copy()
    deep = 1 + int(np.argmax(labels[1:] == 1))
    features[deep] = split.features[split.labels == 1].mean(axis=0) * 1.5
    labels[[0, deep]] = 1 - labels[[0, deep]]
    order, _ = order_by_use(Split(features, labels, split.ids), None, certain(split.labels, None))
    assert order[:2].tolist() == [deep, 0]


@pytest.mark.parametrize(("rows", "by_suspicion"), [(4, True), (60, False)])
def test_few_rows_per_class_are_ordered_by_suspicion_and_many_by_use(rows, by_suspicion):
    split = blobs(2 * rows, 0, gap=1.0)
    suspicion = np.random.default_rng(1).uniform(0.3, 0.9, 2 * rows)
    beliefs = np.eye(2)[split.labels] * (1 - suspicion)[:, None] + np.eye(2)[1 - split.labels] * suspicion[:, None]
    order, _ = order_by_use(split, None, Beliefs(beliefs, beliefs, np.empty((0, 2))))
    assert np.array_equal(order, np.argsort(-suspicion)) == by_suspicion


def test_the_order_uses_gold_correction_and_the_numbers_do_not():
    clean, trusted = blobs(200, 0, gap=1.0), blobs(100, 5, gap=1.0)
    train = Split(
        clean.features, plant_noise(clean.labels, 0.3, "one_directional", np.random.default_rng(0)), clean.ids
    )
    found = label_posterior(train, trusted)
    gold = for_order(found)
    assert gold.suspicion.sum() > found.suspicion.sum() + 3
    orders = [inspection_order(one, train, trusted).order for one in (found, gold)]
    assert np.array_equal(*orders)
    assert for_order(label_posterior(train)).basis.stack.noise == pytest.approx(
        label_posterior(train).basis.stack.noise
    )


def test_without_open_rows_the_order_is_by_suspicion():
    split = blobs(20, 0)
    beliefs = np.eye(2)[split.labels] * 0.999 + 0.0005
    beliefs[7, split.labels[7]] = 0.985
    beliefs[7, 1 - split.labels[7]] = 0.015
    order, _ = order_by_use(split, None, Beliefs(beliefs, beliefs, np.empty((0, 2))))
    assert order[0] == 7


@pytest.mark.filterwarnings("error")
def test_a_belief_above_certainty_by_a_rounding_error_is_certain():
    split = blobs(30, 0, classes=3)
    beliefs = np.eye(3)[split.labels] * (1 + 1e-15)
    beliefs[4] = np.roll(beliefs[4], 1)
    order, _ = order_by_use(split, None, Beliefs(beliefs, beliefs, np.empty((0, 3))))
    assert order[0] == 4


def test_many_float32_rows_keep_the_order(monkeypatch):
    split = blobs(80, 0, gap=3.0)
    rng = np.random.default_rng(0)
    labels = np.where(rng.random(80) < 0.3, 1 - split.labels, split.labels)
    exact, _ = order_by_use(Split(split.features, labels, split.ids), None, certain(split.labels, None))
    monkeypatch.setattr(use, "SINGLE_ROWS", 10)
    single, _ = order_by_use(
        Split(split.features.astype(np.float32), labels, split.ids), None, certain(split.labels, None)
    )
    errors = int((labels != split.labels).sum())
    assert set(exact[:errors]) == set(single[:errors])
