import numpy as np
import pytest

from cleaning.belief.base_learners import Evidence
from cleaning.belief.forward_learner import forward_scores
from tests.support import blobs


def scores(votes, noise, noisy, features):
    return forward_scores(Evidence(features, votes, noisy, votes[:0]), noise, np.random.default_rng(0))


def test_the_noise_matrix_is_undone():
    """60% of class 1 are called 0. A plain model calls many of class 1 a 0; this one knows how labels go wrong."""
    rows, rng = blobs(600, 0, gap=3.0), np.random.default_rng(1)
    given = np.where((rows.labels == 1) & (rng.random(600) < 0.6), 0, rows.labels)
    votes = np.eye(2)[given]
    told = scores(votes, np.array([[1.0, 0.0], [0.6, 0.4]]), 600, rows.features)
    untold = scores(votes, np.eye(2), 600, rows.features)
    assert np.mean(told.argmax(axis=1) == rows.labels) > 0.9
    assert np.mean(untold.argmax(axis=1) == rows.labels) < 0.8
    assert np.exp(told).sum(axis=1) == pytest.approx(1.0, abs=1e-4)


def test_the_score_of_a_row_does_not_use_its_own_label():
    rows = blobs(100, 2)
    votes = np.eye(2)[rows.labels]
    changed = votes.copy()
    changed[5] = changed[5, ::-1]
    noise = np.array([[0.8, 0.2], [0.2, 0.8]])
    before, after = (scores(each, noise, 80, rows.features) for each in (votes, changed))
    assert after[5] == pytest.approx(before[5])
    assert not np.allclose(after, before)
