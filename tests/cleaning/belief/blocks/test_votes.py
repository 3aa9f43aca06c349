"""Several labels per row are by blocks what they are for `label_posterior`."""

from dataclasses import replace

import numpy as np
import pytest

from cleaning.belief import posterior
from cleaning.belief.ballots import majority, shares_in, voted_on
from cleaning.belief.blocks import judge, recount, stored, trusted
from cleaning.belief.blocks.learners import fold_of
from cleaning.belief.blocks.scan import digests_of
from cleaning.belief.consensus import consensus_of
from cleaning.data import Split
from cleaning.parallel.engine import Engine
from cleaning.review import next_round
from tests.cleaning.belief.blocks.made import Undrawn, case

pytestmark = pytest.mark.usefixtures("comparable")
NOISY = 550


@pytest.fixture(scope="module")
def made():
    return case(900)


@pytest.fixture(scope="module")
def rows(made):
    """Rows without copies."""
    return (made.rows[10:] + 2.5 * np.random.default_rng(1).standard_normal((890, 8))).astype(np.float32)


@pytest.fixture(scope="module")
def votes(made):
    """Of four annotators, who are wrong in 10 to 60% of their votes, and vote on most rows."""
    rng = np.random.default_rng(2)
    truth = made.truth[10 : 10 + NOISY]
    wrong = rng.random((NOISY, 4)) < np.array([0.1, 0.25, 0.4, 0.6])
    said = np.where(wrong, (truth[:, None] + rng.integers(1, 4, (NOISY, 4))) % 4, truth[:, None])
    said[rng.random((NOISY, 4)) < 0.35] = -1
    said[(said < 0).all(axis=1), 0] = 0
    return said


def kept(folder, matrix):
    np.save(folder / "X.npy", matrix)
    return stored.Stored.of(np.load(folder / "X.npy", mmap_mode="r"))


def at_once(rows, votes, sure=None):
    """What `label_posterior` says, with the folds that rows have by blocks."""
    train = Split.from_arrays(rows[:NOISY], majority(votes))
    digests = [digests_of(train.take(train.order_by_id()).features, 0)]
    if sure is not None:
        digests.append(digests_of(sure.take(sure.order_by_id()).features, trusted._SALT))
    rng = Undrawn(fold_of(np.concatenate(digests), 5))
    return posterior.label_posterior(train, sure, votes=votes, rng=rng)


@pytest.fixture(scope="module")
def found(rows, votes, tmp_path_factory):
    return judge.judge_stored(kept(tmp_path_factory.mktemp("rows"), rows[:NOISY]), majority(votes), votes=votes)


@pytest.fixture(scope="module")
def plain(rows, votes):
    return at_once(rows, votes)


def test_beliefs_count_and_annotators_are_those_of_all_rows_at_once(votes, found, plain):
    np.testing.assert_allclose(found.suspicion, plain.suspicion, atol=5e-3)
    assert (found.suggestion == plain.suggestion).mean() > 0.995
    assert found.count.expected == pytest.approx(plain.wrong_labels().expected, rel=5e-3)
    np.testing.assert_allclose(found.noise_matrix, plain.noise_matrix, atol=2e-3)
    assert found.caveats == plain.caveats
    several = consensus_of(plain, votes)
    np.testing.assert_allclose(found.annotators.quality, several.annotator_quality, atol=2e-3)
    told = several.missing.sum(axis=0) / (votes < 0).sum(axis=0)
    np.testing.assert_allclose(found.annotators.told, told, atol=5e-3)
    asked = np.where(several.missing.max(axis=1) > 0, several.missing.argmax(axis=1), -1)
    assert (found.annotators.ask == asked).mean() > 0.99


def test_votes_in_a_file_are_judged_to_the_same_bytes(rows, votes, found, tmp_path):
    np.save(tmp_path / "votes.npy", votes.astype(np.int32))
    said = stored.Stored.of(np.load(tmp_path / "votes.npy", mmap_mode="r"))
    again = judge.judge_stored(kept(tmp_path, rows[:NOISY]), majority(votes), votes=said, engine=Engine(2))
    assert again.suspicion.tobytes() == found.suspicion.tobytes()
    assert again.annotators.quality.tobytes() == found.annotators.quality.tobytes()


def test_with_trusted_rows_too(made, rows, votes, tmp_path):
    right = ~made.wrong[10 + NOISY : 890]
    sure = Split.from_arrays(rows[NOISY:880][right], made.truth[10 + NOISY : 890][right])
    found = judge.judge_stored(kept(tmp_path, rows[:NOISY]), majority(votes), sure, votes=votes)
    plain = at_once(rows, votes, sure)
    np.testing.assert_allclose(found.suspicion, plain.suspicion, atol=5e-3)
    assert found.count.expected == pytest.approx(plain.wrong_labels().expected, rel=5e-3)
    assert found.count.high == pytest.approx(plain.wrong_labels().high, abs=2)


def test_the_labels_alone_know_less(made, rows, votes, found, tmp_path):
    alone = judge.judge_stored(kept(tmp_path, rows[:NOISY]), majority(votes))
    wrong = majority(votes) != made.truth[10 : 10 + NOISY]
    first = [wrong[np.argsort(-one.suspicion)[: wrong.sum()]].mean() for one in (found, alone)]
    assert first[0] > first[1] + 0.05
    best = [(one.suggestion == made.truth[10 : 10 + NOISY]).mean() for one in (found, alone)]
    assert best[0] > best[1]


