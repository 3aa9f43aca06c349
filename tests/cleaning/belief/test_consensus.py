import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cleaning import InvalidInput, Split, consensus, inspection_order, label_posterior, next_round, plant_noise
from cleaning.belief import basis
from cleaning.belief.ballots import ballots_of, majority, shares_of, vote_matrix
from cleaning.belief.stacking import noise_matrices
from tests.support import blobs


def crowd(n=300, rates=(0.05, 0.2, 0.35, 0.6), there=3, seed=0, classes=3, gap=5.0):
    """Rows, their truth, and votes of annotators with these error rates, of whom `there` see each row."""
    clean = blobs(n, 10 * seed + 1, classes=classes, width=6, gap=gap)
    rng = np.random.default_rng(seed)
    votes = np.stack([plant_noise(clean.labels, rate, "symmetric", rng) for rate in rates], axis=1)
    for row in votes:
        row[rng.permutation(len(rates))[there:]] = -1
    return clean, votes


@settings(max_examples=12)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(2, 30),
    classes=st.integers(1, 4),
    checked=st.integers(0, 5),
    silent=st.integers(0, 2),
)
@example(seed=1, n=18, classes=4, checked=0, silent=0)  # the low end is 0, since the labels may all be right
def test_one_annotator_is_the_plain_case(seed, n, classes, checked, silent):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    features = rng.integers(0, 3, size=(n, 3)).astype(float)
    train = Split.from_arrays(features, labels)
    trusted = Split.from_arrays(rng.normal(size=(checked, 3)), rng.integers(0, classes, checked))
    votes = np.full((n, 1 + silent), -1)
    votes[:, silent] = labels
    plain, found = label_posterior(train, trusted), label_posterior(train, trusted, votes=votes)
    assert found.probabilities == pytest.approx(plain.probabilities, abs=1e-6)
    assert found.noise_matrix == pytest.approx(plain.noise_matrix, abs=1e-6)
    assert found.wrong_labels() == pytest.approx(plain.wrong_labels(), nan_ok=True, abs=1e-3)
    facts = {0: int(labels[0])}
    assert next_round(found, facts).suspicion == pytest.approx(next_round(plain, facts).suspicion, abs=1e-2)


@pytest.mark.parametrize("seed", range(4))
def test_one_annotator_is_the_plain_case_for_many_rows_too(seed, monkeypatch):
    """Up to what the rounding of float32 does to an optimiser that stops after a few steps."""
    monkeypatch.setattr(basis, "DENSE_ROWS", 0)
    clean = blobs(120, seed, classes=3, gap=3.0)
    labels = plant_noise(clean.labels, 0.2, "symmetric", np.random.default_rng(seed))
    train = Split(clean.features, labels, clean.ids)
    plain, found = label_posterior(train), label_posterior(train, votes=labels[:, None])
    assert found.probabilities == pytest.approx(plain.probabilities, abs=1e-2)


@pytest.mark.parametrize("large", [False, True])
def test_the_consensus_is_better_than_the_majority_and_knows_who_is_good(large, monkeypatch):
    monkeypatch.setattr(basis, "DENSE_ROWS", 0 if large else 2500)
    clean, votes = crowd()
    found = consensus(clean.features, votes)
    wrong, before = found.labels != clean.labels, majority(votes) != clean.labels
    assert wrong.sum() < 0.5 * before.sum()
    accuracy = [np.mean((one == clean.labels)[one >= 0]) for one in votes.T]
    assert found.annotator_quality == pytest.approx(np.array(accuracy), abs=0.1)
    assert found.noise_matrices.sum(axis=2) == pytest.approx(1.0)
    assert (1 - found.probability).sum() == pytest.approx(wrong.sum(), abs=12)
    low, high = found.posterior.wrong_labels()[1:]
    assert low <= before.sum() <= high
    assert found.posterior.noise_matrix.sum(axis=1) == pytest.approx(1.0)


def test_several_votes_say_more_than_their_majority():
    clean, votes = crowd(gap=3.0)
    alone = label_posterior(Split.from_arrays(clean.features, majority(votes)))
    assert np.mean(consensus(clean.features, votes).labels == clean.labels) > np.mean(alone.suggestion == clean.labels)


def test_somebody_who_always_answers_the_opposite_is_as_useful_as_somebody_who_is_right():
    clean, votes = crowd(200, (0.1, 0.15, 0.1, 0.1), there=4, classes=2)
    mirrored = votes.copy()
    mirrored[:, 0] = 1 - mirrored[:, 0]
    found = consensus(clean.features, mirrored)
    assert found.annotator_quality[0] < 0.3
    assert np.mean(found.labels == clean.labels) > 0.97


def test_an_annotator_of_few_votes_is_taken_for_one_like_the_others():
    clean, votes = crowd(300, (0.1, 0.1, 0.1, 0.1), there=4)
    votes[2:, 3] = -1
    found = consensus(clean.features, votes)
    assert found.annotator_quality[3] == pytest.approx(found.annotator_quality[:3].mean(), abs=0.1)


def test_neither_the_order_of_the_rows_nor_that_of_the_annotators_matters():
    clean, votes = crowd(120)
    rng = np.random.default_rng(1)
    rows, people = rng.permutation(120), rng.permutation(4)
    train = Split(clean.features, majority(votes), clean.ids)
    plain = label_posterior(train, votes=votes)
    again = label_posterior(train.take(rows), votes=votes[np.ix_(rows, people)])
    assert again.probabilities == pytest.approx(plain.probabilities[rows], abs=1e-6)


