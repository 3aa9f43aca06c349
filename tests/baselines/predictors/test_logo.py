import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import fbeta_score

from baselines.predictors._linear import Scale, fit_discriminant, fit_linear, softmax
from baselines.predictors.logo import logistic_discriminant, logistic_head
from cleaning import InvalidInput, Split
from cleaning.problems import LogoProblem

METHODS = (logistic_head, logistic_discriminant)


def rare_digits(seed):
    features, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    order, classes = rng.permutation(len(labels)), rng.permutation(10)
    sizes = np.geomspace(100, 3, 10).round().astype(int)
    train = np.concatenate([order[labels[order] == label][:size] for label, size in zip(classes, sizes, strict=True)])
    test = np.setdiff1d(order, train)[:600]
    return LogoProblem(Split.from_arrays(features[train], labels[train]), 10, features[test]), labels[test]


def test_the_mean_of_two_models_with_a_tuned_shift_beats_the_head_where_classes_are_rare():
    gains = []
    for seed in range(3):
        problem, truth = rare_digits(seed)
        scores = [
            logistic_discriminant.macro_f2(m.predict(problem, rng=np.random.default_rng(0)).argmax(axis=1), truth, 10)
            for m in METHODS
        ]
        gains.append(scores[1] - scores[0])
    assert min(gains) > 0


@pytest.mark.parametrize("method", METHODS)
def test_rows_are_probabilities_whatever_classes_are_missing_or_single(method):
    rng = np.random.default_rng(0)
    labels = np.array([0] * 20 + [2] * 15 + [4] + [5] * 2)
    features = rng.normal(size=(38, 6)) + labels[:, None]
    problem = LogoProblem(Split.from_arrays(features, labels), 7, rng.normal(size=(9, 6)))
    reports = []
    probabilities = method.predict(problem, rng=np.random.default_rng(0), progress=lambda *at: reports.append(at[:2]))
    assert probabilities.shape == (9, 7)
    assert np.allclose(probabilities.sum(axis=1), 1)
    assert (probabilities >= 0).all()
    assert (probabilities[:, [1, 3, 6]] < 1e-3).all()
    assert np.array_equal(probabilities, method.predict(problem, rng=np.random.default_rng(0)))
    assert all(0 <= done <= total for done, total in reports)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("count", [1, 2])
def test_one_class_is_predicted_for_everything(method, count):
    problem = LogoProblem(Split.from_arrays(np.eye(3)[:count], [1] * count), 3, np.ones((2, 3)))
    assert method.predict(problem, rng=np.random.default_rng(0)).argmax(axis=1).tolist() == [1, 1]


def test_constant_columns_do_no_harm():
    rng = np.random.default_rng(0)
    features = np.hstack([rng.normal(size=(30, 2)), np.full((30, 2), 7.0)])
    labels = (features[:, 0] > 0).astype(int)
    problem = LogoProblem(Split.from_arrays(features, labels), 2, features)
    for method in METHODS:
        assert np.mean(method.predict(problem, rng=rng).argmax(axis=1) == labels) > 0.9


def test_the_softmax_fit_equals_scikit_learns():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 4, 200)
    features = Scale.of(rows := rng.normal(size=(200, 5)) + labels[:, None]).apply(rows)
    ours = softmax(fit_linear(features, np.eye(4, dtype=np.float32)[labels], "softmax", strength=0.5).scores(features))
    theirs = LogisticRegression(C=0.5, tol=1e-8, max_iter=1000).fit(features, labels).predict_proba(features)
    assert np.abs(ours - theirs).max() < 2e-3


def test_the_sigmoid_fit_equals_scikit_learns_column_by_column(monkeypatch):
    rng = np.random.default_rng(2)
    features = rng.normal(size=(150, 4)).astype(np.float32)
    targets = (features[:, :2] + rng.normal(size=(150, 2)) > 0.5).astype(np.float32)
    model = fit_linear(features, targets, "sigmoid", strength=2.0)
    monkeypatch.setattr("baselines.predictors._linear._BLOCK", 40)
    assert np.allclose(fit_linear(features, targets, "sigmoid", strength=2.0).weights, model.weights, atol=1e-2)
    for column in range(2):
        theirs = LogisticRegression(C=2.0, tol=1e-8).fit(features, targets[:, column])
        assert np.abs(model.scores(features)[:, column] - theirs.decision_function(features)).max() < 1e-2


def test_the_discriminant_equals_scikit_learns_without_shrinkage():
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1, 3], 2000)
    features = (rng.normal(size=(6000, 3)) @ rng.normal(size=(3, 3)) + labels[:, None]).astype(np.float32)
    ours = softmax(fit_discriminant(features, labels, 4).scores(features))
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(features, labels).predict_proba(features)
    assert (ours[:, 2] == 0).all()
    assert np.abs(ours[:, [0, 1, 3]] - theirs).max() < 0.02


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40))
def test_macro_f2_equals_scikit_learns_over_the_fixed_labels(pairs):
    predicted, truth = (np.array(side) for side in zip(*pairs, strict=True))
    expected = fbeta_score(truth, predicted, beta=2, labels=range(5), average="macro", zero_division=0)
    assert logistic_discriminant.macro_f2(predicted, truth, 5) == pytest.approx(expected)


def test_a_shift_raises_rare_classes_and_zero_changes_nothing():
    probabilities, prior = np.array([[0.6, 0.4, 0.0]]), np.array([0.9, 0.1, 0.0])
    assert np.allclose(logistic_discriminant.shifted(probabilities, prior, 0.0), probabilities)
    assert logistic_discriminant.shifted(probabilities, prior, 1.0).argmax() == 1
    truth = np.array([0] * 9 + [1])
    held_out = np.array([[0.9, 0.1, 0.0]] * 9 + [[0.7, 0.3, 0.0]])
    assert logistic_discriminant.best_shift(held_out, truth, prior) > 0
    chosen = logistic_discriminant.best_shift(np.eye(3)[truth], truth, prior)
    assert 0 < chosen < 1.5


@pytest.mark.parametrize(("labels", "classes", "width"), [([0, 3], 3, 2), ([0, 1], 2, 3), ([], 2, 2)])
def test_an_inconsistent_problem_is_refused(labels, classes, width):
    train = Split(np.ones((len(labels), 2)), np.array(labels, dtype=int), tuple(map(str, labels)))
    with pytest.raises(InvalidInput):
        LogoProblem(train, classes, np.ones((1, width)))
