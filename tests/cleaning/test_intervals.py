import numpy as np
import pytest
from scipy.stats import ttest_rel

from cleaning.intervals import paired_difference, paired_values


def test_a_paired_difference_has_the_interval_of_the_paired_t_test():
    rng = np.random.default_rng(0)
    first = rng.normal(size=9)
    second = first + rng.normal(0.3, 0.1, size=9)
    found = paired_difference(first.tolist(), second.tolist())
    known = ttest_rel(second, first).confidence_interval(0.95)
    assert found.mean == pytest.approx(float((second - first).mean()))
    assert found.interval == pytest.approx((known.low, known.high))
    assert (found.pairs, found.sign) == (9, 1)
    assert paired_difference(second.tolist(), first.tolist()).sign == -1


def test_one_pair_has_no_interval_and_no_sign():
    found = paired_difference([0.1], [0.4])
    assert (found.interval, found.sign, found.pairs) == (None, 0, 1)
    with pytest.raises(ValueError, match="shorter"):
        paired_difference([0.1], [])


def test_seeds_of_a_data_set_are_one_pair_and_of_the_only_one_a_pair_each():
    first = {("a", 0): 0.1, ("a", 1): 0.3, ("b", 0): 0.5, ("c", 0): 0.9}
    second = {("a", 0): 0.2, ("a", 1): 0.2, ("b", 0): 0.7, ("b", 1): 0.0}
    assert paired_values(first, second) == ([pytest.approx(0.2), 0.5], [pytest.approx(0.2), 0.7])
    only = [{case: value for case, value in side.items() if case[0] == "a"} for side in (first, second)]
    assert paired_values(*only) == ([0.1, 0.3], [0.2, 0.2])
    assert paired_values(first, {("z", 0): 1.0}) == ([], [])
