import re

import numpy as np
import pandas as pd
import pytest

from evaluation.contract.record import Record, append_record
from evaluation.labels.compare import Difference, read_ordered
from tests.evaluation.labels.decided import decide
from tests.evaluation.labels.own_data import FORMS, Rows, run


def lines(path, rows):
    path.write_text("".join(f"{row}\n" for row in rows))
    return path


def test_rankings_that_are_the_same_and_the_reverse_of_each_other(tmp_path, capsys):
    one = lines(tmp_path / "a.txt", range(60))
    status, out, _ = run(capsys, "compare", one, one)
    assert status == 0
    assert "60 rows in both\nrank correlation: Kendall 1.000, Spearman 1.000\n" in out
    assert "the order is the same" in out
    out = run(capsys, "compare", one, lines(tmp_path / "b.txt", range(59, -1, -1)))[1]
    assert "Kendall -1.000" in out
    assert "among the first 20: 0 rows in both" in out
    assert "among the first 50: 40 rows in both" in out
    assert "where they part:\n  0: place 1 in A, 60 in B" in out


def test_rows_of_one_ranking_only_do_not_count(tmp_path, capsys):
    frame = pd.DataFrame({"place": range(1, 31), "id": [f"r{row}" for row in range(30)]})
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.iloc[10:].to_parquet(tmp_path / "b.parquet", index=False)
    out = run(capsys, "compare", tmp_path / "a.csv", tmp_path / "b.parquet")[1]
    assert "20 rows in both, 10 rows in one of them only" in out
    assert "Kendall 1.000" in out


@pytest.fixture
def review(tmp_path, capsys):
    assert run(capsys, "rank", FORMS["csv"](tmp_path, Rows(n=60)))[0] == 0
    return tmp_path / "t_review"


def test_labels_found_wrong_are_the_score_and_its_limit_the_exit_status(review, tmp_path, capsys):
    ids = read_ordered(review).ids
    decide(review, {int(ids[0]): "drop", int(ids[1]): "=new", int(ids[2]): "keep", int(ids[3]): "drop"})
    back = lines(tmp_path / "back.txt", [int(name) for name in reversed(ids)])
    status, out, err = run(capsys, "compare", review, back, "--fail-if-worse=0.01")
    assert status == 1
    assert "B is worse than A by more than 0.01: rows ahead of a label" in err
    a, b = np.array([0, 1, 3]) / 59, np.array([59, 58, 56]) / 59
    score = re.search(r"A (\S+), B (\S+), B - A (\S+) \((\S+) to (\S+), 95%\); lower is better, 3 pairs", out)
    assert [float(one) for one in score.groups()[:3]] == pytest.approx([a.mean(), b.mean(), (b - a).mean()], abs=6e-4)
    assert float(score[4]) < float(score[3]) < float(score[5])
    assert "found by following A, which makes it look better" in out
    assert run(capsys, "compare", back, review, "--fail-if-worse=0.01")[0] == 0
    status, _, err = run(capsys, "compare", back, back, "--fail-if-worse=0")
    assert status == 1
    assert "there is no score to judge by" in err


def test_rows_that_a_ranking_has_at_its_end_as_decided_are_left_out(review, tmp_path, capsys):
    source, fresh = tmp_path / "t.csv", (review / "ranking.csv").read_text()
    (tmp_path / "fresh.csv").write_text(fresh)
    first = read_ordered(review).ids[:3]
    decide(review, {int(name): "drop" for name in first})
    assert not read_ordered(review).moved
    for name in ("after.parquet", "after.csv"):
        run(capsys, "rank", source, f"--review={review}", f"--output={tmp_path / name}")
    run(capsys, "rank", source)
    for after in (tmp_path / "after.parquet", tmp_path / "after.csv", review):
        assert read_ordered(after).moved == set(first)
        status, out, _ = run(capsys, "compare", tmp_path / "fresh.csv", after)
        assert status == 0
        assert out.startswith("57 rows in both\n3 rows were decided before and left out: a ranking has them at its end")
        assert "found wrong" not in out
    (tmp_path / "typed.csv").write_text(fresh.replace(",\n", ",drop\n", 1))
    assert not read_ordered(tmp_path / "typed.csv").moved


def test_decisions_are_about_the_rows_that_have_these_ids_now(review, tmp_path, capsys):
    source = tmp_path / "t.csv"
    decide(review, {2: "drop", 5: "=cat", 59: "keep"})
    assert run(capsys, "apply", review, f"--output={tmp_path / 'clean.csv'}")[0] == 0
    pd.read_csv(tmp_path / "clean.csv")[pd.read_csv(source).columns].to_csv(source, index=False)
    assert run(capsys, "rank", source)[0] == 0
    assert read_ordered(review).decided == {"4": ("label", "cat"), "58": ("keep", None)}
    assert read_ordered(review).moved == {"4", "58"}
    decide(review, {4: "undo", 7: "drop", 58: "unsure"}, second=9)
    assert read_ordered(review).decided == {"7": ("drop", None), "58": ("unsure", None)}


