"""The study command on one set, one noise and three rankers; the full study is `nox -s study`."""

import csv
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cleaning import Split
from evaluation.contract.registry import bounds, own_rankers
from evaluation.contract.registry import learners as known_learners
from tests.study import __main__ as study
from tests.study.cases import NOISES, Case, cases, make, plant
from tests.study.report import write_report
from tests.support import blobs


@pytest.fixture
def command(monkeypatch, tmp_path):
    def call(*arguments: str) -> list[dict[str, str]]:
        monkeypatch.setattr("sys.argv", ["study", "--quick", "--seeds=2", f"--out={tmp_path}", *arguments])
        study.main()
        with (tmp_path / "rows.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return call


def test_a_run_writes_rows_tables_and_pictures_and_a_second_one_adds_only_what_is_missing(
    command, tmp_path, monkeypatch
):
    monkeypatch.setattr("tests.study.cases.TRAIN", 60)
    chosen = "--sets=digits", "--noises=symmetric"
    rows = command(*chosen, "--rankers=random,label_posterior,oracle_errors_first")
    assert [(row["seed"], row["ranker"]) for row in rows[:3]] == [
        ("0", "random"),
        ("0", "label_posterior"),
        ("0", "oracle_errors_first"),
    ]
    assert len(rows) == 6
    more = command(*chosen, "--rankers=random,label_posterior,label_posterior without validation,expected_use")
    assert more[:6] == rows
    assert [row["ranker"] for row in more[6:]] == ["label_posterior without validation", "expected_use"] * 2
    assert more[6]["precision"] != rows[1]["precision"]
    text = (tmp_path / "table.md").read_text()
    assert "2 cases: 1 data sets, 1 noises, 2 seeds." in text
    assert "| expected_use |" in text
    assert (tmp_path / "study.png").read_bytes().startswith(b"\x89PNG")
    assert "oracle_errors_first (bound)" not in text
    known = [row for row in more if row["high"]]
    assert {row["ranker"] for row in known} == {"label_posterior", "label_posterior without validation"}
    assert "Expected number of wrong labels without validation (90% intervals)" in text
    for row in known:
        low, expected, high = (float(row[name]) for name in ("low", "expected", "high"))
        assert low <= expected <= high or (math.isnan(expected) and low == 0)


@pytest.mark.parametrize(("noise", "rate"), NOISES)
@pytest.mark.parametrize("classes", [2, 4])
def test_exactly_as_many_labels_are_wrong_as_the_rate_says(noise, rate, classes):
    clean = blobs(80, 0, classes=classes)
    noisy = plant(clean, noise, rate, np.random.default_rng(0))
    assert np.sum(noisy != clean.labels) == round(rate * 80)
    assert set(noisy) <= set(range(classes))


def test_instance_dependent_noise_prefers_ambiguous_rows():
    rng = np.random.default_rng(0)
    features = np.vstack([rng.normal((9, 0), 1, (50, 2)), rng.normal((-9, 0), 1, (50, 2)), rng.normal(size=(100, 2))])
    clean = Split.from_arrays(features, np.r_[np.zeros(50), np.ones(50), np.arange(100) % 2].astype(int))
    wrong = plant(clean, "instance-dependent", 0.3, rng) != clean.labels
    assert wrong[100:].mean() > 2 * wrong[:100].mean()


def test_a_case_is_the_same_data_every_time_and_another_seed_another():
    case = Case("digits 3v8", "symmetric", 0.3, 0)
    (first, _), (second, _), (other, _) = make(case), make(case), make(Case("digits 3v8", "symmetric", 0.3, 1))
    assert first.train.ids == second.train.ids
    assert np.array_equal(first.train.labels, second.train.labels)
    assert first.train.ids != other.train.ids
    assert not set(first.train.ids) & set(first.test.ids)


def test_the_study_covers_noise_from_5_to_45_percent_and_quick_is_a_part_of_it():
    everything, quick = list(cases(2, quick=False)), list(cases(2, quick=True))
    assert {case.rate for case in everything} >= {0.05, 0.45}
    assert set(quick) <= set(everything)


def test_unless_asked_for_the_study_keeps_to_two_classes_and_one_learner(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(study, "run", lambda _, todo, __: asked.extend(todo))
    monkeypatch.setattr(study, "write_report", lambda *_: "")
    monkeypatch.setattr("sys.argv", ["study", "--seeds=1", f"--out={tmp_path}"])
    study.main()
    assert {case.source for case in asked} >= {"digits 3v8", "digits 4v9", "synthetic 2048"}
    assert not any(case.source.endswith(" 10") or case.source.startswith("challenge") for case in asked)


def test_the_challenges_pictures_are_drawn_again_once_each(dataperf):
    case = Case("challenge person", "symmetric", 0.3, 0)
    dataset, truth = make(case)
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (300, 100, 500)
    assert np.sum(dataset.train.labels != truth.labels) == 90
    rows = np.vstack([dataset.train.features, dataset.validation.features, dataset.test.features])
    assert len(np.unique(rows, axis=0)) == 900


def test_shared_ids_are_taken_as_they_are(dataperf):
    dataset, truth = make(Case("dataperf 04rky", "as found", 0.3, 0))
    assert len(dataset.train) == 300
    assert np.sum(dataset.train.labels != truth.labels) == 90


def test_shared_ids_alone_get_a_table_of_their_own(tmp_path):
    lines = ["source,noise,rate,seed,ranker,learner,score,fraction_fixes"]
    lines += [
        f"dataperf {name},as found,0.30,0,random,dataperf,0.5,{share}" for name, share in (("a", 0.2), ("b", 0.4))
    ]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    assert "| random | 0.300 | 0.200 | 0.400 |" in write_report(tmp_path / "rows.csv", tmp_path)


RESULTS = Path(__file__).parent / "study" / "results"


def test_the_readme_tells_what_the_study_found():
    """Each line of the results table that names a ranker, against the table the study wrote."""
    with (RESULTS / "table.csv").open(newline="") as file:
        table = {row["ranker"]: row for row in csv.DictReader(file)}
    text = (RESULTS.parents[2] / "RESULTS.md").read_text(encoding="utf-8")
    section = text[text.index("## The ranking study") : text.index("## The challenge's own numbers")]
    starts = ("| `", "| every", "| the order")
    lines = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith(starts)]
    assert len(lines) == 11
    oracles = {"every": "oracle_errors_first", "the": "oracle_influence"}
    for name, score, interval, *_ in lines:
        row = table[name.split("`")[1] if "`" in name else oracles[name.split()[0]]]
        assert score == f"{float(row['score']):.3f}"
        assert interval == f"{float(row['low']):.3f} to {float(row['high']):.3f}"
    peers = [name for name in table if not name.startswith(("expected_use", "oracle"))]
    assert float(table["expected_use"]["high"]) < min(float(table[name]["low"]) for name in peers)
    with (RESULTS / "ten_classes.csv").open(newline="") as file:
        ten = {
            row["ranker"]: {key: f"{float(row[key]):.3f}" for key in ("score", "low", "high")}
            for row in csv.DictReader(file)
        }
    told = " ".join(section[section.index("With ten classes") :].split())
    for name in ("expected_use", "validation_logistic"):
        assert f"{ten[name]['score']} ({ten[name]['low']} to {ten[name]['high']})" in told
    for name in ("label_posterior", "confident_learning"):
        assert f"`{name}` {ten[name]['score']}" in told
    assert f"every true error first {ten['oracle_errors_first']['score']}" in told
    assert f"Without validation rows it needs {ten['expected_use without validation']['score']}" in told
    ahead = [name for name in ten if not name.startswith(("expected_use", "label_posterior", "oracle"))]
    assert all(ten["expected_use"]["high"] < ten[name]["low"] for name in ahead)
    with (RESULTS / "challenge.csv").open(newline="") as file:
        drawn = {row["ranker"]: f"{float(row['score']):.3f}" for row in csv.DictReader(file)}
    again = " ".join(text[text.index("drawn again") :].split())
    for name in ("expected_use", "validation_logistic", "knn_shapley_euclidean", "oracle_influence"):
        assert f"`{name}` {drawn[name]}" in again
    with (RESULTS / "sets.csv").open(newline="") as file:
        sets = {row.pop("ranker"): {name: float(score) for name, score in row.items()} for row in csv.DictReader(file)}
    assert len(sets["expected_use"]) == 7
    assert all(sets["expected_use"][name] < min(sets[peer][name] for peer in peers) for name in sets["expected_use"])


def test_the_tables_are_those_of_the_delivered_rows(tmp_path):
    text = write_report(RESULTS / "rows.csv.gz", tmp_path)
    assert text == (RESULTS / "table.md").read_text(encoding="utf-8")
    for name in ("table.csv", "sets.csv", "noises.csv"):
        found, delivered = pd.read_csv(tmp_path / name), pd.read_csv(RESULTS / name)
        pd.testing.assert_frame_equal(found, delivered)


@pytest.mark.parametrize("noise", ["symmetric", "instance-dependent"])
def test_a_sample_of_the_delivered_rows_can_be_computed_again(noise):
    case = Case("digits 3v8", noise, 0.30, 0)
    names = ("expected_use", "label_posterior", "knn_shapley_euclidean", "oracle_errors_first")
    rankers = {**own_rankers(), **bounds()}
    again = pd.DataFrame(study._rows(case, {name: rankers[name] for name in names}, known_learners()))
    rows = pd.read_csv(RESULTS / "rows.csv.gz")
    rows = rows[
        (rows["source"] == case.source) & (rows["noise"] == noise) & (rows["rate"] == 0.30) & (rows["seed"] == 0)
    ]
    told = rows.set_index("ranker").loc[list(names)]
    found = again.set_index("ranker").loc[list(names)]
    assert found["score"].tolist() == pytest.approx(told["score"].tolist(), abs=0.02)
    assert found["precision"].tolist() == pytest.approx(told["precision"].tolist(), abs=0.01)
    for column in ("expected", "low", "high"):
        assert found[column]["label_posterior"] == pytest.approx(told[column]["label_posterior"], abs=2)
