"""Benchmarks that score whole submissions keep up with the tasks; what they measure is theirs to print."""

import pytest

from tests.benchmarks import own_data
from tests.benchmarks.tasks_at_size import CASES, prepare

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
    cost = own_data.with_fixfirst(tmp_path / f"rows.{form}", tmp_path / "list.csv")
    assert cost.cpu > 0
    assert cost.peak > 0
    wrong = int((case.given != case.truth).sum())
    assert own_data.found_among(case, tmp_path / "list.csv", wrong) > 0.5 * wrong
