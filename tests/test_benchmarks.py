"""Benchmarks that score whole submissions keep up with the tasks; what they measure is theirs to print."""

import pytest

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
