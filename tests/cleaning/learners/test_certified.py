"""Accuracies with three or more classes, which are proven, against optima that are computed independently.

`nox -s proofs` runs thousands of cases instead of the few hundred of the suite.
"""

import dataclasses
import os

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from cleaning import LabelPath, Split
from cleaning.errors import Unsuitable
from cleaning.learners.logistic import Learner
from cleaning.learners.logistic_path import certified
from cleaning.learners.logistic_path.axes import Axes, centred
from cleaning.learners.logistic_path.blocks import Blocks
from cleaning.learners.logistic_path.certificate import Certificate, point_at
from cleaning.learners.logistic_path.geometry import Columns, geometry_of
from cleaning.learners.logistic_path.leading import Leading, coupled
from cleaning.learners.logistic_path.newton import newton_step
from cleaning.learners.logistic_path.path import TIE
from cleaning.progress import silent
from tests.cleaning.learners.test_logistic_path import problem

pytestmark = pytest.mark.slow
CASES = int(os.environ.get("FIXFIRST_PROOFS", "40"))


def loss_and_slope(features, codes, weights, strength):
    """The penalised loss and its gradient, written independently of the solver."""
    margins = features @ weights[:-1] + weights[-1]
    loss = -np.sum(codes * log_softmax(margins, axis=1)) + np.sum(weights[:-1] ** 2) / (2 * strength)
    residual = softmax(margins, axis=1) - codes
    return loss, np.vstack([features.T @ residual + weights[:-1] / strength, residual.sum(axis=0)])


def tight(features, labels, classes, strength):
    """The optimum by Newton's method with the whole Hessian and halved steps, down to rounding."""
    wide, codes = np.hstack([features, np.ones((len(features), 1))]), np.eye(classes)[labels]
    weights = np.zeros((wide.shape[1], classes))
    penalty = np.append(np.full(features.shape[1], 1 / strength), 1e-10 * len(features))
    loss, slope = loss_and_slope(features, codes, weights, strength)
    for _ in range(200):
        chance = softmax(wide @ weights, axis=1)
        shares = (chance[:, :, None] * wide[:, None, :]).reshape(len(wide), -1)
        hessian = -shares.T @ shares
        for one in range(classes):
            own = slice(one * wide.shape[1], (one + 1) * wide.shape[1])
            hessian[own, own] += wide.T @ shares[:, own]
        hessian[np.diag_indices(len(hessian))] += np.tile(penalty, classes)
        step = np.linalg.solve(hessian, slope.T.ravel()).reshape(classes, -1).T
        length = 1.0
        while length > 1e-4:
            after = loss_and_slope(features, codes, weights - length * step, strength)
            if after[0] <= loss or np.abs(after[1]).max() < np.abs(slope).max():
                break
            length /= 2
        weights, (loss, slope) = weights - length * step, after
        step -= step.mean(axis=1, keepdims=True)  # what all classes share changes nothing and is mostly rounding
        if np.abs(step).max() <= 1e-12 * max(1.0, np.abs(weights).max()):
            break
    return weights - weights.mean(axis=1, keepdims=True)


def near_ties(rows, optimum, rng):
    """The rows, moved so that their two most probable classes are very nearly tied, but not quite; and a label each."""
    margins = rows @ optimum[:-1] + optimum[-1]
    second, first = np.argsort(margins, axis=1)[:, -2:].T
    place = np.arange(len(rows))
    between = (optimum[:-1, first] - optimum[:-1, second]).T
    wanted = rng.choice([-1, 1], len(rows)) * 10 ** rng.uniform(-4.5, -1, len(rows))
    gap = margins[place, first] - margins[place, second]
    moved = rows + ((wanted - gap) / np.maximum((between**2).sum(axis=1), 1e-9))[:, None] * between
    return moved, np.where(rng.random(len(rows)) < 0.5, first, second)


def predicted(features, weights):
    margins = features @ weights[:-1] + weights[-1]
    return (margins >= margins.max(axis=1, keepdims=True) - TIE).argmax(axis=1)


def undecided(features, weights):
    """Whether a row's two largest margins differ by about as much as counts as a tie."""
    margins = np.sort(features @ weights[:-1] + weights[-1], axis=1)
    return bool(np.any(np.abs(margins[:, -1] - margins[:, -2] - TIE) < TIE))


