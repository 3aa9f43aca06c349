import io
import json
import re

import numpy as np
import pytest

from cleaning import FixfirstError, InvalidInput, Ranking
from evaluation.contest.log import SubmissionLog
from evaluation.contract import registry
from evaluation.contract.record import latest, read_records
from evaluation.files.progress import Reporter
from evaluation.files.whole import append_line
from evaluation.harness import evaluate as run
from evaluation.harness import results
from evaluation.harness.evaluate import evaluate
from evaluation.harness.produce import create_baselines
from evaluation.submissions.rankings import write_submission
from tests.support import write_parameters


def score(folders):
    reporter = Reporter(io.StringIO(), io.StringIO())
    failures = evaluate(folders, reporter)
    return failures, reporter.out.getvalue(), reporter.err.getvalue()


def test_every_submission_becomes_a_record_with_everything_it_rests_on(ranked):
    assert score(ranked)[0] == 0
    records = read_records(ranked.results_file)
    assert [(r.dataset, r.method) for r in records] == [
        ("blobs-b", "knn_shapley"),
        ("blobs-b", "random"),
        ("blobs", "knn_shapley"),
        ("blobs", "random"),
    ]
    record = records[0]
    assert record.status == "ok"
    assert set(record.metrics) == {metric.name for metric in registry.task("cleaning").metrics}
    assert record.denominators == {"n_train": 30, "n_wrong": 9, "n_test": 60}
    assert record.metrics["score"] == record.metrics["fixes_needed"] / 30
    assert len(record.curve.fixes) == 31
    assert record.seconds > 0
    assert record.settings["learner"]["name"] == "logistic"
    assert record.environment["numpy"] == np.__version__
    assert len(record.submission_sha256) == len(record.dataset_sha256) == 64


def test_a_second_evaluation_fits_nothing_and_writes_nothing(ranked, monkeypatch):
    score(ranked)
    before = ranked.results_file.read_bytes()

    def refuse(*_):
        raise AssertionError("a model was fitted")

    monkeypatch.setattr(run, "_score_one", refuse)
    failures, out, _ = score(ranked)
    assert failures == 0
    assert "4 submissions, 4 already known, 0 to score" in out
    assert ranked.results_file.read_bytes() == before


def test_only_what_changed_is_scored_again(ranked):
    score(ranked)
    write_submission(ranked.submission_folder / "blobs_random.txt", Ranking(np.arange(30)), 1.0)
    assert "3 already known, 1 to score" in score(ranked)[1]
    write_parameters(ranked.parameters_file.parent, target=0.9)
    assert "0 already known, 4 to score" in score(ranked)[1]
    path = ranked.groundtruth_folder / "dataset_blobs_val.csv"
    path.write_text(path.read_text().replace("blob", "blub"))
    assert "2 already known, 2 to score" in score(ranked)[1]


def test_going_back_to_old_settings_reuses_the_old_record_as_the_newest(ranked):
    score(ranked)
    write_parameters(ranked.parameters_file.parent, target=0.6)
    score(ranked)
    write_parameters(ranked.parameters_file.parent)
    assert "4 already known" in score(ranked)[1]
    assert {r.settings["target"] for r in latest(read_records(ranked.results_file))} == {0.95}
    assert len(read_records(ranked.results_file)) == 12


def test_the_original_shape_is_written_for_old_readers(ranked):
    score(ranked)
    content = json.loads((ranked.results_folder / "blobs_evaluation.json").read_text())
    records = {r.method: r for r in read_records(ranked.results_file) if r.dataset == "blobs"}
    assert set(content) == {"before_acc", "submitted_evaluations", "auc_score"}
    assert content["before_acc"] == np.round(records["random"].curve.dirty, 2)
    rows = [row for row in content["submitted_evaluations"] if row["submission"] == "random"]
    assert [row["fixes"] for row in rows] == list(range(1, 31))
    accuracy = [row["accuracy"] for row in rows]
    assert accuracy == np.round(records["random"].curve.accuracy[1:], 2).tolist()
    first = next(i for i, a in enumerate(accuracy) if a >= 0.95 * accuracy[-1])
    assert content["auc_score"]["random"] == {"auc": -1, "fraction_fixes": first / 30}


