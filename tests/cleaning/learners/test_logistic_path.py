"""Every solution of a path, compared with an independent optimum by scikit-learn, converged as far as possible."""

import dataclasses
import os
import warnings

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from cleaning import LabelPath
from cleaning.errors import Unsuitable
from cleaning.learners.logistic_path.descent import GRADIENT_TOLERANCE
from cleaning.learners.logistic_path.factor import Factor
from cleaning.learners.logistic_path.path import MARGIN_TOLERANCE, Changes, optima
from cleaning.vectors.neighbours import unit_rows

pytestmark = pytest.mark.slow


def problem(seed, n, d, classes, *, changes, gap=2.0, duplicates=0, lonely=False, separable=False, dtype=np.float64):
    """Features, labels, and a path of random label changes that never repeats a row."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    if lonely:
        labels[labels == classes - 1] = 0
        labels[rng.integers(n)] = classes - 1
    features = rng.normal(size=(n, d)) * rng.uniform(0.2, 3, size=d) + rng.normal(size=d)
    features += gap * rng.normal(size=(classes, d))[labels]
    if separable:
        features[:, 0] = 100.0 * labels
    for row in range(duplicates):
        features[row] = features[n - 1 - row]
    rows = rng.permutation(n)[:changes]
    values = (labels[rows] + rng.integers(1, classes, size=len(rows))) % classes
    return LabelPath(features.astype(dtype), labels, rows, values)


def changes_of(path, classes):
    codes = np.eye(classes) if classes > 2 else np.arange(2.0)[:, None]
    return Changes(
        codes[path.labels], path.rows, codes[path.values] - codes[path.labels[path.rows]], np.arange(len(path))
    )


def solutions(path, classes, strength, *, unit=False):
    return np.concatenate(list(optima(path.features, changes_of(path, classes), strength, unit=unit)), axis=2)


def gradient(features, targets, solution, strength):
    """The gradient of the sum of log-losses and penalty, in float64, written independently of the solver."""
    margins = features @ solution[:-1] + solution[-1]
    if margins.shape[1] == 1:
        chance = 1 / (1 + np.exp(-np.clip(margins, -700, 700)))
    else:
        chance = np.exp(margins - margins.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
    residual = chance - targets
    return np.vstack([features.T @ residual + solution[:-1] / strength, residual.sum(axis=0, keepdims=True)])


def tight(features, labels, strength):
    """The solution by scikit-learn, with Newton steps until it makes no more progress."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = LogisticRegression(C=strength, tol=1e-14, max_iter=2000, solver="newton-cholesky").fit(features, labels)
    return np.vstack([model.coef_.T, model.intercept_])


