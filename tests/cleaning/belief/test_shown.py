import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.datasets import load_digits

from cleaning import Split, label_posterior, next_round
from cleaning.belief.count import Count
from cleaning.belief.shown import shift_of, shown_by
from tests.study.cases import plant


@pytest.fixture(scope="module")
def ambiguous():
    """500 digits, and the labels of those that look like another one are wrong: 150 of them."""
    digits = load_digits()
    rng = np.random.default_rng(1)
    rows = rng.permutation(len(digits.target))[:500]
    clean = Split.from_arrays(digits.data[rows].astype(np.float32), digits.target[rows])
    return Split(clean.features, plant(clean, "instance-dependent", 0.3, rng), clean.ids), clean.labels


def looked_at(train, truth, count):
    posterior = label_posterior(train)
    rows = next_round(posterior, {}).order[:count].tolist()
    return next_round(posterior, {row: int(truth[row]) for row in rows})


def test_without_checked_rows_nothing_is_shown(ambiguous):
    assert shift_of(label_posterior(ambiguous[0]).basis) is None


def test_where_more_labels_are_wrong_than_believed_more_are_expected_among_the_others(ambiguous):
    train, truth = ambiguous
    found = looked_at(train, truth, 60)
    wrong = int((train.labels != truth)[found.order].sum())
    believed, shift = found.posterior.wrong_labels(), shift_of(found.posterior.basis)
    assert shift.by > 1
    assert believed.expected < 0.6 * wrong
    assert abs(found.left.expected - wrong) < abs(believed.expected - wrong)
    assert found.left.low <= believed.low <= wrong <= found.left.high
    assert found.left.expected == pytest.approx(found.suspicion[found.order].sum())


def test_where_the_beliefs_are_right_little_is_changed(ambiguous):
    clean = ambiguous[1]
    rng = np.random.default_rng(0)
    given = np.where(rng.random(500) < 0.2, (clean + rng.integers(1, 10, 500)) % 10, clean)
    train = Split(ambiguous[0].features, given, ambiguous[0].ids)
    found = looked_at(train, clean, 60)
    wrong = int((given != clean)[found.order].sum())
    assert found.left.expected == pytest.approx(wrong, abs=15)


@given(st.integers(0, 10_000), st.integers(0, 30), st.integers(1, 30))
def test_the_interval_is_never_narrower_and_contains_what_is_expected(seed, checked, n):
    rng = np.random.default_rng(seed)
    suspicion, shift = np.linspace(0, 1, n), shown_by(rng.random(checked), rng.random(checked) < 0.5)
    before = Count(n / 2, float(n // 3), float(n // 2))
    after = shift.counted(suspicion, before)
    assert 0 <= after.low <= before.low
    assert before.high <= after.high <= n
    assert after.low <= after.expected <= after.high
    assert (np.diff(shift.of(suspicion)) >= 0).all()


def test_rows_that_stand_for_several_count_as_several():
    rng = np.random.default_rng(0)
    shift, suspicion = shown_by(rng.random(50), rng.random(50) < 0.5), rng.random(20)
    none = Count(0.0, 60.0, 0.0)
    assert shift.counted(suspicion, none, np.full(20, 3.0)) == pytest.approx(
        shift.counted(np.repeat(suspicion, 3), none)
    )


def test_rows_that_are_not_suspicious_may_be_off_by_more():
    """The true logits are .75 of those believed. Only the most suspicious rows were looked at."""
    held, alone = 0, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        believed = np.sort(expit(rng.normal(-3, 2.5, 4000)))[::-1]
        wrong = rng.random(4000) < expit(0.75 * logit(believed))
        shift, true = shown_by(believed[:800], wrong[:800]), wrong[800:].sum()
        found = shift.counted(believed[800:], Count(0.0, 3200.0, 0.0))
        held += found.low <= true <= found.high
        alone += shift.of(believed[800:], -1.645).sum() <= true <= shift.of(believed[800:], 1.645).sum()
    assert held >= 34
    assert alone < 20


def test_where_the_beliefs_are_right_the_interval_is_narrow():
    rng = np.random.default_rng(0)
    believed = np.sort(expit(rng.normal(-3, 2.5, 4000)))[::-1]
    wrong = rng.random(4000) < believed
    found = shown_by(believed[:800], wrong[:800]).counted(believed[800:], Count(0.0, 3200.0, 0.0))
    assert found.low <= wrong[800:].sum() <= found.high < 2 * believed[800:].sum()
