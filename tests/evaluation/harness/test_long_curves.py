"""evaluate with curves that are cut into blocks, and with points thinned by `budgets:`."""

import io
import json

import pytest

from cleaning.learners.logistic import Learner
from evaluation.contract.record import latest, read_records
from evaluation.figures.report import plot
from evaluation.files.progress import Reporter
from evaluation.harness.evaluate import evaluate
from evaluation.tasks.cleaning import task
from tests.support import write_parameters


def score(folders):
    reporter = Reporter(io.StringIO(), io.StringIO())
    return evaluate(folders, reporter), reporter.err.getvalue()


@pytest.fixture
def blocks_of_three(monkeypatch):
    """Every curve is long and cut into blocks of three states; the states solved are noted."""
    solved = []
    accuracies = Learner.accuracies

    def noted(self, path, test, step):
        if len(solved) == blocks_of_three_until[0]:
            raise KeyboardInterrupt
        solved.append(len(path))
        return accuracies(self, path, test, step)

    blocks_of_three_until = [1000]
    monkeypatch.setattr(Learner, "block_size", lambda *_: 3)
    monkeypatch.setattr(Learner, "accuracies", noted)
    monkeypatch.setattr(task, "_LONG_CURVE", 0)
    return solved, blocks_of_three_until


def results(folders):
    return [(r.dataset, r.method, r.metrics, r.curve) for r in read_records(folders.results_file)]


def test_a_killed_evaluation_goes_on_at_its_last_block(ranked, blocks_of_three):
    solved, until = blocks_of_three
    assert score(ranked)[0] == 0
    expected, whole = results(ranked), list(solved)
    assert whole == [3, 3, 3, 1] * 4
    unfinished = ranked.results_folder / "unfinished"
    assert not unfinished.exists()
    ranked.results_file.unlink()
    solved.clear()
    until[0] = 6
    with pytest.raises(KeyboardInterrupt):
        score(ranked)
    assert len(read_records(ranked.results_file)) == 1
    assert len(list(unfinished.glob("cleaning/*/*.block"))) == 2
    until[0] = 1000
    assert score(ranked)[0] == 0
    assert solved == whole
    assert results(ranked) == expected
    assert not unfinished.exists()


def test_blocks_nobody_asks_for_any_more_are_removed(ranked, blocks_of_three):
    stale = ranked.results_folder / "unfinished" / "cleaning" / "0123" / "x.block"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"x")
    assert score(ranked)[0] == 0
    assert not (ranked.results_folder / "unfinished").exists()


def test_what_a_failed_curve_had_finished_is_kept(ranked, blocks_of_three, monkeypatch):
    accuracies = Learner.accuracies

    def broken(self, path, test, step):
        if path.rows.size and len(list(ranked.results_folder.glob("unfinished/*/*/*.block"))) == 2:
            raise MemoryError
        return accuracies(self, path, test, step)

    monkeypatch.setattr(Learner, "accuracies", broken)
    assert score(ranked)[0] > 0
    assert list((ranked.results_folder / "unfinished").glob("cleaning/*/*.block"))


@pytest.mark.usefixtures("no_pictures")
def test_budgets_thin_the_curve_and_say_so_in_the_record(ranked):
    assert score(ranked)[0] == 0
    whole = {(r.dataset, r.method): r for r in latest(read_records(ranked.results_file))}
    (ranked.results_folder / "blobs_evaluation.json").unlink()
    write_parameters(ranked.parameters_file.parent, budgets=[10, 20])
    assert score(ranked)[0] == 0
    thin = {(r.dataset, r.method): r for r in latest(read_records(ranked.results_file))}
    for slot, record in thin.items():
        assert record.settings["budgets"] == [10, 20]
        assert {0, 10, 20, 30} <= set(record.curve.fixes) < set(range(31))
        known = dict(zip(whole[slot].curve.fixes, whole[slot].curve.accuracy, strict=True))
        assert record.curve.accuracy == tuple(known[k] for k in record.curve.fixes)
        assert record.metrics["fixes_needed"] in record.curve.fixes
        assert "fraction_fixes" not in record.metrics
    assert not (ranked.results_folder / "blobs_evaluation.json").exists()
    plot(ranked, Reporter(io.StringIO(), io.StringIO()))
    assert "fraction_fixes" not in (ranked.results_folder / "leaderboard.md").read_text()
    assert json.loads(ranked.results_file.read_text().splitlines()[0])["settings"]["budgets"] is None


def test_a_budget_past_the_last_row_fails_with_its_number(ranked):
    write_parameters(ranked.parameters_file.parent, budgets=[31])
    failures, err = score(ranked)
    assert failures == 4
    assert "budgets: 31 is outside 0 … 30" in err


def test_progress_inside_a_long_curve_names_it(ranked, blocks_of_three, monkeypatch):
    monkeypatch.setattr("evaluation.files.progress._SECONDS_BETWEEN_LINES", 0.0)
    err = score(ranked)[1]
    assert "cleaning: 0/4 submissions, about " in err
    assert "left, random on blobs-b, 3 of 10 models" in err
