import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cleaning import Count, InvalidInput, Split, inspection_order, label_posterior, next_round, plant_noise
from cleaning.review import checked_labels, found_ahead
from tests.support import blobs

pytestmark = pytest.mark.slow


def doubtful(n=200, rate=0.3, kind="symmetric", seed=0, gap=3.0, classes=2):
    clean = blobs(n, 10 * seed + 1, gap=gap, classes=classes)
    labels = plant_noise(clean.labels, rate, kind, np.random.default_rng(seed))
    return Split(clean.features, labels, clean.ids), clean.labels, blobs(60, 10 * seed + 2, gap=gap, classes=classes)


def looks(order, truth):
    return {int(row): int(truth[row]) for row in order}


@pytest.fixture(params=["anew", "updated", "updated, many rows"])
def way(request, monkeypatch):
    """How beliefs follow a review: few rows are fitted anew."""
    if request.param != "anew":
        monkeypatch.setattr("cleaning.belief.posterior._FITTED_ANEW", 0)
    if request.param == "updated, many rows":
        monkeypatch.setattr("cleaning.belief.basis.DENSE_ROWS", 20)
    return request.param


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 40),
    seen=st.floats(0, 1),
    out=st.floats(0, 1),
    trusted=st.booleans(),
    classes=st.integers(1, 3),
)
def test_checked_rows_never_come_back_and_every_other_row_does(way, seed, n, seen, out, trusted, classes):
    train, truth, validation = doubtful(n, 0.2, seed=seed, classes=max(classes, 2))
    train = train if classes > 1 else Split(train.features, np.zeros(n, dtype=np.int64), train.ids)
    rows = np.random.default_rng(seed).permutation(n)
    checked, rest = rows[: round(seen * n)], rows[round(seen * n) :]
    left_out = rest[: round(out * len(rest))]
    found = next_round(
        label_posterior(train, validation if trusted else None), looks(checked, truth), set(left_out.tolist())
    )
    assert sorted(found.order) == sorted(rest[len(left_out) :])
    assert np.array_equal(found.suspicion[checked], train.labels[checked] != truth[checked])
    assert np.array_equal(found.suggestion[checked], truth[checked])
    assert ((found.suspicion >= 0) & (found.suspicion <= 1)).all()
    kept, probability = found.suggestion == train.labels, found.suggestion_probability
    np.testing.assert_allclose(probability[kept], 1 - found.suspicion[kept], atol=1e-9)
    assert (probability <= np.where(kept, 1, found.suspicion) + 1e-9).all()
    assert (probability >= 1 - found.suspicion - 1e-9).all()
    for count in (0, 5, n + 7):
        ahead = found.forecast(count)
        if ahead is not None:
            assert 0 <= ahead.low <= ahead.expected + 1 <= ahead.high + 2
            assert ahead.high <= min(count, len(found.order))


def test_without_decisions_a_round_is_the_ranking():
    train, _, validation = doubtful()
    for trusted in (validation, None):
        posterior = label_posterior(train, trusted)
        found = next_round(posterior, {})
        assert np.array_equal(found.order, inspection_order(posterior, train, trusted).order)
        assert found.suspicion == pytest.approx(posterior.suspicion)
        assert found.left == posterior.wrong_labels()
        assert found.gain[found.order[:5]].min() > 0
        assert found.gain[posterior.suspicion < 0.005].max(initial=0) == 0


def test_the_order_of_rows_and_of_decisions_does_not_matter(way):
    train, truth, validation = doubtful()
    shuffle = np.random.default_rng(0).permutation(len(train))
    first = inspection_order(label_posterior(train, validation), train, validation).order[:30]
    one = next_round(label_posterior(train, validation), looks(first, truth))
    place = np.argsort(shuffle)
    other = next_round(label_posterior(train.take(shuffle), validation), looks(place[first[::-1]], truth[shuffle]))
    assert np.array_equal(shuffle[other.order], one.order)
    assert other.left == pytest.approx(one.left)


def test_rows_checked_in_one_call_or_in_three_leave_the_same_beliefs(way):
    train, truth, validation = doubtful(120, classes=3)
    posterior = label_posterior(train, validation)
    rows = next_round(posterior, {}).order[:30]
    for count in (10, 20):
        next_round(posterior, looks(rows[:count], truth))
    one = next_round(posterior, looks(rows, truth))
    other = next_round(label_posterior(train, validation), looks(rows, truth))
    assert np.array_equal(one.order, other.order)
    assert np.array_equal(one.suspicion, other.suspicion)


def test_updated_beliefs_are_near_those_fitted_anew(monkeypatch):
    """Also where copies are checked and rows left out."""
    train, truth, validation = doubtful(240, 0.3, gap=2.0, classes=3)
    features = train.features.copy()
    features[10:20] = features[:10]
    train = Split(features, train.labels, train.ids)
    for trusted in (validation, None):
        for many in (False, True):
            with monkeypatch.context() as patch:
                patch.setattr("cleaning.belief.basis.DENSE_ROWS", 20 if many else 2500)
                posterior = label_posterior(train, trusted)
                checked = looks([*range(10), *range(40, 60)], truth)
                anew = next_round(posterior, checked, range(60, 64))
                patch.setattr("cleaning.belief.posterior._FITTED_ANEW", 0)
                found = next_round(posterior, checked, range(60, 64))
            assert found.posterior.basis.after is not None
            apart = np.abs(found.suspicion - anew.suspicion)
            assert apart.mean() < (0.06 if many else 0.04)
            assert found.left.expected == pytest.approx(anew.left.expected, abs=10)


