import fixfirst
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from cleaning.errors import InvalidInput
from tests.support import blobs, noisy_blobs

# Checks of scikit-learn that do not make sense for this estimator, and why.
LEFT_OUT: dict[str, str] = {}


@parametrize_with_checks([fixfirst.LabelRanker()], expected_failed_checks=lambda _: LEFT_OUT)
def test_scikit_learn_agrees(estimator, check):
    check(estimator)


def test_the_ranking_is_that_of_rank():
    dataset, truth = noisy_blobs("many", n=90, rate=0.25, gap=5.0)
    names = np.array(["no", "yes"])[dataset.train.labels]
    found = fixfirst.LabelRanker().fit(dataset.train.features, names)
    assert found.ranking_.tolist() == fixfirst.rank(dataset.train.features, names).frame["row"].tolist()
    assert found.classes_.tolist() == ["no", "yes"]
    assert ((found.label_quality_ >= 0) & (found.label_quality_ <= 1)).all()
    wrong = dataset.train.labels != truth.labels
    assert found.label_quality_[wrong].mean() < found.label_quality_[~wrong].mean() - 0.3
    assert np.mean(found.suggestion_ == np.array(["no", "yes"])[truth.labels]) > 0.9
    checked = blobs(40, 2, gap=5.0)
    more = fixfirst.LabelRanker(seed=3).fit(
        dataset.train.features, dataset.train.labels, trusted=(checked.features, checked.labels)
    )
    assert wrong[more.ranking_[:10]].mean() >= 0.9
    assert make_pipeline(StandardScaler(), fixfirst.LabelRanker()).fit(dataset.train.features, names)[-1].ranking_.size


def test_targets_that_are_no_classes_are_refused():
    dataset, _ = noisy_blobs("many", n=90)
    with pytest.raises(ValueError, match="Unknown label type"):
        fixfirst.LabelRanker().fit(dataset.train.features, dataset.train.features[:, 0])
    with pytest.raises((ValueError, InvalidInput)):
        fixfirst.LabelRanker().fit(dataset.train.features, [None] * 90)
