import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleaning import Count, InvalidInput, Split, first_looks, label_posterior, next_round
from cleaning.looks import drawn
from cleaning.review import by_drawn
from tests.cleaning.test_review import doubtful, looks


def suspicions(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).beta(0.3, 1.0, n)


def said(sample, wrong):
    return sample.count({int(row): bool(wrong[row]) for row in sample.rows})


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000), n=st.integers(6, 200), asked=st.integers(6, 60), flat=st.booleans())
@example(seed=21, n=7, asked=6, flat=False)
def test_as_many_different_rows_are_drawn_as_asked_for(seed, n, asked, flat):
    suspicion = np.zeros(n) if flat else suspicions(n, seed)
    sample = drawn(suspicion, np.arange(n), min(asked, n), np.random.default_rng(seed))
    assert len(set(sample.rows.tolist())) == len(sample.rows) == min(asked, n)
    assert sample.sizes.sum() == n
    assert (np.bincount(sample.stratum, minlength=3) >= 2).all()
    assert ((sample.probability > 0) & (sample.probability <= 1)).all()
    count = said(sample, suspicion > 0.5)
    assert 0 <= count.low <= count.high <= n
    assert sample.width <= n


def test_the_same_rows_are_drawn_whatever_their_order():
    train, _, _ = doubtful()
    shuffle = np.random.default_rng(0).permutation(len(train))
    one, other = (first_looks(label_posterior(part)) for part in (train, train.take(shuffle)))
    assert np.array_equal(shuffle[other.rows], one.rows)


def test_every_row_of_a_stratum_is_drawn_as_often_as_its_probability_says():
    suspicion, rng = suspicions(60, 0), np.random.default_rng(1)
    often, probability = np.zeros(60), np.zeros(60)
    for _ in range(1000):
        sample = drawn(suspicion, np.arange(60), 20, rng)
        often[sample.rows] += 1 / 1000
        probability[sample.rows] = sample.probability
    assert np.abs(often - probability).max() < 0.06


def test_all_rows_looked_at_leave_no_doubt():
    suspicion = suspicions(40, 0)
    wrong = np.arange(40) % 3 == 0
    assert said(drawn(suspicion, np.arange(40), 40, np.random.default_rng(0)), wrong) == (14, 14, 14)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3])
@pytest.mark.parametrize("honest", [True, False], ids=["the belief is right", "the belief knows nothing"])
def test_nine_of_ten_intervals_contain_the_true_number(share, honest):
    held, widths, expected = [], [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        suspicion = np.sort(suspicions(300, seed))
        suspicion = suspicion * share / max(suspicion.mean(), 1e-9) if honest else suspicion
        suspicion = np.clip(suspicion, 0, 0.999)
        wrong = rng.random(300) < (suspicion if honest else share)
        count = said(drawn(suspicion, np.arange(300), 30, rng), wrong)
        held.append(count.low <= wrong.sum() <= count.high)
        widths.append(count.high - count.low)
        expected.append(count.expected - wrong.sum())
    assert np.mean(held) >= 0.9
    assert np.mean(widths) < 90
    assert abs(np.mean(expected)) < 15


def test_the_number_is_counted_by_the_drawn_rows_once_all_of_them_are_decided():
    """Labels of one class are called another, and nothing in the features contradicts them."""
    train, truth, _ = doubtful(400, 0.0, gap=0.2)
    labels = np.where((truth == 1) & (np.arange(400) % 2 == 0), 0, truth)
    train, wrong = Split(train.features, labels, train.ids), labels != truth
    posterior = label_posterior(train)
    sample = first_looks(posterior)
    before = next_round(posterior, {}, drawn=sample)
    part = next_round(posterior, looks(sample.rows[1:], truth), drawn=sample)
    plain = next_round(posterior, looks(sample.rows[1:], truth))
    whole = next_round(posterior, looks(sample.rows, truth), drawn=sample)
    assert (before.left is None) == (next_round(posterior, {}).left is None)
    assert part.left == plain.left
    assert whole.left.low <= wrong[whole.order].sum() <= whole.left.high
    assert whole.left.high - whole.left.low < 0.5 * len(train)
    assert whole.left.high - whole.left.low == pytest.approx(sample.width, abs=60)


def test_rows_that_were_not_drawn_do_not_count_but_what_they_found_is_not_left():
    train, truth, _ = doubtful(200, 0.3, gap=2.0)
    wrong = train.labels != truth
    posterior = label_posterior(train)
    sample = first_looks(posterior)
    total = said(sample, wrong)
    more = [row for row in next_round(posterior, {}).order.tolist() if row not in sample.rows][:40]
    both = sample.count({row: bool(wrong[row]) for row in [*sample.rows.tolist(), *more]})
    assert both == total
    one = next_round(posterior, looks(sample.rows, truth), drawn=sample)
    other = next_round(posterior, looks([*sample.rows, *more], truth), drawn=sample)
    assert one.left.low <= wrong[one.order].sum() <= one.left.high
    assert other.left.low <= wrong[other.order].sum() <= other.left.high
    assert other.left.high <= total.high - wrong[more].sum() - wrong[sample.rows].sum()


def test_a_review_that_finds_nothing_comes_to_an_end():
    train, truth, _ = doubtful(300, 0.0, gap=5.0)
    posterior = label_posterior(train)
    sample = first_looks(posterior)
    order = [row for row in next_round(posterior, {}).order.tolist() if row not in sample.rows]
    high = [
        next_round(posterior, looks([*sample.rows, *order[:more]], truth), drawn=sample).left.high
        for more in (0, 70, 150, 265)
    ]
    assert high == sorted(high, reverse=True)
    assert high[-1] <= 1


def test_the_sample_counts_where_it_contradicts_the_beliefs():
    """Of rows that all look right, every third one in the sample is wrong: the beliefs are misled."""
    suspicion = np.full(300, 0.001)
    sample = drawn(suspicion, np.arange(300), 30, np.random.default_rng(0))
    wrong = {int(row): place % 3 == 0 for place, row in enumerate(sample.rows)}
    believed = Count(0.3, 0.0, 5.0)
    found = by_drawn(believed, sample, wrong, (), suspicion, 270)
    assert found.low > 40
    assert by_drawn(believed, sample, dict.fromkeys(wrong, False), (), suspicion, 270) == believed


def test_rows_about_which_nobody_could_tell_leave_more_open():
    suspicion = suspicions(200, 3)
    sample = drawn(suspicion, np.arange(200), 30, np.random.default_rng(0))
    wrong = {int(row): bool(suspicion[row] > 0.5) for row in sample.rows}
    out = [row for row in wrong if not wrong[row]][:10]
    fewer = sample.count({row: bad for row, bad in wrong.items() if row not in out}, out)
    assert fewer.high - fewer.low > sample.count(wrong).high - sample.count(wrong).low
    assert sample.count({row: bad for row, bad in wrong.items() if row not in out}) is None


def test_a_number_of_looks_that_makes_no_sense_is_refused():
    train, _, _ = doubtful(20)
    posterior = label_posterior(train)
    for number in (5, 21):
        with pytest.raises(InvalidInput, match=f"it is {number}"):
            first_looks(posterior, number)