@pytest.mark.parametrize("kind", ["symmetric", "one_directional"])
def test_looks_teach_which_labels_are_wrong(kind):
    """Without trusted rows, in batches of 20: the second half of the errors is found with fewer looks than planned."""
    saved = []
    for seed in range(4):
        train, truth, _ = doubtful(200, 0.3, kind, seed, gap=2.0)
        wrong = train.labels != truth
        posterior = label_posterior(train)
        current = next_round(posterior, {})
        needed = int(np.ceil(0.9 * wrong.sum()))
        planned = int(np.searchsorted(np.cumsum(wrong[current.order]), needed)) + 1
        checked: dict[int, int] = {}
        while wrong[list(checked)].sum() < needed:
            checked |= looks(current.order[:20], truth)
            current = next_round(posterior, checked)
        saved.append(planned - len(checked))
    assert np.mean(saved) > 0


def test_wrong_labels_left_are_counted_although_the_most_suspicious_rows_have_gone():
    held, ahead = [], []
    for seed in range(6):
        train, truth, validation = doubtful(200, 0.3, seed=seed)
        wrong = train.labels != truth
        for trusted in (validation, None):
            posterior = label_posterior(train, trusted)
            current, checked = next_round(posterior, {}), {}
            for _ in range(4):
                checked |= looks(current.order[:25], truth)
                current = next_round(posterior, checked)
                assert current.left is not None
                held.append(current.left.low <= wrong[current.order].sum() <= current.left.high)
                told = current.forecast(25)
                ahead.append(told.low <= wrong[current.order[:25]].sum() <= told.high)
                assert current.left.high - current.left.low < 150
    assert np.mean(held) >= 0.85
    assert np.mean(ahead) >= 0.85


def test_a_class_that_is_left_out_altogether_stays_a_class(way):
    train, truth, _ = doubtful(60, 0.0, classes=3)
    posterior = label_posterior(train)
    gone = set(np.flatnonzero(train.labels == 2).tolist())
    found = next_round(posterior, looks([row for row in range(20) if row not in gone], truth), gone)
    assert set(found.order.tolist()) == set(range(20, 60)) - gone
    assert set(found.suggestion[found.order].tolist()) <= {0, 1}


def test_a_row_dropped_teaches_nothing():
    train, truth, validation = doubtful()
    posterior = label_posterior(train, validation)
    without = label_posterior(train.take(np.arange(5, 200)), validation)
    found = next_round(posterior, {}, range(5))
    assert found.suspicion[5:] == pytest.approx(without.suspicion)
    assert 5 not in next_round(posterior, {5: int(truth[5])}, {7}).order


def test_a_new_class_that_a_reviewer_names_is_learned():
    train, _, _ = doubtful(120)
    far = np.arange(20)
    features = train.features.copy()
    features[far] = features[far] * 0.3 + 12
    posterior = label_posterior(Split(features, train.labels, train.ids))
    found = next_round(posterior, dict.fromkeys(far[:10].tolist(), 2))
    assert (found.suggestion[far[10:]] == 2).mean() > 0.8


def test_decisions_that_cannot_be_are_refused():
    train, _, _ = doubtful(20)
    posterior = label_posterior(train)
    for checked, left_out, problem in (
        ({20: 0}, (), "there is no row 20"),
        ({}, (-1,), "there is no row -1"),
        ({3: -1}, (), "the label of row 3 is -1"),
        ({3: 0}, (3,), "row 3 is also checked"),
    ):
        with pytest.raises(InvalidInput, match=problem):
            next_round(posterior, checked, left_out)
    with pytest.raises(InvalidInput, match="looks"):
        next_round(posterior, {}).forecast(-1)


def test_forecasts_allow_for_all_that_may_be_left_until_20_labels_have_been_checked():
    low, left = np.full(50, 0.001), Count(0.1, 0, 25)
    first = found_ahead(low[:20], low[20:], (0.5, 1.5), left, 19)
    assert (first.low, first.high) == (0, 11)
    assert found_ahead(low[:20], low[20:], (0.5, 1.5), left, 20).high == 1
    assert found_ahead(low[:20], low[20:], (0.5, 1.5), Count(0, 0, 0), 0) == (0, 0, 0)
    assert found_ahead(low[:20], low[20:], (0.5, 1.5), Count(0.1, 0, 50), 0).high == 20


def test_only_checked_labels_test_the_beliefs():
    """Neither rows that were dropped nor those without a label do."""
    suspicion = np.array([0.0, 1.0, 0.4, np.nan, 0.0, 0.7])
    assert checked_labels(suspicion, np.array([4, 5])) == 2
