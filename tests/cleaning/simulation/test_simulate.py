from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from cleaning import GroundTruth, InvalidInput, NoisyDataset, Ranking, Split, simulate
from cleaning.learners.logistic import Learner
from tests.support import noisy_blobs


@dataclass(frozen=True)
class Memory:
    """A learner that records every label vector and scores its agreement with the test labels."""

    seen: list = field(default_factory=list)

    def describe(self):
        return {}

    def accuracies(self, path, test, step):
        for state in range(len(path)):
            self.seen.append(path.labels_at(state).tolist())
            step(state + 1, len(path))
        return np.array([np.mean(labels == test.labels) for labels in self.seen])


@given(st.data())
def test_every_point_is_the_state_after_that_many_fixes(data):
    n = data.draw(st.integers(1, 12))
    labels = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    truth = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)))
    order = np.array(data.draw(st.permutations(range(n))))
    rows = np.eye(n)
    dataset = NoisyDataset("x", Split.from_arrays(rows, labels), None, Split.from_arrays(rows, truth))
    learner = Memory()
    curve = simulate(dataset, GroundTruth(truth), Ranking(order), learner)
    for k in range(n + 1):
        fixed = labels.copy()
        fixed[order[:k]] = truth[order[:k]]
        assert curve.accuracy[k] == np.mean(fixed == truth)
    assert len(learner.seen) == np.sum(labels != truth) + 1
    assert curve.dirty == curve.accuracy[0]
    assert curve.clean == curve.accuracy[-1] == 1.0


def test_a_ranking_of_other_rows_is_refused():
    dataset, truth = noisy_blobs()
    with pytest.raises(InvalidInput, match="60 training rows, 60 true labels and 5 ranked rows"):
        simulate(dataset, truth, Ranking(np.arange(5)), Learner())


@settings(max_examples=8)
@given(st.integers(0, 1000), st.sampled_from([2, 3]), st.sampled_from([3, 40]), st.sampled_from([1e-3, 1.0]))
def test_logistic_curves_equal_tightly_converged_refits(seed, classes, width, strength):
    dataset, truth = noisy_blobs(n=30, seed=seed, classes=classes, width=width)
    order = np.random.default_rng(seed).permutation(30)
    curve = simulate(dataset, truth, Ranking(order), Learner(C=strength, scaling="none"))
    model = LogisticRegression(C=strength, tol=1e-10, max_iter=100_000, solver="newton-cholesky")
    for k in (0, 7, 15, 30):
        labels = dataset.train.labels.copy()
        labels[order[:k]] = truth.labels[order[:k]]
        model.fit(dataset.train.features, labels)
        margin = np.sort(model.predict_proba(dataset.test.features), axis=1)
        unsure = np.sum(margin[:, -1] - margin[:, -2] < 1e-5)
        expected = model.score(dataset.test.features, dataset.test.labels)
        assert abs(curve.accuracy[k] - expected) <= (unsure + 1e-9) / len(dataset.test)


def test_the_simulation_reports_its_steps_and_learns_from_one_class():
    split = Split.from_arrays(np.eye(4), [1, 1, 1, 1])
    dataset = NoisyDataset("x", split, None, Split.from_arrays(np.eye(4), [1, 0, 1, 1]))
    steps = []
    truth = GroundTruth(np.array([1, 0, 1, 1]))
    curve = simulate(dataset, truth, Ranking(np.arange(4)), Learner(), lambda done, total: steps.append((done, total)))
    assert curve.dirty == 0.75
    assert steps[-1] == (2, 2)


@pytest.mark.parametrize("scaling", ["none", "standard", "unit"])
def test_scaling_leaves_a_constant_column_alone(scaling):
    dataset, truth = noisy_blobs(n=30)
    padded = [
        Split.from_arrays(np.c_[np.zeros(len(s)), s.features], s.labels, s.ids) for s in (dataset.train, dataset.test)
    ]
    with_zeros = simulate(
        NoisyDataset("x", padded[0], None, padded[1]), truth, Ranking(np.arange(30)), Learner(scaling=scaling)
    )
    without = simulate(dataset, truth, Ranking(np.arange(30)), Learner(scaling=scaling))
    assert with_zeros.accuracy.tolist() == without.accuracy.tolist()
