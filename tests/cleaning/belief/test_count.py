from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from cleaning import Split, label_posterior
from cleaning.belief import count
from cleaning.belief.count import Judged, _high_alone, _likely, _noise_is_seen, _triangle_high, count_wrong


def judged(n=400, trusted=100, rate=0.2, seed=0, scale=2.0):
    """Two classes whose logits are right: labels drawn from them, then symmetric noise."""
    rng = np.random.default_rng(seed)
    half = scale * rng.normal(size=n + trusted)
    logits = np.stack([half, -half], axis=1)
    truth = (rng.random(n + trusted) > softmax(logits, axis=1)[:, 0]).astype(int)
    given = np.where((rng.random(n + trusted) < rate) & (np.arange(n + trusted) < n), 1 - truth, truth)
    noise = np.array([[1 - rate, rate], [rate, 1 - rate]])
    wrong = int((given != truth)[:n].sum())
    return Judged(logits[None], logits, np.eye(2)[given], n, noise, np.arange(n), given[:n]), wrong


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.4])
def test_the_interval_contains_the_true_number_if_the_model_is_right(rate):
    inside = []
    for seed in range(12):
        found, wrong = judged(rate=rate, seed=seed)
        expected, low, high = count_wrong(found, found)
        assert 0 <= low <= expected <= high <= 400
        inside.append(low <= wrong <= high)
    assert sum(inside) >= 11


@pytest.mark.parametrize("seed", range(6))
def test_the_low_end_gives_way_if_the_noise_matrix_claims_too_much(seed):
    """Clean labels, judged with a noise matrix of 10%: the labels themselves show that there is less noise."""
    found, wrong = judged(rate=0.0, seed=seed)
    claimed = Judged(
        found.scores, found.logits, found.votes, 400, np.array([[0.9, 0.1], [0.1, 0.9]]), found.group, found.given
    )
    expected, low, high = count_wrong(claimed, claimed)
    assert wrong == 0
    assert 10 < expected <= high
    assert low < 2


def test_the_bound_without_a_noise_model_is_disagreement_plus_error():
    logits = np.array([[1.0, 0.0]] * 10 + [[1.0, 0.0]] * 5)
    votes = np.eye(2)[[0] * 8 + [1] * 2 + [0] * 4 + [1]]
    found = Judged(logits[None], logits, votes, 10, np.eye(2), np.arange(10), np.array([0] * 8 + [1] * 2))
    error = 0.6574  # Clopper and Pearson: with this rate, 1 or 0 errors among 5 rows have a probability of 5%
    assert (1 - error) ** 5 + 5 * error * (1 - error) ** 4 == pytest.approx(0.05, abs=1e-3)
    room = 1.645 * np.sqrt(error * (1 - error) * 10)
    assert _triangle_high(found) == pytest.approx(10 * (0.2 + error) + room, abs=0.01)


def test_a_single_trusted_row_says_next_to_nothing():
    """It is predicted right, which leaves an error rate of up to 95%."""
    found, _ = judged(trusted=1)
    assert _triangle_high(found) > 0.9 * 400


def test_the_expected_number_is_inside_even_where_no_row_is_contradicted():
    logits = np.tile([0.5, -0.5], (130, 1))
    found = Judged(
        logits[None],
        logits,
        np.eye(2)[np.zeros(130, dtype=int)],
        30,
        np.array([[0.8, 0.2], [0.2, 0.8]]),
        np.arange(30),
        np.zeros(30, dtype=int),
    )
    expected, low, high = count_wrong(found, found)
    assert low <= expected <= high


def test_the_likelihood_of_many_rows_is_that_of_a_sample(monkeypatch):
    found, _ = judged(n=3000, seed=3)
    whole = _likely(found)
    monkeypatch.setattr(count, "_SAMPLED_GROUPS", 1000)
    sample = found.sample(1000)
    assert (sample.noisy, len(sample.given), sample.trusted) == (1000, 1000, 100)
    assert np.array_equal(sample.votes[:1000].argmax(axis=1), sample.given)
    assert _likely(found) == pytest.approx(whole, rel=0.25)


def test_without_trusted_rows_the_high_end_allows_for_errors_that_look_right():
    """Of 10 rows called 1, the other rows contradict 4: up to 1.5 wrong labels for each."""
    given = np.array([0] * 10 + [1] * 10)
    predicted = np.array([0] * 10 + [0] * 4 + [1] * 6)
    found = Judged(
        np.eye(2)[None, predicted], np.eye(2)[predicted], np.eye(2)[given], 20, np.eye(2), np.arange(20), given
    )
    assert _high_alone(found) == pytest.approx(6 + 1.5 * 1.645 * np.sqrt(0.2 * 0.8 * 20))
    assert count_wrong(found, None).high == np.ceil(_high_alone(found))


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_the_low_end_is_zero_where_the_overlap_of_classes_explains_the_labels(rate):
    """The stack takes much of the overlap for noise; without noise, its logits would be half as large."""
    found, _ = judged(rate=rate, scale=0.8, seed=1)
    claimed = replace(found, logits=2 * found.logits)
    sure, _ = judged(rate=0.1, scale=4.0)
    assert not _noise_is_seen(claimed)
    assert count_wrong(claimed, claimed).low == 0
    assert _noise_is_seen(sure)
    assert count_wrong(sure, sure).low > 10


def test_copies_are_wrong_together():
    found, _ = judged(n=50, trusted=0)
    double = Judged(
        found.scores, found.logits, found.votes, 50, found.noise, np.tile(np.arange(50), 2), np.tile(found.given, 2)
    )
    before = softmax(found.logits, axis=1)
    (number, variance), (twice, fourfold) = found.wrong(before, found.noise), double.wrong(before, found.noise)
    assert twice == pytest.approx(2 * number)
    assert fourfold == pytest.approx(4 * variance)


def test_single_labels_are_counted_as_votes_are():
    found, _ = judged(n=60, seed=5)
    before, noise = softmax(found.logits[:60], axis=1), np.array([[0.7, 0.3], [0.1, 0.9]])
    nearly = found.votes.copy()
    nearly[0] = nearly[0] * 0.999999 + 0.0000005  # no longer one label each
    votes = replace(found, votes=nearly)
    assert found._single is not None
    assert votes._single is None
    assert found.seen(before, noise) == pytest.approx(votes.seen(before, noise), rel=1e-4)
    assert found.seen(before, noise)[1:] == pytest.approx(found.wrong(before, noise))
    assert _likely(found) == pytest.approx(_likely(votes), rel=1e-3)


def test_clean_labels_of_many_classes_that_overlap_may_all_be_right():
    """The noise matrix begins with 1% wrong labels, and some of that stays where classes overlap."""
    rng = np.random.default_rng(0)
    centres = 0.5 * rng.normal(size=(30, 32))
    labels = np.repeat(np.arange(30), 60)
    features = (centres[labels] + rng.normal(size=(1800, 32))).astype(np.float32)
    found = label_posterior(Split.from_arrays(features, labels)).wrong_labels()
    assert found.low == 0 < found.expected < 0.03 * 1800


@pytest.mark.parametrize("seed", range(4))
def test_few_trusted_rows_raise_the_high_end_no_further_than_none(seed):
    found, _ = judged(trusted=0, seed=seed)
    few, _ = judged(trusted=2, seed=seed)
    alone, known = count_wrong(found, None), count_wrong(few, few)
    assert known.high < 1.15 * alone.high < _triangle_high(few)
