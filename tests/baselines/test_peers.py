"""Each baseline from the literature, compared with its library or its definition."""

from itertools import permutations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from baselines.rankers import (
    area_under_margin,
    confident_learning,
    datalab_knn,
    influence,
    knn_shapley_euclidean,
    label_spreading,
    truncated_mc_shapley,
)
from cleaning import GroundTruth, Split, plant_noise
from cleaning.vectors.folds import out_of_fold_probabilities
from cleaning.vectors.neighbours import knn_shapley
from tests.support import blobs, noisy_blobs


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize("classes", [2, 3])
def test_influence_is_the_effect_of_a_row_on_the_validation_loss_of_a_refit(classes):
    dataset, _ = noisy_blobs(n=40, classes=classes, width=3, gap=2.0)
    train, validation = dataset.train, dataset.validation

    def loss(weights: np.ndarray) -> float:
        model = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000)
        model.fit(train.features, train.labels, sample_weight=weights)
        log = model.predict_log_proba(validation.features)
        return -float(log[np.arange(len(validation)), validation.labels].sum())

    step, expected = 1e-3, []
    for row in range(12):
        heavy, light = np.ones(len(train)), np.ones(len(train))
        heavy[row] += step
        light[row] -= step
        expected.append(-(loss(heavy) - loss(light)) / (2 * step))
    assert influence.rank(train, validation, rng=rng())[:12] == pytest.approx(expected, rel=2e-3, abs=1e-5)


