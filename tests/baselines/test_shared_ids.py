"""Published and measured scores on the challenge's own data, under its own learner."""

import numpy as np
import pytest

from baselines.rankers import expected_use, knn_shapley_euclidean
from cleaning import Ranking, simulate
from cleaning.learners.dataperf import Learner
from cleaning.simulation.simulate import Plan
from tests.study.cases import Case, make

pytestmark = pytest.mark.slow


def score(ranker, name: str, most: int) -> float:
    """The share of fixes as the reference evaluator counts them, which must be less than `most` of 300."""
    dataset, truth = make(Case(f"dataperf {name}", "as found", 0.3, 0))
    answer = ranker.rank(dataset.train, dataset.validation, rng=np.random.default_rng(0))
    ranking = answer if isinstance(answer, Ranking) else Ranking.from_scores(answer)
    curve = simulate(dataset, truth, ranking, Learner(), plan=Plan(budgets=range(1, most)))
    first = int(np.argmax(curve.accuracy[1:] >= 0.95 * curve.accuracy[-1]))
    assert curve.fixes[1 + first] == 1 + first < most
    return first / len(ranking)


def test_the_euclidean_neighbour_method_has_the_published_score_of_datascope(dataperf):
    assert score(knn_shapley_euclidean, "01g317-flipped", 80) == pytest.approx(0.2367, abs=5e-5)


def test_expected_use_needs_fewer_fixes_than_datascope_does(dataperf):
    assert score(expected_use, "01g317-flipped", 61) < 0.2