def test_rows_that_were_all_decided_are_not_said_to_be_no_rows(review, tmp_path, capsys):
    source, fresh = tmp_path / "t.csv", tmp_path / "fresh.csv"
    fresh.write_text((review / "ranking.csv").read_text())
    decide(review, dict.fromkeys(range(60), "keep"))
    assert run(capsys, "rank", source)[0] == 0
    status, _, err = run(capsys, "compare", fresh, review)
    assert status == 1
    assert f"60 of the 60 rows in common with {fresh} were decided before the ranking" in err
    assert "no row" not in err


def test_two_reviews_say_how_often_they_agree(review, tmp_path, capsys):
    import shutil

    other = shutil.copytree(review, tmp_path / "other_review")
    decide(review, {0: "keep", 1: "drop", 2: "=x", 3: "keep"})
    decide(other, {0: "keep", 1: "drop", 2: "=y", 4: "keep"})
    out = run(capsys, "compare", review, other)[1]
    assert "3 rows decided in both, 67% alike, Cohen's kappa 0.57" in out
    assert "decided differently, 1 in all: 2" in out


def results(path, dataset="digits", **scores):
    for method, values in scores.items():
        for seed, value in enumerate(values):
            append_record(
                path,
                Record(
                    task="cleaning",
                    task_version=1,
                    dataset=dataset,
                    method=method,
                    status="ok",
                    metrics={"score": value},
                    submission_sha256="a",
                    dataset_sha256="b",
                    seed=seed,
                    fingerprint=f"{method}{seed}{value}",
                ),
            )
    return path


def test_results_are_paired_by_data_and_seed(tmp_path, capsys):
    again = {"mine in rounds of 9": [0.9]}
    a = results(tmp_path / "a.jsonl", mine=[0.1, 0.2, 0.3], other=[0.5, 0.5, 0.5], gone=[0.1], third=[0.6], **again)
    b = results(tmp_path / "b.jsonl", mine=[0.12, 0.22, 0.32], other=[0.4, 0.5, 0.5], third=[0.6], **again)
    status, out, _ = run(capsys, "compare", a, b, "--fail-if-worse=0.021")
    assert status == 0
    assert "cleaning, mine, score: A 0.200, B 0.220, B - A +0.020 (+0.020 to +0.020, 95%)" in out
    assert "rank correlation of 3 methods: Spearman 1.000" in out
    assert "where they part:\n  other on digits, seed 0: 0.500 in A, 0.400 in B" in out
    assert "cleaning: 2 methods have the same number in every case" in out
    assert "third" not in out
    assert "cleaning: only in A: 1 in all: gone" in out
    assert "only in B" not in out
    same = run(capsys, "compare", a, a)[1]
    assert same.splitlines() == ["cleaning: 5 methods have the same number in every case"]
    status, _, err = run(capsys, "compare", a, b, "--fail-if-worse=0.01")
    assert status == 1
    assert "worse than A by more than 0.01: cleaning, mine, score" in err
    c = results(tmp_path / "c.jsonl", new=[0.1, 0.2])
    d = results(tmp_path / "d.jsonl", old=[0.1, 0.3])
    assert "new against old" in run(capsys, "compare", c, d)[1]
    assert "no result in common" in run(capsys, "compare", a, c)[2]


def test_the_seeds_of_a_data_set_are_averaged_before_data_sets_are_paired(tmp_path, capsys):
    a = results(tmp_path / "a.jsonl", mine=[0.1, 0.3])
    b = results(tmp_path / "b.jsonl", mine=[0.2, 0.4])
    for path, value in ((a, 0.5), (b, 0.8)):
        results(path, dataset="letters", mine=[value])
    out = run(capsys, "compare", a, b)[1]
    assert "A 0.350, B 0.550, B - A +0.200 (-1.071 to +1.471, 95%); lower is better, 2 pairs" in out


def test_higher_is_better_where_the_metric_says_so():
    better = Difference.of("accuracy", [0.5, 0.6], [0.6, 0.8], lower=False)
    assert better.worse == pytest.approx(-0.15)
    assert Difference.of("one", [0.5], [0.6], lower=True).interval is None


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("a.txt", "none.txt"), "there is no such file"),
        (("a.txt", "a.jsonl"), "one is a results file, the other is not"),
        (("none.jsonl", "none.jsonl"), "there is no such file"),
        (("a.txt", "empty"), "there is no source.json in it"),
        (("a.txt", "page.html"), "neither a ranking nor a review"),
        (("a.txt", "far.csv"), "it has no row in common with"),
        (("a.txt", "twice.csv"), "the id '1' appears twice"),
    ],
)
def test_what_cannot_be_compared_is_named(names, problem, tmp_path, capsys):
    lines(tmp_path / "a.txt", range(9))
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.html").write_text("")
    (tmp_path / "a.jsonl").write_text("")
    (tmp_path / "far.csv").write_text("place,id\n1,x\n")
    (tmp_path / "twice.csv").write_text("place,id\n1,1\n2,1\n")
    status, _, err = run(capsys, "compare", *(tmp_path / name for name in names))
    assert status == 1
    assert problem in err
    assert run(capsys, "compare", tmp_path / "a.txt", tmp_path / "a.txt", "--fail-if-worse=nan")[0] == 1