def test_whose_vote_is_missing_most():
    clean, votes = crowd(300)
    found = consensus(clean.features, votes)
    assert (found.missing >= 0).all()
    assert not found.missing[votes >= 0].any()
    asked = found.next_votes(30)
    assert len({row for row, _ in asked}) == 30
    assert all(votes[row, one] < 0 for row, one in asked)
    told = [found.missing[row, one] for row, one in asked]
    assert told == sorted(told, reverse=True)
    # each annotator is missing in a quarter of the rows; the best one is asked, the worst hardly
    people = np.bincount([one for _, one in asked], minlength=4)
    assert people[0] > people[3]
    unsure = np.argsort(found.probability)[:60]
    assert len({row for row, _ in asked} & set(unsure.tolist())) > 15
    full = np.repeat(votes.max(axis=1)[:, None], 2, axis=1)
    assert consensus(clean.features, full).next_votes() == []
    with pytest.raises(InvalidInput, match="use a whole number from 0"):
        found.next_votes(-1)


def test_copies_share_their_votes_and_a_model_of_ones_own_is_heard():
    clean, votes = crowd(150, gap=3.0)
    twice = np.append(np.arange(150), [4, 4])
    found = consensus(clean.features[twice], votes[twice])
    assert found.posterior.group[150] == found.posterior.group[4]
    assert found.probability[150] == pytest.approx(found.probability[4])
    own = np.eye(3)[clean.labels] * 0.7 + 0.1
    heard = consensus(clean.features[:, :1], votes, probabilities=own)
    assert np.mean(heard.labels == clean.labels) > np.mean(
        consensus(clean.features[:, :1], votes).labels == clean.labels
    )


def test_a_round_of_a_review_keeps_the_votes():
    clean, votes = crowd(150)
    train = Split(clean.features, majority(votes), clean.ids)
    posterior = label_posterior(train, votes=votes)
    first = inspection_order(posterior, train).order[:20]
    found = next_round(posterior, {int(row): int(clean.labels[row]) for row in first})
    assert found.posterior.basis.told.votes.shape == (130, 4)
    assert found.posterior.basis.told.checked.votes.shape == (20, 4)
    wrong = train.labels != clean.labels
    assert wrong[first].mean() > 0.7
    assert wrong[found.order[:10]].mean() >= wrong[found.order[10:]].mean()


def test_a_class_that_never_wins_and_one_that_nobody_names():
    clean, votes = crowd(60)
    votes[0] = [5, 0, 0, -1]
    found = consensus(clean.features, votes)
    assert found.noise_matrices.shape == (4, 6, 6)
    assert found.posterior.probabilities[:, [3, 4]] == pytest.approx(0.0)


def test_ballots_and_shares_of_copies():
    votes = np.array([[0, -1], [1, 1], [1, 0]])
    ballots = ballots_of(votes, np.array([0, 0, 1]), np.array([0, 1]))
    assert ballots.toarray() == pytest.approx(np.array([[0.5, 0.5, 0, 1], [0, 1, 1, 0]]))
    assert shares_of(ballots, 2) == pytest.approx(np.array([[0.25, 0.75], [0.5, 0.5]]))
    assert majority(np.array([[0, 1], [1, -1], [1, 1]])).tolist() == [1, 1, 1]


def test_noise_matrices_follow_each_annotator_where_there_are_enough_votes():
    good, bad = np.array([[900.0, 100], [100, 900]]), np.array([[500.0, 500], [500, 500]])
    few = np.zeros((2, 2))
    found = noise_matrices(np.hstack([good, bad, few]), np.zeros((2, 2)), np.zeros(2)).reshape(2, 3, 2)
    assert np.diag(found[:, 0]) == pytest.approx([0.9, 0.9], abs=0.02)
    assert np.diag(found[:, 1]) == pytest.approx([0.5, 0.5], abs=0.02)
    assert np.diag(found[:, 2]) == pytest.approx([0.7, 0.7], abs=0.03)


@pytest.mark.parametrize(
    ("votes", "problem"),
    [
        (np.zeros(4), "the shape is"),
        (np.zeros((3, 2)), "3 rows of votes for 4 rows"),
        (np.full((4, 2), 0.5), "not whole numbers"),
        (np.array([["a"]] * 4), "not whole numbers"),
        ([[0, 1], [-2, 1], [1, 1], [0, 0]], "column 0, row 1: -2 is not a class"),
        ([[0, 1], [1, 1], [-1, -1], [0, 0]], "row 2: nobody has labelled it"),
        ([[0, 1], [1, 1], [np.nan, np.nan], [0, 0]], "row 2: nobody has labelled it"),
        ([[0, 1], [1, 1], [np.inf, 0], [0, 0]], "not whole numbers"),
    ],
)
def test_what_is_no_matrix_of_votes_is_refused(votes, problem):
    with pytest.raises(InvalidInput, match=problem):
        vote_matrix(votes, 4, "votes")
    assert vote_matrix([[0, np.nan], [1, 1]], 2, "votes").tolist() == [[0, -1], [1, 1]]