def test_confident_learning_puts_flagged_labels_first_in_cleanlabs_order():
    from cleanlab.filter import find_label_issues

    dataset, _ = noisy_blobs(n=90, gap=3.0)
    probabilities = out_of_fold_probabilities(dataset.train, 2, rng())
    issues = find_label_issues(
        dataset.train.labels.copy(), probabilities, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    scores = confident_learning.rank(dataset.train, dataset.validation, rng=rng())
    assert 0 < len(issues) < len(scores)
    assert np.argsort(scores, kind="stable")[: len(issues)].tolist() == issues.tolist()


def test_datalab_knn_equals_what_datalab_computes():
    """The two steps of cleanlab.datalab's LabelIssueManager, written with scikit-learn as in the original."""
    from cleanlab.classification import CleanLearning

    dataset, _ = noisy_blobs(n=80, classes=3, gap=3.0)
    features, labels = dataset.train.features, dataset.train.labels.copy()
    vote = KNeighborsClassifier(n_neighbors=11).fit(features, labels).predict_proba(features)
    without_own = (vote - np.eye(3)[labels] / 11) * 11 / 10
    quality = CleanLearning().find_label_issues(labels=labels, pred_probs=without_own)["label_quality"].to_numpy()
    assert datalab_knn.rank(dataset.train, None, rng=rng()) == pytest.approx(quality, abs=1e-12)


def test_label_spreading_equals_the_iteration_of_its_paper():
    from sklearn.neighbors import kneighbors_graph

    dataset, _ = noisy_blobs(n=60, gap=3.0)
    rows = np.vstack([dataset.train.features, dataset.validation.features])
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    labels = np.concatenate([dataset.train.labels, dataset.validation.labels])
    graph = kneighbors_graph(rows, 10, include_self=True).toarray()
    np.fill_diagonal(graph, 0)
    degree = np.maximum(graph.sum(axis=0), 1)
    spread = graph / np.sqrt(degree)[:, None] / np.sqrt(degree)[None]
    seeds = np.eye(2)[labels]
    flow = np.linalg.solve(np.eye(len(rows)) - 0.9 * spread, 0.1 * seeds)
    shares = (flow / flow.sum(axis=1, keepdims=True))[: len(dataset.train)]
    scores = label_spreading.rank(dataset.train, dataset.validation, rng=rng())
    assert scores == pytest.approx(shares[np.arange(60), dataset.train.labels], abs=5e-3)


def test_euclidean_shapley_is_the_one_neighbour_value_on_unscaled_features():
    dataset, _ = noisy_blobs(n=30)
    train, validation = dataset.train, dataset.validation
    expected = knn_shapley(train.features, train.labels, validation.features, validation.labels, 1)
    assert np.array_equal(knn_shapley_euclidean.rank(train, validation, rng=rng()), expected)


def test_monte_carlo_shapley_approaches_the_definition(monkeypatch):
    """All orders of five rows, a closed-form ridge refitted from scratch for every coalition."""
    split, validation = blobs(5, 1, width=2), blobs(20, 2, width=2)
    train = Split(split.features, plant_noise(split.labels, 0.2, "symmetric", rng()), split.ids)
    monkeypatch.setattr(truncated_mc_shapley, "_TOLERANCE", -1.0)

    def lift(rows: np.ndarray) -> np.ndarray:
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.hstack([rows / length, np.ones((len(rows), 1))])

    features, checked = lift(train.features), lift(validation.features)

    def accuracy(rows: list[int]) -> float:
        if not rows:
            return float(np.bincount(validation.labels).max() / len(validation))
        gram = features[rows].T @ features[rows] + 0.1 * np.eye(3)
        weights = np.linalg.solve(gram, features[rows].T @ (np.eye(2)[train.labels[rows]] - 0.5))
        return float(np.mean((checked @ weights).argmax(axis=1) == validation.labels))

    expected = np.zeros(5)
    orders = list(permutations(range(5)))
    for order in orders:
        for place, row in enumerate(order):
            expected[row] += accuracy(list(order[: place + 1])) - accuracy(list(order[:place]))
    reports = []
    found = truncated_mc_shapley.rank(
        train, validation, rng=rng(), iterations=4000, progress=lambda done, total: reports.append((done, total))
    )
    assert found == pytest.approx(expected / len(orders), abs=0.02)
    assert reports[0] == (1, 4000)
    assert reports[-1] == (4000, 4000)


def test_monte_carlo_shapley_stays_within_its_budget(monkeypatch):
    dataset, _ = noisy_blobs(n=30)
    monkeypatch.setattr(truncated_mc_shapley, "_BUDGET", 1.0)
    reports = []
    truncated_mc_shapley.rank(
        dataset.train, dataset.validation, rng=rng(), progress=lambda done, total: reports.append((done, total))
    )
    assert reports == [(1, 1)]


def test_area_under_margin_is_the_mean_margin_over_the_epochs(monkeypatch):
    """One epoch of one batch is one gradient step from zero weights: the margin has a closed form."""
    dataset, _ = noisy_blobs(n=40)
    monkeypatch.setattr(area_under_margin, "_EPOCHS", 1)
    train = dataset.train
    rows = train.features - train.features.mean(axis=0)
    rows = np.hstack([rows / np.sqrt((rows**2).sum(axis=1).mean()), np.ones((40, 1))])
    scores = rows @ (0.1 * rows.T @ (np.eye(2)[train.labels] - 0.5) / 40)
    sign = np.where(train.labels == 1, 1, -1)
    expected = sign * (scores[:, 1] - scores[:, 0])
    assert area_under_margin.rank(train, None, rng=rng()) == pytest.approx(expected, abs=1e-12)


def test_the_bounds_put_errors_first():
    from baselines.bounds import oracle_errors_first, oracle_influence

    dataset, truth = noisy_blobs(n=60)
    wrong = dataset.train.labels != truth.labels
    scores = oracle_errors_first.rank_with_truth(dataset.train, dataset.validation, truth, rng=rng())
    assert wrong[np.argsort(scores)[: wrong.sum()]].all()
    for validation in (dataset.validation, None):
        ranking = oracle_influence.rank_with_truth(dataset.train, validation, truth, rng=rng())
        assert wrong[ranking.order[: wrong.sum()]].all()


def test_the_influence_bound_knows_classes_that_no_noisy_label_has():
    from baselines.bounds import oracle_influence

    split = blobs(30, 0, classes=3)
    train = Split(split.features, np.minimum(split.labels, 1), split.ids)
    ranking = oracle_influence.rank_with_truth(train, None, GroundTruth(split.labels), rng=rng())
    assert (split.labels[ranking.order[:10]] == 2).all()
