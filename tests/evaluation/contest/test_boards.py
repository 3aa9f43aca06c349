"""Boards: which submission counts, on which part, and who stands first among equals."""

import csv
import json

import pytest
import yaml

from cleaning import InvalidInput
from evaluation.cli import main
from evaluation.contest import log as submission_log
from evaluation.contest.boards import board
from evaluation.contest.log import Entry, SubmissionLog
from evaluation.contract import registry
from evaluation.contract.loading import load_parameters
from evaluation.settings.rules import Rate, Rules
from tests.support import write_parameters

LADDER = (1, 5, 10, 100, 1000)


def entry(team, number, public, private=None, **changes):
    """A scored retrieval submission; `public` and `private` are mAP, and recall unless told."""
    now = submission_log.clock()

    def metrics(value, recall=None):
        recalls = [value] * 5 if recall is None else recall
        return {"map_at_1000": value, **{f"recall_at_{k}": r for k, r in zip(LADDER, recalls, strict=True)}}

    recall = changes.pop("recall", None)
    private = public if private is None else private
    scores = {"all": metrics((public + private) / 2, recall), "public": metrics(public, recall)}
    content = {
        "task": "image_retrieval",
        "dataset": "x",
        "team": team,
        "seed": 0,
        "number": number,
        "received": now,
        "written": now,
        "file": f"x_{team}.json",
        "sha256": "00",
        "verdict": "ok",
        "basis": "b",
        "scores": {**scores, "private": metrics(private, recall)},
    }
    return Entry(**{**content, **changes})


def order(tmp_path, entries, name="public", rules=None):
    found = _board(tmp_path, entries, name, rules)
    return [(one.place, one.row.method, round(one.row.mean, 6)) for one in found.standings]


def _board(tmp_path, entries, name="public", rules=None):
    log = SubmissionLog(tmp_path / "submissions.jsonl")
    log.path.unlink(missing_ok=True)
    with log.locked():
        for one in entries:
            log.append(one)
    return board(log, registry.task("image_retrieval"), name, rules or Rules(counts="best"))


def test_best_is_judged_in_public_and_shown_on_every_board(tmp_path):
    entries = [entry("a", 1, 0.5, 0.1), entry("a", 2, 0.4, 0.9), entry("b", 1, 0.45, 0.3)]
    assert order(tmp_path, entries) == [(1, "a", 0.5), (2, "b", 0.45)]
    assert order(tmp_path, entries, "private") == [(1, "b", 0.3), (2, "a", 0.1)]
    assert order(tmp_path, entries, "private", Rules(counts="last_valid")) == [(1, "a", 0.9), (2, "b", 0.3)]


def test_the_earliest_of_equally_good_submissions_counts(tmp_path):
    found = _board(tmp_path, [entry("a", 1, 0.5, 0.1), entry("a", 2, 0.5, 0.9)])
    assert found.standings[0].counting[0].number == 1
    assert found.standings[0].submissions == 2


def test_the_last_valid_one_is_not_the_last(tmp_path):
    failed = entry("a", 3, 0.0, verdict="failed", scores={}, reason="no")
    entries = [entry("a", 1, 0.5), entry("a", 2, 0.4), failed, entry("a", 4, 0, verdict="accepted", scores={})]
    for rules in (Rules(counts="last_valid"), Rules(rate=Rate())):
        assert order(tmp_path, entries, rules=rules) == [(1, "a", 0.4)]


def test_the_recall_ladder_and_then_the_earlier_submission_break_ties(tmp_path):
    high, low = [0.5, 0.6, 0.7, 0.8, 0.9], [0.5, 0.6, 0.7, 0.7, 1.0]
    first, second = entry("z", 1, 0.5, recall=low), entry("y", 1, 0.5, recall=high)
    third = entry("a", 1, 0.5, recall=high)
    assert [team for _, team, _ in order(tmp_path, [first, second, third])] == ["y", "a", "z"]
    assert [place for place, _, _ in order(tmp_path, [first, second, third])] == [1, 2, 3]
    found = _board(tmp_path, [first, second, third]).standings
    assert [None if one.row.to_best is None else one.row.to_best.mean for one in found] == [None, 0.0, 0.0]


def test_earlier_is_what_the_log_says_whatever_the_clock_said(tmp_path):
    early, late = (submission_log.clock().replace(year=year) for year in (2001, 2031))
    entries = [entry("b", 1, 0.5, received=late), entry("a", 1, 0.5, received=early)]
    assert [team for _, team, _ in order(tmp_path, entries)] == ["b", "a"]
    again = [one.model_copy(update={"basis": "c"}) for one in reversed(entries)]
    assert [team for _, team, _ in order(tmp_path, [*entries, *again])] == ["b", "a"]


def test_scores_on_older_data_are_left_out_and_counted(tmp_path):
    found = _board(tmp_path, [entry("a", 1, 0.9, basis="old"), entry("b", 1, 0.4), entry("b", 2, 0.3)])
    assert [one.row.method for one in found.standings] == ["b"]
    assert found.outdated == 1


def test_a_team_that_lacks_a_data_id_is_last_without_a_place(tmp_path):
    entries = [entry("a", 1, 0.9), entry("b", 1, 0.4), entry("b", 1, 0.2, dataset="y")]
    assert order(tmp_path, entries) == [(1, "b", 0.3), (None, "a", 0.9)]


