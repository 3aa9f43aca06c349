import numpy as np
import pytest

from cleaning.vectors.lengths import radius_of, soft_unit_rows
from cleaning.vectors.neighbours import unit_rows


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_rows_of_one_direction_stay_apart_in_their_order(kind):
    rows = np.array([[1.0], [2.0], [-2.0], [0.0], [1e6]], dtype=kind)
    found = soft_unit_rows(rows, 2.0)
    assert found.dtype == kind
    assert found[:, 0] == pytest.approx([2 / 13**0.5, 1, -1, 0, 2])


def test_rows_as_long_as_the_radius_become_unit_rows():
    rows = np.random.default_rng(0).normal(size=(9, 5))
    same = 3 * unit_rows(rows)
    assert soft_unit_rows(same, radius_of(same)) == pytest.approx(unit_rows(rows))


def test_the_radius_is_the_median_length_of_rows_that_have_one():
    rows = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [600.0, 800.0]])
    assert radius_of(rows) == pytest.approx(5)
    assert radius_of(rows[:3]) == 0
    assert not soft_unit_rows(rows[:3], 0.0).any()
