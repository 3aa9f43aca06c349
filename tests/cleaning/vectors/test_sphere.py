import numpy as np
import pytest

from cleaning.vectors.neighbours import unit_rows
from cleaning.vectors.sphere import on_sphere, radius_of


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_rows_of_one_direction_stay_apart(kind):
    rows = np.array([[1.0], [2.0], [-2.0], [0.0]], dtype=kind)
    found = on_sphere(rows, 2.0)
    assert found.dtype == kind
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    assert found[:, 0] == pytest.approx(np.array([5**-0.5, 2**-0.5, -(2**-0.5), 0]))
    assert len(np.unique(found, axis=0)) == 4


def test_rows_as_long_as_the_radius_keep_their_angles_to_each_other():
    rows = unit_rows(np.random.default_rng(0).normal(size=(9, 5)))
    found = on_sphere(3 * rows, radius_of(3 * rows))
    assert found @ found.T == pytest.approx((rows @ rows.T + 1) / 2)


def test_the_radius_is_the_median_length_of_rows_that_have_one():
    rows = np.array([[0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [600.0, 800.0]])
    assert radius_of(rows) == pytest.approx(5)
    assert radius_of(rows[:3]) == 0
    assert not on_sphere(rows[:3], 0.0).any()
