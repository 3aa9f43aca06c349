import fixfirst
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from cleaning.errors import InvalidInput
from tests.support import blobs, noisy_blobs

# Checks of scikit-learn that do not make sense for this estimator, and why.
LEFT_OUT: dict[str, str] = {}


@parametrize_with_checks([fixfirst.LabelRanker()], expected_failed_checks=lambda _: LEFT_OUT)
def test_it_passes_the_checks_of_scikit_learn(estimator, check):
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


def test_votes_are_judged_as_by_rank():
    rng = np.random.default_rng(0)
    clean = blobs(90, 1, classes=3, width=4, gap=6.0)
    names = np.array(["item 10", "item 9", "x"])  # people count 9, 10; numpy sorts 10, 9
    votes = pd.DataFrame(
        {
            who: names[np.where(rng.random(90) < rate, rng.integers(0, 3, 90), clean.labels)]
            for who, rate in (("ann", 0.05), ("bob", 0.2), ("eve", 0.4))
        }
    ).mask(rng.random((90, 3)) < 0.2)
    votes.loc[5] = None
    found, same = fixfirst.LabelRanker().fit(clean.features, votes=votes), fixfirst.rank(clean.features, votes=votes)
    frame = same.frame.set_index("row").sort_index()
    assert found.ranking_.tolist() == same.frame["row"].tolist()
    assert found.classes_.tolist() == sorted(names)
    assert found.given_.tolist() == frame["given_label"].tolist()
    assert found.suggestion_.tolist() == frame["suggested_label"].tolist()
    assert np.allclose(found.label_quality_, 1 - frame["suspicion"], equal_nan=True)
    assert found.given_[5] is None
    assert found.annotators_ == ("ann", "bob", "eve")
    assert found.annotator_quality_ == pytest.approx(same.annotators["quality"])
    assert found.annotator_quality_[0] > found.annotator_quality_[2]
    numbers = votes.apply(lambda one: one.map(dict(zip(names, (0, 1, 2), strict=True)))).fillna(-1).astype(int)
    trusted = clean.features[:20] + 0.1, clean.labels[:20]
    checked = make_pipeline(fixfirst.LabelRanker()).fit(
        clean.features, labelranker__votes=numbers.to_numpy(), labelranker__trusted=trusted
    )[-1]
    assert checked.classes_.tolist() == [0, 1, 2]
    assert (checked.suggestion_ == clean.labels).mean() > 0.9
    with pytest.raises(InvalidInput, match="votes: 90 rows of votes for 89 rows"):
        fixfirst.LabelRanker().fit(clean.features[1:], votes=votes)
    with pytest.raises(InvalidInput, match="votes: labels are given as well"):
        fixfirst.LabelRanker().fit(clean.features, clean.labels, votes=votes)
    with pytest.raises(InvalidInput, match=r"column bob, row 3: 0\.5 is a number, but"):
        fixfirst.LabelRanker().fit(clean.features, votes=votes.assign(bob=[*votes["bob"][:3], 0.5, *votes["bob"][4:]]))
