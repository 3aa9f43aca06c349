"""Any scikit-learn classifier as a learner: one refit per state, and no silent failures."""

import pickle

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import LinearSVC

from cleaning import GroundTruth, InvalidInput, NoisyDataset, Ranking, Split, Unsuitable, simulate
from cleaning.parallel.engine import Engine
from cleaning.simulation.simulate import Plan
from evaluation.contract.registry import make_learner
from evaluation.settings.parameters import LearnerSpec
from tests.support import noisy_blobs


def learner(classifier, **options):
    return make_learner(LearnerSpec.model_validate({"name": "sklearn", "classifier": classifier, **options}))


@pytest.fixture
def problem():
    dataset, truth = noisy_blobs(n=40, classes=3)
    return dataset, truth, Ranking(np.random.default_rng(0).permutation(40))


@pytest.mark.parametrize(
    ("made", "model"),
    [
        (learner("sklearn.svm.LinearSVC", C=0.1), LinearSVC(C=0.1, random_state=0)),
        (
            learner("sklearn.ensemble.RandomForestClassifier", n_estimators=5, random_state=None),
            RandomForestClassifier(n_estimators=5, random_state=0),
        ),
    ],
    ids=["LinearSVC", "forest"],
)
def test_every_point_is_a_refit(problem, made, model):
    dataset, truth, ranking = problem
    curve = simulate(dataset, truth, ranking, made)
    for k in (0, 9, 25, 40):
        labels = dataset.train.labels.copy()
        labels[ranking.order[:k]] = truth.labels[ranking.order[:k]]
        expected = model.fit(dataset.train.features, labels).score(dataset.test.features, dataset.test.labels)
        assert curve.accuracy[k] == expected


def test_a_long_curve_is_split_into_blocks_and_the_same_in_parallel():
    dataset, truth = noisy_blobs(n=60, rate=0.45)
    ranking = Ranking(np.random.default_rng(0).permutation(60))
    made = learner("sklearn.ensemble.ExtraTreesClassifier", n_estimators=3)
    steps = []
    here = simulate(dataset, truth, ranking, made, lambda *step: steps.append(step))
    there = simulate(dataset, truth, ranking, made, plan=Plan(Engine(jobs=2)))
    assert here.accuracy.tobytes() == there.accuracy.tobytes()
    assert steps[-1] == (28, 28)


def test_it_can_be_rebuilt_from_its_description(problem):
    made = learner("sklearn.svm.SVC", kernel="rbf", scaling="standard")
    again = make_learner(LearnerSpec.model_validate(dict(made.describe())))
    assert again == made == pickle.loads(pickle.dumps(made))
    plain = learner("sklearn.svm.SVC", kernel="rbf")
    scaled, unscaled = (simulate(*problem, one).accuracy.tolist() for one in (made, plain))
    assert scaled != unscaled


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "it has no classifier"),
        ({"classifier": 5}, "it has no classifier"),
        ({"classifier": "os.system"}, "'os.system': it is not a public class of scikit-learn"),
        ({"classifier": "sklearn"}, "not a public class"),
        ({"classifier": "sklearnx.svm.SVC"}, "not a public class"),
        ({"classifier": "sklearn.svm._classes.SVC"}, "not a public class"),
        ({"classifier": "sklearn.swm.SVC"}, "there is no such module"),
        ({"classifier": "sklearn.svm.LinearSVK"}, "did you mean LinearSVC"),
        ({"classifier": "sklearn.linear_model.Ridge"}, "it is not a classifier.*RidgeClassifier"),
        ({"classifier": "sklearn.ensemble.VotingClassifier"}, "cannot be created from plain settings.*estimators"),
        ({"classifier": "sklearn.svm.LinearSVC", "gama": 1}, "unknown option 'gama'"),
        ({"classifier": "sklearn.svm.LinearSVC", "scaling": "log"}, "scaling: found 'log'"),
        ({"classifier": "sklearn.svm.LinearSVC", "accept_unconverged": 1}, "accept_unconverged: found 1"),
    ],
)
def test_bad_settings_are_refused_before_anything_is_fitted(options, message):
    with pytest.raises(InvalidInput, match=message):
        make_learner(LearnerSpec.model_validate({"name": "sklearn", **options}))


def test_a_value_the_classifier_rejects_gives_its_own_message(problem):
    with pytest.raises(InvalidInput, match=r"sklearn.svm.LinearSVC: The 'C' parameter .* Got -1 instead\. Fix"):
        simulate(*problem, learner("sklearn.svm.LinearSVC", C=-1))


def test_a_value_the_classifier_rejects_when_it_predicts_is_a_clear_error_too(problem):
    learner_of_too_many = learner("sklearn.neighbors.KNeighborsClassifier", n_neighbors=10_000)
    with pytest.raises(InvalidInput, match=r"sklearn.neighbors.KNeighborsClassifier: Expected n_neighbors <= .* Fix"):
        simulate(*problem, learner_of_too_many)


def test_a_fit_that_does_not_converge_is_an_error_unless_accepted(problem):
    with pytest.raises(Unsuitable, match=r"does not converge on these data \(lbfgs.*max_iter.*accept_unconverged"):
        simulate(*problem, learner("sklearn.linear_model.LogisticRegression", max_iter=1))
    accepted = learner("sklearn.linear_model.LogisticRegression", max_iter=1, accept_unconverged=True)
    assert accepted.describe()["accept_unconverged"] is True
    assert simulate(*problem, accepted).clean <= 1


def test_the_classifier_decides_whether_one_class_is_enough():
    split = Split.from_arrays(np.eye(4), [1, 1, 1, 1])
    dataset = NoisyDataset("x", split, None, Split.from_arrays(np.eye(4), [1, 0, 1, 1]))
    everything = (dataset, GroundTruth(np.array([1, 0, 1, 1])), Ranking(np.arange(4)))
    with pytest.raises(Unsuitable, match="only class 1 is left"):
        simulate(*everything, learner("sklearn.linear_model.LogisticRegression"))
    assert simulate(*everything, learner("sklearn.tree.DecisionTreeClassifier")).dirty == 0.75


def test_other_warnings_reach_the_user(problem):
    dataset, truth, ranking = problem
    two = GroundTruth(truth.labels % 2)
    train = Split.from_arrays(dataset.train.features, dataset.train.labels % 2)
    halved = NoisyDataset("x", train, None, dataset.test)
    with pytest.warns(Warning, match="n_jobs"):
        simulate(halved, two, ranking, learner("sklearn.linear_model.LogisticRegression", solver="liblinear", n_jobs=2))
