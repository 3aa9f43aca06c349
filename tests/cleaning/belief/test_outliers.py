import numpy as np
import pytest

from cleaning import Split, label_posterior
from cleaning.belief import outliers
from cleaning.belief.outliers import far_rows


def cloud(rows=300, seed=0):
    return np.random.default_rng(seed).normal(size=(rows, 20)).astype(np.float32)


@pytest.mark.parametrize("references", [5000, 100])
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_rows_far_from_the_cloud_are_found_and_those_of_the_cloud_are_not(references, scale, monkeypatch):
    monkeypatch.setattr(outliers, "_REFERENCES", references)
    rows = np.vstack([cloud(), 6 * cloud(4, 1)]) * scale
    assert np.flatnonzero(far_rows(rows + 50 * scale)).tolist() == [300, 301, 302, 303]


@pytest.mark.parametrize("rows", [np.ones((40, 3)), np.eye(40), np.repeat(np.eye(2), 30, axis=0), cloud(8), cloud(1)])
def test_rows_without_a_typical_distance_are_no_outliers(rows):
    assert not far_rows(rows).any()


def test_a_pair_of_copies_far_from_all_other_rows_is_found_as_one():
    rows = np.vstack([cloud(), np.full((2, 20), 9.0)]).astype(np.float32)
    shuffle = np.random.default_rng(0).permutation(302)
    found = label_posterior(Split.from_arrays(rows[shuffle], np.arange(302) % 2))
    assert sorted(shuffle[found.outlier]) == [300, 301]
    assert found.near_duplicate_of[np.argsort(shuffle)[[300, 301]]].min() == -1
