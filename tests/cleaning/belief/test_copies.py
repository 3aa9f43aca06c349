import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning.belief import copies
from cleaning.belief.copies import copy_groups


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 40), extra=st.integers(0, 30), kind=st.sampled_from("fd"))
def test_equal_rows_are_one_group_and_others_are_not(seed, rows, extra, kind):
    rng = np.random.default_rng(seed)
    source = np.append(np.arange(rows), rng.integers(0, rows, extra))
    rng.shuffle(source)
    features = rng.normal(size=(rows, 6)).round(3).astype(kind)
    features[:, 0] = 0
    features = features[source]
    features[rng.random(len(source)) < 0.5, 0] = -0.0
    group = copy_groups(features)
    assert np.array_equal(group[:, None] == group, source[:, None] == source)
    first = np.unique(group, return_index=True)[1]
    assert (np.diff(first) > 0).all()


@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("distance", [3e-4, 1e-9, 1e-12])
@pytest.mark.parametrize("versions", [4, 30])
def test_near_copies_are_one_group_in_however_many_versions(projected, distance, versions, monkeypatch):
    if projected:
        monkeypatch.setattr(copies, "_PROJECTED_ROWS", 10)
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 100))
    source = np.concatenate([np.arange(60), [3] * versions, [7]])
    group = copy_groups(rows[source] + distance * rng.normal(size=(len(source), 100)))
    assert np.array_equal(group[:, None] == group, source[:, None] == source)


def test_an_outlier_does_not_make_all_other_rows_copies():
    rows = np.random.default_rng(3).normal(size=(100, 20))
    rows[7] *= 1e6
    assert len(np.unique(copy_groups(rows))) == 100


@pytest.mark.parametrize("width", [1, 2, 5])
def test_rows_that_merely_lie_close_are_no_copies(width):
    """In a few dimensions, many rows are within 1% of the typical distance, and some have a gap around by chance."""
    rows = np.random.default_rng(1).normal(size=(1500, width))
    assert len(np.unique(copy_groups(rows))) > 1470


def test_all_rows_alike_are_one_group():
    assert copy_groups(np.ones((5, 3))).tolist() == [0] * 5


def test_with_very_many_rows_only_equal_ones_are_copies(monkeypatch):
    monkeypatch.setattr(copies, "_MOST_ROWS", 10)
    rows = np.random.default_rng(2).normal(size=(20, 4))
    assert copy_groups(np.vstack([rows, rows[:1], rows[1:2] + 1e-6])).tolist() == [*range(20), 0, 20]
