"""Judged by blocks, rows get what `label_posterior` says of them, and what it costs to stop and go on is nothing."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from cleaning.belief import basis, posterior
from cleaning.belief.blocks import block, cost, forward, judge, stored
from cleaning.data import Split
from cleaning.errors import InvalidInput
from cleaning.parallel.engine import Engine, thread_pools
from tests.cleaning.belief.blocks.made import case


@pytest.fixture(scope="module", autouse=True)
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "FEWEST_ROWS", 250)
        yield


@pytest.fixture(scope="module")
def given():
    return case()


@pytest.fixture(scope="module")
def found(given, tmp_path_factory):
    return judge.judge_stored(given.stored(tmp_path_factory.mktemp("rows")), given.labels)


def test_it_is_as_good_as_the_posterior_of_all_rows_at_once(given, found, monkeypatch):
    monkeypatch.setattr(basis, "DENSE_ROWS", 100)  # the learners for many rows
    rows = np.flatnonzero(given.labels >= 0)
    plain = posterior.label_posterior(Split.from_arrays(given.rows[rows], given.labels[rows]))
    ours, theirs = found.suspicion[rows], plain.suspicion
    assert np.corrcoef(ours, theirs)[0, 1] > 0.98
    precision = [average_precision_score(given.wrong[rows], one) for one in (ours, theirs)]
    assert precision[0] == pytest.approx(precision[1], abs=0.02)
    assert found.count.expected == pytest.approx(plain.wrong_labels().expected, rel=0.1)
    assert found.count.low <= given.wrong.sum() <= found.count.high
    assert np.abs(found.noise_matrix - plain.noise_matrix).max() < 0.03


@pytest.mark.parametrize(("contents", "copies"), [(40, 15), (150, 4)])
def test_equal_rows_are_one_piece_of_evidence(contents, copies, tmp_path):
    """As for `label_posterior`, also where a few of them are called something else than the others."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, contents)
    once = (1.2 * rng.normal(size=(4, 16))[truth] + rng.normal(size=(contents, 16))).astype(np.float32)
    drawn = rng.permutation(np.repeat(np.arange(contents), copies))
    wrong = rng.random(len(drawn)) < 0.1
    labels = np.where(wrong, (truth[drawn] + rng.integers(1, 4, len(drawn))) % 4, truth[drawn])
    np.save(tmp_path / "rows.npy", once[drawn])
    found = judge.judge_stored(stored.Stored.of(np.load(tmp_path / "rows.npy", mmap_mode="r")), labels)
    plain = posterior.label_posterior(Split.from_arrays(once[drawn], labels))
    assert average_precision_score(wrong, found.suspicion) > 0.97
    assert found.suspicion.sum() == pytest.approx(plain.suspicion.sum(), rel=0.05)
    assert found.count.expected == pytest.approx(plain.wrong_labels().expected, rel=0.05)
    assert found.count.low <= wrong.sum() <= found.count.high
    assert found.count.high > 0.7 * plain.wrong_labels().high


def test_rows_that_are_all_equal_tell_nothing(tmp_path):
    np.save(tmp_path / "rows.npy", np.ones((600, 8), dtype=np.float32))
    rows = stored.Stored.of(np.load(tmp_path / "rows.npy", mmap_mode="r"))
    found = judge.judge_stored(rows, np.arange(600) % 3)
    assert found.count is None
    assert found.caveats


def test_rows_without_a_label_get_a_suggestion(given, found):
    bare = given.labels < 0
    assert np.isnan(found.suspicion).tolist() == bare.tolist()
    assert (found.suggestion[bare] >= 0).all()
    assert (found.probability[bare] > 0.25).all()


def test_the_suggestion_is_the_given_label_unless_another_is_more_probable(given, found):
    labelled = given.labels >= 0
    changed = labelled & (found.suggestion != given.labels)
    assert (found.suspicion[changed] >= found.probability[changed] - 1e-6).all()
    kept = labelled & ~changed
    np.testing.assert_allclose(found.suspicion[kept], 1 - found.probability[kept], atol=1e-6)


def test_equal_rows_are_named(found):
    assert found.copy_of[5:10].tolist() == [0, 1, 2, 3, 4]
    assert (np.delete(found.copy_of, np.arange(5, 10)) == -1).all()


