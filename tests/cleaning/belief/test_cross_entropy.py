import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

from cleaning.belief.cross_entropy import cross_entropy_fit
from cleaning.belief.shortlist import Shortlist

CENTRE = np.array([0.75, 0.75, 0.0, 0.0, 0.0])


def problem(seed):
    """Scores (2, 200, 3) of two learners, the second of which knows less, and the labels as targets."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, 200, p=[0.6, 0.3, 0.1])
    scores = rng.normal(size=(2, 200, 3))
    scores[:, np.arange(200), labels] += np.array([[2.0], [0.1]])
    return scores, np.eye(3)[labels]


def penalised(point, scores, targets):
    """The loss, written down as it is defined."""
    logs = log_softmax(np.tensordot(point[:2], scores, 1) + point[2:], axis=1)
    pull = np.array([10.0, 10.0, 2.0, 2.0, 2.0])
    return 0.5 * pull @ (point - CENTRE) ** 2 - (targets * logs).sum()


@pytest.mark.parametrize("seed", range(3))
def test_the_fit_has_the_least_cross_entropy(seed):
    scores, targets = problem(seed)
    short = Shortlist.of(scores, targets, CENTRE)
    found = cross_entropy_fit(short, targets.T.copy(), CENTRE, CENTRE)
    best = minimize(
        penalised, CENTRE, (scores, targets), bounds=[(0, None)] * 2 + [(None, None)] * 3, options={"ftol": 1e-14}
    )
    assert found == pytest.approx(best.x, abs=2e-3)
    assert penalised(found, scores, targets) < best.fun + 1e-4


def test_a_learner_that_is_wrong_gets_no_weight():
    scores, targets = problem(0)
    scores[1] = -scores[0]
    found = cross_entropy_fit(Shortlist.of(scores, targets, CENTRE), targets.T.copy(), CENTRE, CENTRE)
    assert found[1] == 0 < found[0]