@settings(max_examples=CASES, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.sampled_from([(30, 3), (60, 6), (30, 20), (15, 20), (90, 4)]),
    classes=st.sampled_from([3, 3, 4, 6]),
    log_strength=st.floats(-4, 2),
    duplicates=st.sampled_from([0, 0, 8]),
    special=st.sampled_from(["", "", "", "lonely", "separable"]),
    at=st.sampled_from([0, 0.5, 1.0]),
    jump=st.sampled_from([1, 1, 3]),
    blocks=st.booleans(),
)
@example(
    seed=3, shape=(60, 6), classes=3, log_strength=2.0, duplicates=8, special="separable", at=0.5, jump=1, blocks=True
)
@example(
    seed=0, shape=(30, 3), classes=6, log_strength=1.5, duplicates=0, special="separable", at=0, jump=1, blocks=False
)
@example(
    seed=4, shape=(30, 20), classes=6, log_strength=1.0, duplicates=0, special="lonely", at=1.0, jump=3, blocks=True
)
@example(
    seed=16610, shape=(15, 20), classes=3, log_strength=-1.0, duplicates=0, special="lonely", at=0, jump=1, blocks=False
)
def test_a_proven_accuracy_is_that_of_the_optimum(
    seed, shape, classes, log_strength, duplicates, special, at, jump, blocks
):
    strength, rng = 10.0**log_strength, np.random.default_rng(seed)
    options = {special: True} if special else {}
    path = problem(seed, *shape, classes, changes=min(15, shape[0] // 3), duplicates=duplicates, **options)
    path = path.at(np.unique(np.append(np.arange(0, len(path), jump), len(path) - 1)))
    chosen = int(at * (len(path) - 1))
    present = np.unique(path.labels_at(chosen))
    if len(present) < 3:
        return
    optimum = tight(path.features, np.searchsorted(present, path.labels_at(chosen)), len(present), strength)
    rows = rng.permutation(path.features)[:15] + 0.1 * rng.normal(size=(min(15, shape[0]), shape[1]))
    rows, labels = near_ties(rows, optimum, rng)
    test = Split.from_arrays(rows, np.append(present[labels[:-1]], classes + 1))  # the last class is never seen
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certified, "coupled", lambda *_: blocks)
        found = Learner(strength, "none").accuracies(path, test, silent)
    for state in {chosen, len(path) // 2}:
        seen, best = present, optimum
        if state != chosen:
            seen = np.unique(path.labels_at(state))
            best = tight(path.features, np.searchsorted(seen, path.labels_at(state)), len(seen), strength)
        # with two classes, the optimum is that of a single output, which is penalised otherwise
        if len(seen) > 2 and not undecided(test.features, best):
            assert found[state] == np.mean(seen[predicted(test.features, best)] == test.labels)


@settings(max_examples=CASES, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.sampled_from([(30, 3), (60, 6), (20, 30), (200, 5)]),
    classes=st.sampled_from([3, 4, 7]),
    log_strength=st.floats(-4, 3),
    log_distance=st.floats(-6, 0),
    elsewhere=st.floats(0, 1),
)
def test_the_certificate_bounds_the_way_to_the_optimum(seed, shape, classes, log_strength, log_distance, elsewhere):
    strength, rng = 10.0**log_strength, np.random.default_rng(seed)
    path = problem(seed, *shape, classes, changes=5)
    labels = path.labels_at(5)
    geometry = geometry_of(path.features, strength, classes, unit=False)
    assert isinstance(geometry, Columns)
    features = geometry.part(slice(0, shape[0]))
    best = tight(features, labels, classes, strength)
    weights = best + 10**log_distance * rng.normal(size=best.shape) / np.sqrt(np.append((features**2).sum(axis=0), 1))[
        :, None
    ].clip(1e-3)
    other = weights + elsewhere * rng.normal(size=best.shape) / 10
    chance = softmax(features @ other[:-1] + other[-1], axis=1).astype(np.float32)
    test = rng.normal(size=(20, features.shape[1])) * features.std(axis=0)
    certificate = Certificate(geometry, chance, path.rows[:2], test)
    pull = np.vstack([features, np.ones((1, features.shape[1]))])[:-1].T @ np.eye(classes)[labels]
    pull = np.vstack([pull, np.bincount(labels, minlength=classes)])
    point = point_at(geometry, weights[:, :, None], pull[:, :, None])
    _, slope = loss_and_slope(features, np.eye(classes)[labels], weights, strength)
    np.testing.assert_allclose(point.gradient[:, :, 0], slope, atol=1e-9 * np.abs(pull).max() + 1e-9)
    bound = certificate.reach * certificate.distance(certificate.slope(point))
    error = (test @ (weights - best)[:-1]) + (weights - best)[-1]
    assert np.all(error.max(axis=1) - error.min(axis=1) <= bound + 1e-9)


def test_newtons_step_solves_the_whole_system():
    path = problem(1, 200, 20, 4, changes=2)
    geometry = geometry_of(path.features, 1.0, 4, unit=False)
    axes = Axes(geometry)
    chance = softmax(np.random.default_rng(0).normal(size=(200, 4)), axis=1)
    metric = Leading(axes, chance.astype(np.float32))
    wide = axes.matrix.astype(np.float64)
    coupling = np.einsum("nk,kl->nkl", chance, np.eye(4)) - chance[:, :, None] * chance[:, None, :]
    hessian = np.einsum("ni,nkl,nj->ikjl", wide, coupling, wide)
    for output in range(4):
        hessian[np.arange(20), output, np.arange(20), output] += 1.0
    expected = np.random.default_rng(1).normal(size=(21, 4))
    expected -= expected.mean(axis=1, keepdims=True)
    gradient = np.einsum("ikjl,jl->ik", hessian, expected)
    own = np.stack([np.full_like(chance.T, 0.25), chance.T], axis=1).astype(np.float32)
    step = newton_step(axes, metric, own, np.array([1]), gradient[:, :, None], np.array([1e-5]))
    step -= step.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(step[:, :, 0], expected, atol=1e-3)


def test_margins_and_gradients_come_from_all_outputs_but_the_last():
    features = np.random.default_rng(0).normal(size=(50, 5))
    axes = Axes(Columns(features, features, 1.0))
    coefficients = np.random.default_rng(1).normal(size=(6, 3, 2)).astype(np.float32)
    coefficients -= coefficients.mean(axis=1, keepdims=True)
    rows = slice(10, 40)
    margins = axes.margins(rows, coefficients, out=np.empty((3, 2, 30), np.float32))
    np.testing.assert_allclose(margins, np.einsum("nd,dks->ksn", axes.matrix[rows], coefficients), atol=1e-5)
    gradient = np.zeros((6, 3, 2))
    axes.add_residual(gradient, rows, margins)
    np.testing.assert_allclose(
        centred(gradient), np.einsum("nd,ksn->dks", axes.matrix[rows], margins), rtol=1e-4, atol=1e-4
    )


def blocks_and_gradient():
    """A metric of 200 rows of 12 columns and three classes, the rows and probabilities, and a gradient."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 12)) * np.linspace(9, 0.1, 12)
    axes = Axes(Columns(features, features, 0.5))
    chance = softmax(rng.normal(size=(200, 3)), axis=1).astype(np.float32)
    gradient = rng.normal(size=(13, 3, 1)).astype(np.float32)
    return axes, chance, gradient - gradient.mean(axis=1, keepdims=True)


def test_a_row_that_moved_counts_in_the_metric_with_its_weight_in_the_state():
    axes, chance, gradient = blocks_and_gradient()
    metric, after = Blocks(axes, chance, np.array([7, 3, 7])), chance.copy()
    assert metric.moving.tolist() == [3, 7]
    after[3] = [0.98, 0.01, 0.01]
    for now in (chance, after):
        expected = np.empty((13, 3))
        for output in range(3):
            weighted = axes.matrix * (now[:, output] * (1 - now[:, output]))[:, None]
            hessian = weighted.T.astype(np.float64) @ axes.matrix + np.diag([0.5] * 12 + [0.0])
            expected[:, output] = np.linalg.solve(hessian, gradient[:, output, 0])
        expected -= expected.mean(axis=1, keepdims=True)
        found = metric.solve(gradient, now[metric.moving].T[:, :, None])
        np.testing.assert_allclose(found[:, :, 0], expected, rtol=1e-3, atol=1e-5)


def test_copies_of_a_row_that_move_leave_the_metric_positive_definite():
    axes, chance, _ = blocks_and_gradient()
    axes.matrix[:20] = 30 * axes.matrix[0]
    chance[:20] = [1e-6, 1e-6, 1 - 2e-6]
    metric = Blocks(axes, chance, np.arange(20))
    gradient = np.zeros((13, 3, 2), np.float32)
    gradient[:, 0] = axes.matrix[[0, 50]].T
    gradient[:, 1] = -gradient[:, 0]
    for share in (0.5, 0.0):
        step = metric.solve(gradient, np.full((3, 20, 2), share, np.float32))
        assert np.all(np.einsum("dks,dks->s", gradient, step) > 0)


def test_weak_penalties_take_the_metric_of_all_axes():
    features = np.random.default_rng(0).normal(size=(600, 40))
    assert coupled(Axes(Columns(features, features, 0.1)), 50)
    assert not coupled(Axes(Columns(features, features, 10.0)), 50)
    assert not coupled(Axes(Columns(features, features, 0.1)), 3)  # all axes are leading
    assert not coupled(Axes(Columns(features, features, 0.1)), 100)  # the metric would be larger than the features


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_features_give_the_same_accuracies(monkeypatch, dtype):
    path = problem(5, 500, 20, 4, changes=60, dtype=dtype)
    test = Split.from_arrays(problem(6, 300, 20, 4, changes=0).features.astype(dtype), np.arange(300) % 4)
    expected = Learner().accuracies(path, test, silent)
    monkeypatch.setattr("cleaning.learners.logistic_path.geometry._LARGE", 1)
    found = Learner().accuracies(path, test, silent)
    # unit rows are rounded to float32 only if they are small
    assert np.abs(found - expected).max() <= (1 / 300 if dtype == np.float32 else 0)


def test_states_that_cannot_be_proven_are_solved(monkeypatch):
    path = problem(8, 80, 10, 3, changes=30)
    test = Split.from_arrays(problem(9, 100, 10, 3, changes=0).features, np.arange(100) % 3)
    expected = Learner(1.0, "none").accuracies(path, test, silent)
    monkeypatch.setattr(certified, "_MOST_ITERATIONS", 1)
    monkeypatch.setattr("cleaning.learners.logistic_path.settling._MOST_STEPS", 1)
    seen = []
    found = Learner(1.0, "none").accuracies(path, test, lambda done, total: seen.append((done, total)))
    assert np.array_equal(found, expected)
    assert seen[-1] == (31, 31)


def test_states_far_from_their_optimum_are_proven_after_newton_steps(monkeypatch):
    path = problem(8, 80, 10, 3, changes=30)
    test = Split.from_arrays(problem(9, 100, 10, 3, changes=0).features, np.arange(100) % 3)
    expected = Learner(1.0, "none").accuracies(path, test, silent)
    monkeypatch.setattr(certified, "_MOST_ITERATIONS", 12)
    monkeypatch.setattr(certified, "_MOST_FROM_AFAR", 12)
    slopes = []

    class Watched(Certificate):
        def distance(self, slope):
            slopes.append(np.asarray(slope) / self.valid_below)
            return super().distance(slope)

    monkeypatch.setattr(certified, "Certificate", Watched)
    monkeypatch.setattr("cleaning.learners.logistic.optima", None)
    assert np.array_equal(Learner(1.0, "none").accuracies(path, test, silent), expected)
    assert np.concatenate(slopes).max() > 1


def far_out(scale):
    path = problem(2, 60, 4, 3, changes=3, separable=True)
    return dataclasses.replace(path, features=scale * path.features)


def test_margins_beyond_the_range_of_exp_in_float32():
    path = far_out(30.0)
    test = Split.from_arrays(path.features, path.labels)
    found = Learner(1.0, "none").accuracies(path, test, silent)
    best = tight(path.features, path.labels_at(3), 3, 1.0)
    assert found[3] == np.mean(predicted(path.features, best) == test.labels)


def test_data_without_an_optimum_within_reach_are_a_clear_error():
    path = far_out(1e4)
    with pytest.raises(Unsuitable, match="lower C"):
        Learner(1e3, "none").accuracies(path, Split.from_arrays(path.features, path.labels), silent)


def test_test_rows_of_unknown_classes_are_always_wrong():
    path = problem(1, 40, 3, 3, changes=4)
    test = Split.from_arrays(path.features, np.full(40, 3))
    assert Learner().accuracies(path, test, silent).tolist() == [0.0] * 5


def test_single_class_stretches_between_many_classes():
    features = np.random.default_rng(0).normal(size=(4, 3))
    rows, values = np.array([0, 1, 2, 3]), np.array([1, 2, 0, 2])
    path = LabelPath(features, np.zeros(4, dtype=np.int64), rows, values)
    test = Split.from_arrays(features, np.array([1, 2, 0, 2]))
    found = Learner(1.0, "none").accuracies(path, test, silent)
    assert found[0] == 0.25
    for state in (2, 3, 4):
        best = tight(features, path.labels_at(state), 3, 1.0)
        assert found[state] == np.mean(predicted(features, best) == test.labels)