def test_the_order_of_the_rows_does_not_matter(given, found, tmp_path):
    # of copies with different labels the first is learned from, so these stay where they are
    turned = np.concatenate([np.arange(10), 10 + np.random.default_rng(0).permutation(len(given.rows) - 10)])
    np.save(tmp_path / "rows.npy", given.rows[turned])
    again = judge.judge_stored(stored.Stored.of(np.load(tmp_path / "rows.npy", mmap_mode="r")), given.labels[turned])
    np.testing.assert_allclose(again.suspicion, found.suspicion[turned], atol=0.02)


def test_class_numbers_need_not_follow_each_other(given, found, tmp_path):
    labels = np.where(given.labels < 0, -1, 7 * given.labels + 3)
    again = judge.judge_stored(given.stored(tmp_path), labels)
    np.testing.assert_array_equal(again.suspicion, found.suspicion)
    np.testing.assert_array_equal(again.suggestion, 7 * found.suggestion + 3)


def test_half_precision_is_enough(given, found, tmp_path):
    again = judge.judge_stored(given.stored(tmp_path, "float16"), given.labels)
    assert np.corrcoef(again.suspicion[:-10], found.suspicion[:-10])[0, 1] > 0.98


def test_two_processes_give_the_same_bytes(given, found, tmp_path):
    again = judge.judge_stored(given.stored(tmp_path), given.labels, engine=Engine(jobs=2))
    assert again.suspicion.tobytes() == found.suspicion.tobytes()


def test_a_run_that_is_stopped_anywhere_goes_on_to_the_same_bytes(given, found, tmp_path, monkeypatch):
    rows, jobs = given.stored(tmp_path), 0
    for stop_after in (3, 9, 40, 120, None):
        done = 0

        def stopping(function, shared, items, engine, stop_after=stop_after):
            nonlocal done, jobs
            for number, item in enumerate(items):
                if done == stop_after:
                    raise KeyboardInterrupt
                done, jobs = done + 1, jobs + 1
                with thread_pools().limit(limits=1):  # as in the engine
                    result = function(*shared, item, None)
                yield number, result

        monkeypatch.setattr("cleaning.belief.blocks.work.finished_jobs", stopping)
        if stop_after is None:
            again = judge.judge_stored(rows, given.labels, folder=tmp_path / "work")
        else:
            with pytest.raises(KeyboardInterrupt):
                judge.judge_stored(rows, given.labels, folder=tmp_path / "work")
    whole = jobs
    assert again.suspicion.tobytes() == found.suspicion.tobytes()
    assert sorted(path.name for path in (tmp_path / "work").iterdir() if path.is_dir()) == []
    jobs = 0
    judge.judge_stored(rows, given.labels, folder=tmp_path / "work")
    assert jobs == 0
    judge.judge_stored(rows, given.labels)
    assert jobs == whole  # no block was computed twice


@pytest.mark.parametrize("planned", [3, 15, 60])
def test_progress_grows_to_the_end_however_many_passes_were_planned(given, tmp_path, monkeypatch, planned):
    told = []
    for module in (cost, forward):
        monkeypatch.setattr(module, "EVALUATIONS", planned)
    judge.judge_stored(given.stored(tmp_path), given.labels, progress=lambda *now: told.append(now))
    done = [now[0] / now[1] for now in told]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(1.0)
    assert max(done[:-1]) < 1 - 1e-6
    assert {"model 1 of 5", "beliefs about the labels"} <= {now[2] for now in told}
    ends = [max(share for share, now in zip(done, told, strict=True) if now[2] == f"model {k} of 5") for k in (2, 3, 4)]
    assert ends[1] - ends[0] == pytest.approx(ends[2] - ends[1], rel=0.5)  # it does not stand still


def test_one_class_is_refused(given, tmp_path):
    with pytest.raises(InvalidInput, match="fewer than two classes"):
        judge.judge_stored(given.stored(tmp_path), np.minimum(given.labels, 0))


def test_what_is_too_large_depends_on_rows_columns_and_classes():
    assert judge.too_large(1_300_000, 512, 1000)
    assert judge.too_large(1_300_000, 512, 10)
    assert not judge.too_large(100_000, 512, 10)
    assert not judge.too_large(10_000_000, 512, 1)