def test_failures_are_recorded_and_the_rest_goes_on(ranked):
    bad = ranked.submission_folder / "blobs_random.txt"
    bad.write_text("0\n0\n")
    (ranked.submission_folder / "unknown_x.txt").write_text("0\n")
    failures, _, err = score(ranked)
    assert failures == 2
    assert "blobs_random.txt, line 2: row 0 already appears on line 1" in err
    assert "unknown_x.txt: the name does not start with a known data id" in err
    records = {(r.dataset, r.method): r for r in read_records(ranked.results_file)}
    assert records["blobs", "random"].status == "failed"
    assert "line 2" in records["blobs", "random"].error
    assert sum(r.status == "ok" for r in records.values()) == 3
    assert score(ranked)[0] == 2  # tried again, and still said


def test_a_failed_submission_that_is_mended_replaces_its_failure(ranked):
    path = ranked.submission_folder / "blobs_random.txt"
    good = path.read_text()
    path.write_text("0\n")
    score(ranked)
    path.write_text(good)
    assert score(ranked)[0] == 0
    assert all(r.status == "ok" for r in latest(read_records(ranked.results_file)))


def test_a_submission_taken_away_is_withdrawn(ranked):
    score(ranked)
    (ranked.submission_folder / "blobs_random.txt").unlink()
    score(ranked)
    assert ("blobs", "random") not in {(r.dataset, r.method) for r in latest(read_records(ranked.results_file))}
    size = len(read_records(ranked.results_file))
    score(ranked)
    assert len(read_records(ranked.results_file)) == size


def test_bad_data_fails_every_submission_of_its_id_only(ranked):
    (ranked.groundtruth_folder / "dataset_blobs_train.csv").write_text("nonsense\n")
    failures, _, err = score(ranked)
    assert failures == 2
    assert "there is no column 'ImageID'" in err


def test_a_bug_of_ours_is_a_record_too(ranked, monkeypatch):
    def broken(*_):
        raise KeyError("oops")

    monkeypatch.setattr("evaluation.tasks.cleaning.task.simulate", broken)
    failures, _, err = score(ranked)
    assert failures == 4
    assert "scoring crashed (KeyError: 'oops'); this is a bug in fixfirst" in err


def test_several_jobs_give_the_same_records(ranked):
    score(ranked)
    serial = {r.slot: (r.metrics, r.curve) for r in read_records(ranked.results_file)}
    ranked.results_file.unlink()
    write_parameters(ranked.parameters_file.parent, jobs=2)
    assert score(ranked)[0] == 0
    assert {r.slot: (r.metrics, r.curve) for r in read_records(ranked.results_file)} == serial


def test_a_killed_run_goes_on_after_its_last_record(ranked):
    score(ranked)
    lines = ranked.results_file.read_text().splitlines(keepends=True)
    ranked.results_file.write_text("".join(lines[:2]) + lines[2][:40])
    assert "2 already known, 2 to score" in score(ranked)[1]
    assert len(read_records(ranked.results_file)) == 4


def test_without_submissions_or_data_sets_the_fix_is_told(folders):
    failures, _, err = score(folders)
    assert failures == 1
    assert "failed: " in err
    assert re.search(r"no submissions for the task cleaning.*create_baselines", err)
    write_parameters(folders.parameters_file.parent, datasets={})
    with pytest.raises(FixfirstError, match="no data set of the task cleaning is enabled"):
        score(folders)
    write_parameters(folders.parameters_file.parent, tasks=["clean"])
    with pytest.raises(FixfirstError, match="did you mean cleaning"):
        score(folders)