def test_one_annotator_is_the_plain_case_also_with_copies_and_rows_without_a_label(made, tmp_path):
    rows, labels = made.stored(tmp_path), made.labels.copy()
    labels[5:10] = labels[:5]
    plain = judge.judge_stored(rows, labels)
    found = judge.judge_stored(rows, labels, votes=labels[:, None])
    np.testing.assert_allclose(found.suspicion, plain.suspicion, atol=1e-3)
    assert np.isnan(found.suspicion[-10:]).all()
    assert found.count.expected == pytest.approx(plain.count.expected, rel=5e-3)
    assert found.annotators.ask.tolist() == [-1] * 900
    assert np.isnan(found.annotators.told).all()
    checked = np.argsort(-np.nan_to_num(plain.suspicion))[:30]
    ahead = labels >= 0
    ahead[checked] = False
    counts = [one.recount.after(ahead, one.suspicion, checked, made.truth[checked]).count for one in (plain, found)]
    assert counts[1].expected == pytest.approx(counts[0].expected, rel=0.02)
    assert counts[1].high == pytest.approx(counts[0].high, abs=3)


@pytest.mark.parametrize("looks", [20, 80, 250])
@pytest.mark.parametrize("suspicious", [True, False])
def test_after_decisions_the_annotators_are_those_of_a_round_in_memory(made, votes, found, plain, looks, suspicious):
    """But for what the learners learn from the decisions, which they do in memory only."""
    truth, labels = made.truth[10 : 10 + NOISY], majority(votes)
    order = np.argsort(-found.suspicion) if suspicious else np.random.default_rng(looks).permutation(NOISY)
    checked, left_out, still = order[:looks], order[looks : looks + 9], np.sort(order[looks + 9 :])
    ahead = np.isin(np.arange(NOISY), still)
    later = found.recount.after(ahead, found.suspicion, checked, truth[checked])
    count, people = later.count, later.annotators
    assert count.low <= (labels != truth)[ahead].sum() <= count.high
    right = dict(zip(checked.tolist(), truth[checked].tolist(), strict=True))
    several = consensus_of(next_round(plain, right, left_out.tolist()).posterior, votes[still])
    np.testing.assert_allclose(people.quality, several.annotator_quality, atol=5e-3)
    np.testing.assert_allclose(people.told, several.missing.sum(axis=0) / (votes[still] < 0).sum(axis=0), atol=0.01)
    asked = np.where(several.missing.max(axis=1) > 0, several.missing.argmax(axis=1), -1)
    assert (people.ask[still] == asked).mean() > 0.99


def test_in_a_sample_the_most_suspicious_rows_say_whom_to_ask(made, votes, found, monkeypatch):
    """Of the others, those outside the sample stay what they were."""
    monkeypatch.setattr(recount, "_CERTAIN", 100)
    order = np.argsort(-found.suspicion, kind="stable")
    few = np.isin(np.arange(NOISY), order[::5])
    sample = found.recount.sample.among(few)
    counting = replace(found.recount, sample=sample, annotators=replace(found.annotators, ask=np.full(NOISY, 9)))
    ahead = np.isin(np.arange(NOISY), order[60:])
    whole, part = (
        one.after(ahead, found.suspicion, order[:60], made.truth[10 : 10 + NOISY][order[:60]]).annotators
        for one in (found.recount, counting)
    )
    judged = few | np.isin(np.arange(NOISY), order[60:160])
    assert (part.ask[~judged] == 9).all()
    assert (part.ask[judged & ahead] == whole.ask[judged & ahead]).mean() > 0.95
    np.testing.assert_allclose(part.quality, whole.quality, atol=0.05)


def test_the_votes_on_equal_rows_are_one_piece_of_evidence(rows, votes, tmp_path):
    """As if each annotator had said of every copy what they said of the row."""
    twice = np.concatenate([rows[:NOISY], rows[:NOISY]])
    both = np.concatenate([votes, votes])
    one = judge.judge_stored(kept(tmp_path, rows[:NOISY]), majority(votes), votes=votes)
    found = judge.judge_stored(kept(tmp_path, twice), majority(both), votes=both)
    np.testing.assert_allclose(found.suspicion[:NOISY], found.suspicion[NOISY:], atol=1e-4)
    assert np.corrcoef(found.suspicion[:NOISY], one.suspicion)[0, 1] > 0.99
    assert found.suspicion.sum() == pytest.approx(2 * one.suspicion.sum(), rel=0.05)


def test_a_run_that_is_stopped_goes_on_to_the_same_bytes(rows, votes, found, tmp_path, monkeypatch):
    from cleaning.belief.blocks import work

    data, run, folder = kept(tmp_path, rows[:NOISY]), work.finished_jobs, tmp_path / "work"
    for stop_after in (2, 30, None):
        left = [stop_after]

        def stopping(*arguments, left=left):
            for one in run(*arguments):
                if left[0] == 0:
                    raise KeyboardInterrupt
                left[0] = None if left[0] is None else left[0] - 1
                yield one

        monkeypatch.setattr(work, "finished_jobs", stopping)
        if stop_after is None:
            again = judge.judge_stored(data, majority(votes), votes=votes, folder=folder)
        else:
            with pytest.raises(KeyboardInterrupt):
                judge.judge_stored(data, majority(votes), votes=votes, folder=folder)
    assert again.suspicion.tobytes() == found.suspicion.tobytes()
    assert again.annotators.told.tobytes() == found.annotators.told.tobytes()


def test_shares_and_votes_of_ballots():
    from scipy.sparse import csr_array

    ballots = csr_array(np.array([[1, 0, 0, 0, 1, 0], [0, 0.5, 0.5, 0, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=float))
    assert shares_in(ballots, 3).toarray().tolist() == [[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 0]]
    assert voted_on(ballots, 3).tolist() == [[True, True], [True, False], [False, False]]
