"""The studies of beliefs and of rounds: their delivered tables, and what they must show."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cleaning.intervals import mean_interval
from tests.study import beliefs, first_looks, fixes_in_rounds, regret, rounds, updates
from tests.study.cases import Case

RESULTS = Path(__file__).parent / "study" / "results"


@pytest.mark.parametrize("study", [beliefs, rounds])
def test_the_table_is_that_of_the_delivered_rows(study):
    name = study.__name__.rpartition(".")[2]
    text = study.report(pd.read_csv(RESULTS / f"{name}.csv.gz"))
    assert text == (RESULTS / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["overlap, 2% errors", "3 rows per class"])
def test_a_sample_of_the_delivered_beliefs_can_be_computed_again(kind):
    rows = pd.read_csv(RESULTS / "beliefs.csv.gz")
    rows = rows[(rows["kind"] == kind) & (rows["seed"] == 0)].set_index(["source", "trusted"])
    again = pd.DataFrame(beliefs.run(kind, 0)).set_index(["source", "trusted"])
    assert len(again)
    told = rows.loc[again.index]
    assert (again["wrong"] == told["wrong"]).all()
    for column, margin in (("expected", 2), ("low", 2), ("high", 2), ("precision", 0.02)):
        assert again[column].tolist() == pytest.approx(told[column].tolist(), abs=margin, nan_ok=True)


def test_a_sample_of_the_delivered_rounds_can_be_computed_again():
    rows = pd.read_csv(RESULTS / "rounds.csv.gz")
    case = Case("digits 3v8", "symmetric", 0.05, 0)
    told = rows[(rows["source"] == case.source) & (rows["noise"] == case.noise) & (rows["rate"] == case.rate)]
    told = told[told["seed"] == 0].reset_index(drop=True)
    again = pd.DataFrame(rounds.run(case))
    for column in ("one order", "rounds", "cleanlab"):
        assert again[column].tolist() == pytest.approx(told[column].tolist(), abs=0.02)


def test_an_interval_is_given_only_where_it_holds():
    rows = pd.read_csv(RESULTS / "beliefs.csv.gz")
    known = rows[rows["expected"].notna()]
    inside = (known["low"] <= known["wrong"]) & (known["wrong"] <= known["high"])
    shares = inside.groupby([known["kind"], known["trusted"] > 0]).mean()
    assert shares.min() >= 0.85, shares
    later = pd.read_csv(RESULTS / "rounds.csv.gz")
    for column in ("left holds", "next 20 holds", "next 50 holds"):
        assert later.groupby(["noise", "rate", "trusted"])[column].mean().min() >= 0.85, column


def test_a_sample_of_the_delivered_first_looks_can_be_computed_again():
    rows = pd.read_csv(RESULTS / "first_looks.csv")
    assert first_looks.report(rows) == (RESULTS / "first_looks.md").read_text(encoding="utf-8")
    case = Case("digits 3v8", "one-directional", 0.15, 0)
    told = rows[(rows["source"] == case.source) & (rows["noise"] == case.noise) & (rows["rate"] == case.rate)]
    told, again = told[told["seed"] == 0].iloc[0], first_looks.run(case)
    assert again["wrong"] == told["wrong"]
    for way in ("model", "random", "first looks"):
        assert again[f"{way} holds"] == pytest.approx(told[f"{way} holds"], abs=0.1)
        assert again[f"{way} width"] == pytest.approx(told[f"{way} width"], abs=5)


def test_the_results_tell_what_first_looks_are_worth():
    rows = pd.read_csv(RESULTS / "first_looks.csv")
    assert rows.groupby(["noise", "rate"])["first looks holds"].mean().min() >= 0.9
    mean = {way: f"{rows[f'{way} width'].mean():.0f}" for way in ("model", "random", "first looks")}
    text = " ".join((RESULTS.parents[2] / "RESULTS.md").read_text(encoding="utf-8").split())
    drawn = f"{mean['random']} rows wide after a look at 30 rows drawn with equal chances, {mean['first looks']} after"
    assert f"{drawn} the first looks, and {mean['model']} without any look" in text
    saved = rows["first looks width"] - rows["random width"]
    low, high = mean_interval(saved.tolist())
    assert f"the difference between the samples is {saved.mean():.0f}, 95% interval {low:.0f} to {high:.0f}" in text


def test_the_table_of_updates_is_that_of_its_rows_and_they_cost_no_looks():
    rows = pd.read_csv(RESULTS / "updates.csv")
    text = updates.report(rows)
    assert text == (RESULTS / "updates.md").read_text(encoding="utf-8")
    told = " ".join((RESULTS.parents[2] / "RESULTS.md").read_text(encoding="utf-8").split())
    faster = rows["anew CPU s"].mean() / rows["updated CPU s"].mean()
    assert f"{rows['updated CPU s'].mean():.2f} CPU seconds instead of {rows['anew CPU s'].mean():.1f}" in told
    assert faster > 3
    off = rows.groupby("trusted")["updated error"].mean()
    assert f"off by {off[True]:.1f}% of the rows in the mean with trusted rows and by {off[False]:.1f}% without" in told
    assert (rows["updated holds"] == 1).all()
    low, high = mean_interval((rows["updated looks"] - rows["anew looks"]).tolist())
    assert f"(95% interval {100 * low:+.2f} to {100 * high:+.2f})" in told


def test_the_report_on_updates_pairs_both_ways():
    line = {"source": "digits 10", "noise": "symmetric", "rate": 0.2, "trusted": False, "rows": 1597}
    measured = {"looks": (0.19, 0.18), "error": (0.4, 0.5), "holds": (1, 1), "CPU s": (0.1, 1.5)}
    for what, values in measured.items():
        line |= {f"{name} {what}": value for name, value in zip(("updated", "anew"), values, strict=True)}
    text = updates.report(pd.DataFrame([{**line, "seed": seed} for seed in range(3)]))
    assert "| no | symmetric 0.20 | 3 | 0.190 | 0.180 |" in text
    assert "looks, updated - anew: +0.0100 (+0.0100 to +0.0100) of the rows" in text
    assert "error, updated - anew: -0.1000 (-0.1000 to -0.1000) % of the rows" in text


def test_the_readme_tells_what_rounds_save():
    rows = pd.read_csv(RESULTS / "rounds.csv.gz")
    text = " ".join((RESULTS.parents[2] / "RESULTS.md").read_text(encoding="utf-8").split())
    alone, trusted = rows[~rows["trusted"]], rows[rows["trusted"]]
    share = {name: f"{alone[name].mean():.1%}" for name in ("one order", "rounds", "cleanlab")}
    assert f"{share['one order']} of the rows have to be looked at in one order and {share['rounds']} in rounds" in text
    assert f"in the order of cleanlab's self-confidence, {share['cleanlab']}" in text
    saved = alone["rounds"] - alone["one order"]
    low, high = mean_interval(saved.tolist())
    told = f"{saved.mean():.3f}, 95% interval {low:.3f} to {high:.3f}, over {len(alone)} cases"
    assert f"the difference is {told}" in text
    assert f"With trusted rows it is {trusted['one order'].mean():.1%} and {trusted['rounds'].mean():.1%}" in text


def test_the_results_tell_what_rounds_save_in_fixes():
    rows = pd.read_csv(RESULTS / "fixes_in_rounds.csv")
    assert fixes_in_rounds.report(rows) == (RESULTS / "fixes_in_rounds.md").read_text(encoding="utf-8")
    text = " ".join((RESULTS.parents[2] / "RESULTS.md").read_text(encoding="utf-8").split())
    for trusted, words in ((True, "With trusted rows"), (False, "Without them")):
        part = rows[rows["trusted"] == trusted]
        saved = part["rounds"] - part["one order"]
        low, high = mean_interval(saved.tolist())
        told = f"{words}, {part['one order'].mean():.3f} in one order and {part['rounds'].mean():.3f} in rounds"
        assert f"{told} ({saved.mean():+.3f}, {low:+.3f} to {high:+.3f})" in text


def test_the_results_tell_what_not_knowing_the_truth_costs():
    rows = pd.read_csv(RESULTS / "regret.csv")
    assert regret.report(rows) == (RESULTS / "regret.md").read_text(encoding="utf-8")
    text = " ".join((RESULTS.parents[2] / "RESULTS.md").read_text(encoding="utf-8").split())
    none, alike = rows["trusted"] == "none", rows["trusted"] == "alike"

    def said(chosen: pd.Series, order: str = "ours") -> str:
        low, high, mean = regret.regret(rows[chosen], order)
        return f"{mean:.3f} ({low:.3f} to {high:.3f})"

    assert f"the regret, is {said(~none)} with trusted rows: {said(alike)} if they are drawn like" in text
    assert f"{said(~none & ~alike)} if their class mix differs. Without trusted rows it is {said(none)}" in text
    left = f"a regret of {said(~none, 'others known')} remains even if the learners are given the true labels of all"
    assert f"{left} other rows and the true noise matrix; without them, {said(none, 'others known')}" in text


def test_looks_are_counted_up_to_the_one_that_reaches_the_goal():
    found = np.array([True, False, True, True, False, True])
    assert rounds.looks_to_goal(found) == 6
    assert rounds.looks_to_goal(found, 3) == 4
    assert rounds.looks_to_goal(np.array([True] * 9 + [False, True])) == 9