def test_code_in_the_workspace_is_not_loaded(ranked):
    ranked.ranker_folder.mkdir()
    (ranked.ranker_folder / "trap.py").write_text("raise SystemExit(7)\n")
    assert score(ranked)[0] == 0


def test_another_tasks_records_are_left_alone(ranked):
    score(ranked)
    line = ranked.results_file.read_text().splitlines()[0].replace('"task":"cleaning"', '"task":"other"')
    append_line(ranked.results_file, line)
    score(ranked)
    assert [r.task for r in latest(read_records(ranked.results_file))].count("other") == 1


def test_bounds_are_scored_when_asked_for_and_never_written_as_submissions(ranked):
    write_parameters(ranked.parameters_file.parent, bounds=["oracle_errors_first"])
    assert score(ranked)[0] == 0
    found = {r.method: r for r in latest(read_records(ranked.results_file)) if r.dataset == "blobs"}
    assert found["oracle_errors_first"].metrics["fixes_needed"] <= 9
    assert found["oracle_errors_first"].seconds is None
    assert found["oracle_errors_first"].settings["bound"]
    assert not list(ranked.submission_folder.glob("*oracle*"))
    assert "6 already known, 0 to score" in score(ranked)[1]
    write_parameters(ranked.parameters_file.parent)
    score(ranked)
    assert "oracle_errors_first" not in {r.method for r in latest(read_records(ranked.results_file))}


@pytest.mark.parametrize(("key", "name"), [("bounds", "random"), ("rankers", "oracle_errors_first")])
def test_a_bound_is_no_ranker_nor_a_ranker_a_bound(ranked, key, name):
    write_parameters(ranked.parameters_file.parent, **{key: [name]})
    told = "no such bound, found 'random'" if key == "bounds" else "list it under"
    with pytest.raises(FixfirstError, match=told):
        score(ranked) if key == "bounds" else create_baselines(ranked, Reporter(io.StringIO(), io.StringIO()))


def test_a_learner_that_cannot_be_is_refused_with_the_file_before_anything_is_scored(ranked):
    write_parameters(ranked.parameters_file.parent, learner={"name": "logistic", "C": -1})
    with pytest.raises(InvalidInput, match=r"parameters.yaml, learner logistic, option C: found -1"):
        score(ranked)
    assert not ranked.results_file.exists()


def test_a_second_evaluation_reads_the_results_once_and_does_not_lock_the_log(ranked, monkeypatch):
    assert evaluate(ranked, Reporter(io.StringIO(), io.StringIO())) == 0
    before = [path.read_bytes() for path in (ranked.results_file, ranked.submission_log)]
    read, locked = [], []
    original, lock = results.records_in, SubmissionLog.locked
    monkeypatch.setattr(results, "records_in", lambda *part, **at: read.append(part[0]) or original(*part, **at))
    monkeypatch.setattr(SubmissionLog, "locked", lambda log: locked.append(log) or lock(log))
    assert evaluate(ranked, Reporter(io.StringIO(), io.StringIO())) == 0
    assert (read, locked) == ([before[0]], [])
    assert [path.read_bytes() for path in (ranked.results_file, ranked.submission_log)] == before
    for path in ranked.submission_folder.glob("*_random.txt"):
        path.unlink()
    assert evaluate(ranked, Reporter(io.StringIO(), io.StringIO())) == 0
    assert b"".join(read[1:]) == ranked.results_file.read_bytes()
    assert len(locked) == 1


def test_results_that_cannot_be_written_are_told_before_anything_is_computed(ranked, monkeypatch):
    def refuse(*_):
        raise AssertionError("a model was fitted")

    monkeypatch.setattr(run, "_score_one", refuse)
    monkeypatch.setattr("evaluation.files.whole.os.access", lambda *_: False)
    with pytest.raises(FixfirstError, match=r"results: cannot write to the folder \(Permission denied\)"):
        score(ranked)