def test_withdrawn_teams_are_not_on_the_board(tmp_path):
    entries = [entry("a", 1, 0.9), entry("b", 1, 0.4), entry("a", 1, 0, verdict="withdrawn", scores={}, basis=None)]
    assert order(tmp_path, entries) == [(1, "b", 0.4)]


def test_a_board_without_scores_says_what_to_do(tmp_path):
    with pytest.raises(InvalidInput, match=r"no scored submissions for the task image_retrieval.*fixfirst evaluate"):
        _board(tmp_path, [])
    bare = entry("a", 1, 0.5)
    bare = bare.model_copy(update={"scores": {"all": bare.scores["all"]}})
    with pytest.raises(InvalidInput, match=r"not split into public and private \(1 in all: x\).*--board=all"):
        _board(tmp_path, [bare])
    assert order(tmp_path, [bare], "all") == [(1, "a", 0.5)]


def command(capsys, *arguments):
    status = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out, err


def test_the_command_prints_and_writes_the_board(tmp_path, capsys):
    write_parameters(tmp_path, tasks=["image_retrieval"], datasets={"a": {"task": "image_retrieval", "ids": ["x"]}})
    truth = {"query": {f"q{n}": f"p{n}" for n in range(4)}, "reference": {f"r{n}": f"p{n}" for n in range(4)}}
    (tmp_path / "data" / "x").mkdir(parents=True)
    (tmp_path / "data" / "x" / "truth.json").write_text(json.dumps(truth))
    (tmp_path / "submissions").mkdir()
    for team, right in (("good|er", 4), ("bad", 0)):
        lists = [[0, [f"q{n}", [f"r{n if n < right else (n + 1) % 4}"]]] for n in range(4)]
        (tmp_path / "submissions" / f"x_{team}.json").write_text(json.dumps(lists))
    assert command(capsys, "evaluate", f"--workspace={tmp_path}")[0] == 0
    for name in ("public", "private", "all"):
        status, out, _ = command(
            capsys, "leaderboard", "--task=image_retrieval", f"--board={name}", f"--workspace={tmp_path}"
        )
        assert status == 0
        assert f"image_retrieval, board {name}: the best submission of each team counts" in out
        with (tmp_path / "results" / f"leaderboard_image_retrieval_{name}.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert [(row["rank"], row["team"], float(row["mean"])) for row in rows] == [
            ("1", "good|er", 1),
            ("2", "bad", 0),
        ]
        assert rows[0]["files"] == "x_good|er.json"
        assert (
            "| 1 | good\\|er | 1.000000 |"
            in (tmp_path / "results" / f"leaderboard_image_retrieval_{name}.md").read_text()
        )


def test_rules_of_the_parameters_come_first(tmp_path, capsys):
    path = write_parameters(tmp_path, rules={"zero_shot": {"counts": "best"}, "logo": {"rate": {"per_day": 3}}})
    parameters = load_parameters(path)
    counts = {name: registry.rules_of(registry.task(name), parameters).counts for name in registry.tasks()}
    assert counts["zero_shot"] == "best"
    assert counts["logo"] == "best"
    assert registry.rules_of(registry.task("zero_shot"), parameters).rate.total == 150
    assert registry.rules_of(registry.task("logo"), parameters).rate.per_day == 3
    content = yaml.safe_load(path.read_text())
    write_parameters(tmp_path, **{**content, "rules": {"zero_shott": {}}})
    status, _, err = command(capsys, "evaluate", f"--workspace={tmp_path}")
    assert status == 1
    assert "did you mean zero_shot" in err


def test_cleaning_has_the_whole_board_alone(workspace, capsys):
    for step in ("create_baselines", "evaluate"):
        assert command(capsys, step, f"--workspace={workspace}")[0] == 0
    status, out, _ = command(capsys, "leaderboard", f"--workspace={workspace}")
    assert status == 0
    assert "the last valid submission" in out
    assert (workspace / "results" / "leaderboard_cleaning_all.csv").exists()
    status, _, err = command(capsys, "leaderboard", "--board=public", f"--workspace={workspace}")
    assert status == 1
    assert "not split into public and private (2 in all: blobs, blobs-b)" in err


def test_a_metric_that_budgets_leave_out_is_an_empty_cell(workspace, capsys):
    content = yaml.safe_load((workspace / "parameters.yaml").read_text())
    write_parameters(workspace, **{**content, "budgets": [0, 10, 20]})
    for step in ("create_baselines", "evaluate"):
        assert command(capsys, step, f"--workspace={workspace}")[0] == 0
    assert command(capsys, "leaderboard", f"--workspace={workspace}")[0] == 0
    with (workspace / "results" / "leaderboard_cleaning_all.csv").open() as file:
        assert {row["fraction_fixes"] for row in csv.DictReader(file)} == {""}
    lines = (workspace / "results" / "leaderboard_cleaning_all.md").read_text().splitlines()
    names, _, *rows = [[cell.strip() for cell in line.split("|")] for line in lines[2:]]
    assert all(len(row) == len(names) for row in rows)
    assert {row[names.index("fraction_fixes")] for row in rows} == {""}
    assert all(float(row[names.index("fixes_needed")]) >= 0 for row in rows)
