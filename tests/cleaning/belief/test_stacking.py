import numpy as np
import pytest
from scipy.special import softmax

from cleaning.belief.posterior import for_order, label_posterior
from cleaning.belief.stacking import fit_stack, given_votes, guessed_share, noise_matrices
from cleaning.data import Split


def drawn(rate=0.3, rows=800, seed=0):
    """Scores of one good and one useless learner, votes with noise, and the truth."""
    rng = np.random.default_rng(seed)
    half = 2 * rng.normal(size=rows)
    scores = np.stack([np.stack([half, -half], axis=1), rng.normal(size=(rows, 2))])
    truth = (rng.random(rows) > softmax(scores[0], axis=1)[:, 0]).astype(int)
    given = np.where(rng.random(rows) < rate, 1 - truth, truth)
    return scores, np.eye(2)[given], truth


def test_the_good_learner_gets_the_weight_and_the_noise_is_found():
    scores, votes, truth = drawn()
    stack = fit_stack(scores, votes, 800, before=votes[:0])
    assert stack.weights[0] > 3 * stack.weights[1]
    assert stack.noise == pytest.approx(np.array([[0.7, 0.3], [0.3, 0.7]]), abs=0.08)
    assert np.mean(stack.posterior(scores, votes).argmax(axis=1) == truth) > 0.85


def test_votes_of_both_classes_say_nothing():
    before, noise = np.array([[0.8, 0.2]]), np.array([[0.7, 0.3], [0.3, 0.7]])
    assert given_votes(before, noise, np.array([[0.5, 0.5]])) == pytest.approx(before)
    joint = 0.8 * 0.3, 0.2 * 0.7
    assert given_votes(before, noise, np.array([[0.0, 1.0]]))[0, 0] == pytest.approx(joint[0] / sum(joint))


def test_a_guess_says_what_the_row_looks_like_whatever_its_true_label_is():
    before, noise = np.array([[0.6, 0.4, 0.0], [0.6, 0.3, 0.1]]), np.full((3, 3), 0.1) + 0.7 * np.eye(3)
    votes = np.eye(3)[[1, 0]]
    likely = 0.8 * noise[:, [1, 0]].T + 0.2 * np.array([[0.4], [0.6]])
    joint = before * likely
    assert given_votes(before, noise, votes, 0.2) == pytest.approx(joint / joint.sum(axis=1, keepdims=True))
    assert given_votes(before, noise, votes, 1.0) == pytest.approx(before)


def test_guesses_of_several_annotators_and_of_shared_votes_are_each_their_own():
    rng = np.random.default_rng(0)
    before, noise = softmax(rng.normal(size=(5, 3)), axis=1), np.full((3, 3), 0.1) + 0.7 * np.eye(3)
    both = np.hstack([np.eye(3)[[0, 1, 2, 0, 1]], 0.5 * np.eye(3)[[0, 0, 2, 1, 1]]])
    one = given_votes(before, noise, both[:, :3], 0.2)
    logs = np.log(one) + both[:, 3:] @ np.zeros((3, 3))
    for row, said in enumerate([0, 0, 2, 1, 1]):
        logs[row] += 0.5 * np.log(0.8 * noise[:, said] + 0.2 * before[row, said])
    assert given_votes(before, np.hstack([noise, noise]), both, 0.2) == pytest.approx(softmax(logs, axis=1))


def test_two_classes_have_no_guesses_and_more_classes_have_more():
    assert guessed_share(1) == guessed_share(2) == 0
    assert 0 < guessed_share(3) < guessed_share(10) < guessed_share(1000) < 0.15