@settings(max_examples=int(os.environ.get("FIXFIRST_PROOFS", "25")))
@given(
    seed=st.integers(0, 10**6),
    shape=st.sampled_from([(12, 3), (40, 6), (40, 39), (25, 25), (20, 60), (60, 10), (90, 4)]),
    classes=st.sampled_from([2, 2, 3, 5]),
    log_strength=st.floats(-5, 3),
    duplicates=st.sampled_from([0, 0, 5]),
    special=st.sampled_from(["", "", "lonely", "separable"]),
)
@example(seed=10449, shape=(12, 3), classes=2, log_strength=0.0, duplicates=5, special="separable")
@example(seed=0, shape=(40, 6), classes=2, log_strength=3.0, duplicates=5, special="separable")
@example(seed=1, shape=(20, 60), classes=3, log_strength=3.0, duplicates=0, special="lonely")
@example(seed=2, shape=(20, 60), classes=2, log_strength=-5.0, duplicates=5, special="")
@example(seed=133, shape=(20, 60), classes=3, log_strength=3.0, duplicates=0, special="")
@example(seed=120674, shape=(20, 60), classes=3, log_strength=2.478, duplicates=0, special="lonely")
def test_every_state_is_the_optimum(seed, shape, classes, log_strength, duplicates, special):
    strength = 10.0**log_strength
    options = {special: True} if special else {}
    path = problem(seed, *shape, classes, changes=shape[0] // 2, duplicates=duplicates, **options)
    states = [path.labels_at(state) for state in range(len(path))]
    assume(all(len(np.unique(labels)) == classes for labels in states))
    found = solutions(path, classes, strength)
    assert found.shape[2] == len(path)
    scale = np.sqrt(np.mean(np.sum(path.features**2, axis=1)) + 1)
    codes = np.eye(classes) if classes > 2 else np.arange(2.0)[:, None]
    for state, labels in enumerate(states):
        left = gradient(path.features, codes[labels], found[:, :, state], strength)
        assert np.linalg.norm(left) <= 1.01 * GRADIENT_TOLERANCE * len(labels) * scale
    for state in (0, len(path) // 2, len(path) - 1):
        expected = tight(path.features, states[state], strength)
        left = np.linalg.norm(gradient(path.features, codes[states[state]], expected, strength))
        margins, optimal = (path.features @ part[:-1] + part[-1] for part in (found[:, :, state], expected))
        if classes > 2:  # all intercepts may move together
            margins, optimal = (part - part.mean(axis=1, keepdims=True) for part in (margins, optimal))
        # scikit-learn's own distance from the optimum: H is at least 1 / C
        slack = left * strength * scale * np.sqrt(len(labels))
        assert np.abs(margins - optimal).max() <= 2 * MARGIN_TOLERANCE + slack


def large(monkeypatch):
    monkeypatch.setattr("cleaning.learners.logistic_path.geometry._LARGE", 1)


def large_with_blocks_for_a_metric(monkeypatch):
    large(monkeypatch)
    monkeypatch.setattr("cleaning.learners.logistic_path.preconditioner._LARGEST_HESSIAN", 1)
    monkeypatch.setattr("cleaning.learners.logistic_path.preconditioner._MOST_ROWS", 1)


def large_with_a_metric_in_float32(monkeypatch):
    large_with_blocks_for_a_metric(monkeypatch)
    monkeypatch.setattr("cleaning.learners.logistic_path.preconditioner._HESSIAN_TO_FEATURES", 1e9)


def large_with_few_rows(monkeypatch):
    large(monkeypatch)
    monkeypatch.setattr("cleaning.learners.logistic_path.preconditioner._LARGEST_HESSIAN", 1)


def small_with_few_rows(monkeypatch):
    monkeypatch.setattr("cleaning.learners.logistic_path.preconditioner._LARGEST_HESSIAN", 1)


@pytest.mark.parametrize(
    ("shape", "classes", "size"),
    [
        ((600, 30), 2, large),
        ((500, 20), 3, large),
        ((500, 20), 3, large_with_blocks_for_a_metric),
        ((500, 20), 3, large_with_a_metric_in_float32),
        ((500, 20), 3, large_with_few_rows),
        ((75, 55), 6, small_with_few_rows),  # by the Woodbury identity, like the one before
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("strength", "unit"), [(0.01, False), (1.0, False), (10.0, True)])
def test_every_code_path_finds_the_same_optimum(monkeypatch, shape, classes, size, dtype, strength, unit):
    size(monkeypatch)
    path = problem(5, *shape, classes, changes=20, dtype=dtype)
    wide = path.features.astype(np.float64)
    if unit and size is not small_with_few_rows:  # which rounds unit rows to the dtype of the features
        wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    elif unit:
        wide = unit_rows(path.features).astype(np.float64)
    found = solutions(path, classes, strength, unit=unit)
    for state in (0, 10, 20):
        expected = tight(wide, path.labels_at(state), strength)
        margins, optimal = (wide @ part[:-1] + part[-1] for part in (found[:, :, state], expected))
        if classes > 2:
            margins, optimal = (part - part.mean(axis=1, keepdims=True) for part in (margins, optimal))
        assert np.abs(margins - optimal).max() <= 2 * MARGIN_TOLERANCE


def test_rows_of_zeros_are_not_scaled(monkeypatch):
    large(monkeypatch)
    path = problem(7, 200, 5, 2, changes=10, dtype=np.float32)
    path.features[[3, 50]] = 0
    wide = unit_rows(path.features.astype(np.float64))
    found = solutions(path, 2, 1.0, unit=True)
    expected = tight(wide, path.labels_at(10), 1.0)
    assert np.abs(wide @ (found[:-1, :, 10] - expected[:-1])).max() <= 2 * MARGIN_TOLERANCE


def test_a_penalty_too_weak_for_a_float32_metric_gets_another_metric(monkeypatch):
    large_with_a_metric_in_float32(monkeypatch)
    path = problem(0, 600, 30, 5, changes=4)
    thin = np.random.default_rng(0).normal(size=(4, 30))
    features = path.features @ thin.T @ thin
    found = solutions(dataclasses.replace(path, features=features), 5, 1e8)
    left = gradient(features, np.eye(5)[path.labels_at(4)], found[:, :, 4], 1e8)
    assert np.linalg.norm(left) <= GRADIENT_TOLERANCE * 600 * np.sqrt(np.mean(np.sum(features**2, axis=1)) + 1)


def test_an_indefinite_metric_is_a_clear_error():
    with pytest.raises(Unsuitable, match=r"no unique optimum.*lower C"):
        Factor(np.diag([1.0, -1.0]))