def test_with_many_classes_an_ambiguous_row_is_more_suspicious_and_the_order_does_not_ask_for_it():
    """Labels that are right, of rows between two of ten clusters."""
    rng = np.random.default_rng(0)
    centres = 4 * np.eye(10)
    truth = np.repeat(np.arange(10), 40)
    features = centres[truth] + 0.3 * rng.normal(size=(400, 10))
    between = np.arange(0, 80, 2)
    features[between] = 0.5 * (centres[0] + centres[1]) + 0.3 * rng.normal(size=(40, 10))
    posterior = label_posterior(Split.from_arrays(features, truth))
    plain = for_order(posterior)
    more = posterior.suspicion - plain.suspicion
    assert more[between].mean() > 0.02 > 10 * np.delete(more, between).mean()


def test_with_many_rows_the_overlap_of_classes_is_not_taken_for_noise():
    """Four clusters that overlap, whose labels become those of the next one at different rates."""
    rng = np.random.default_rng(2)
    centres = rng.normal(size=(4, 16))
    truth = rng.integers(0, 4, 5000)
    features = (0.5 * centres[truth] + rng.normal(size=(5000, 16))).astype(np.float32)
    given = np.where(rng.random(5000) < np.array([0.09, 0.18, 0.3, 0.45])[truth], (truth + 1) % 4, truth)
    noise = np.zeros((4, 4))
    np.add.at(noise, (truth, given), 1)
    posterior = label_posterior(Split.from_arrays(features, given))
    assert np.abs(posterior.noise_matrix - noise / noise.sum(axis=1, keepdims=True)).mean() < 0.025


@pytest.mark.parametrize(("n_classes", "most"), [(10, 0.04), (100, 0.012), (1000, 0.003)])
def test_with_many_classes_what_was_said_once_is_not_taken_for_a_habit(n_classes, most):
    """Ten rows of each class, all of them called what they are, but one of class 0."""
    seen = 10.0 * np.eye(n_classes)
    seen[0, :2] = [9, 1]
    noise = noise_matrices(seen, np.zeros((n_classes, n_classes)), np.zeros(n_classes))
    assert noise.sum(axis=1) == pytest.approx(np.ones(n_classes))
    assert 10 * noise[0, 2] < noise[0, 1] < most


def test_gold_correction_takes_overlap_for_noise_and_the_belief_does_not():
    """Clean labels of overlapping classes, half of them trusted."""
    scores, votes, _ = drawn(rate=0.0)
    belief, upper = (fit_stack(scores, votes, 400, before=votes[:0], gold=gold) for gold in (False, True))
    assert np.trace(belief.noise) > np.trace(upper.noise) + 0.05


def test_with_many_classes_a_sample_of_the_improbable_ones_is_enough(monkeypatch):
    rng = np.random.default_rng(0)
    centres = 0.7 * rng.normal(size=(70, 16))
    truth = np.repeat(np.arange(70), 5)
    given = np.where(rng.random(350) < 0.2, rng.integers(0, 70, 350), truth)
    train = Split.from_arrays(centres[truth] + 0.5 * rng.normal(size=(350, 16)), given)
    sampled = label_posterior(train).suspicion
    monkeypatch.setattr("cleaning.belief.shortlist._ALL_CLASSES", 70)
    every = label_posterior(train).suspicion
    assert np.abs(sampled - every).mean() < 0.01
    assert np.corrcoef(sampled, every)[0, 1] > 0.99
    assert np.any(sampled != every)


def test_the_sampled_classes_stand_for_all_improbable_ones_together(monkeypatch):
    """Scores so weak that those classes have much of the probability."""
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(70), 10)
    scores = rng.normal(size=(2, 700, 70))
    scores[0, np.arange(700), truth] += 2.0
    given = np.where(rng.random(700) < 0.2, rng.integers(0, 70, 700), truth)
    votes = np.eye(70)[given]
    sampled = fit_stack(scores, votes, 700, before=votes[:0])
    monkeypatch.setattr("cleaning.belief.shortlist._ALL_CLASSES", 70)
    every = fit_stack(scores, votes, 700, before=votes[:0])
    assert sampled.weights[0] == pytest.approx(every.weights[0], rel=0.04)
    assert np.trace(sampled.noise) / 70 == pytest.approx(np.trace(every.noise) / 70, abs=0.02)
