import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import CleaningCurve, InvalidInput, Ranking


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30))
def test_scores_become_a_stable_permutation_lowest_first(scores):
    order = Ranking.from_scores(scores).order.tolist()
    assert order == sorted(range(len(scores)), key=lambda row: (scores[row], row))


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ([0, 0, 1], r"duplicate rows \(1 in all: 0\)"),
        ([0, 1, 3], "rows outside 0 … 2"),
        ([-1, 0, 1], "rows outside"),
        ([0.0, 1.0], "give a vector of row numbers"),
        ([[0, 1]], "give a vector of row numbers"),
    ],
)
def test_only_permutations_are_rankings(order, message):
    with pytest.raises(InvalidInput, match=message):
        Ranking(np.asarray(order))


@pytest.mark.parametrize("scores", [[1.0, np.nan], [np.inf, 0.0], [[1.0]], ["a", "b"]])
def test_scores_must_be_finite_numbers(scores):
    with pytest.raises(InvalidInput):
        Ranking.from_scores(np.asarray(scores))


def curve(*accuracy, clean=None):
    values = np.asarray(accuracy, dtype=float)
    return CleaningCurve(np.arange(len(values)), values, values[0], values[-1] if clean is None else clean)


def test_one_hundred_of_three_hundred_fixes_score_a_third():
    accuracy = np.where(np.arange(301) < 100, 0.6, 0.9)
    assert curve(*accuracy).score() == 1 / 3
    assert curve(*accuracy).fixes_needed() == 100


def test_no_fix_is_needed_where_the_dirty_model_is_good_enough():
    assert curve(0.96, 0.5, 1.0).fixes_needed(0.95) == 0


def test_a_target_met_exactly_counts_in_spite_of_rounding():
    # 0.95 × 0.6 is 0.57 in exact arithmetic, but can be off by a rounding error in floats.
    for clean_correct in range(20, 501, 20):
        needed = clean_correct * 19 // 20
        reached = curve(0.0, needed / 500, clean_correct / 500)
        assert reached.fixes_needed(0.95) == 1
        missed = curve(0.0, (needed - 1) / 500, clean_correct / 500)
        assert missed.fixes_needed(0.95) == 2


def test_a_target_never_met_costs_every_fix():
    assert curve(0.1, 0.2, 0.3, clean=1.0).fixes_needed() == 2


def test_the_reference_counts_one_less_and_rounds_to_two_decimals():
    reached_after_two = curve(0.5, 0.5, 0.9, 0.9, 0.9)
    assert reached_after_two.fraction_fixes() == 1 / 4
    assert reached_after_two.score() == 2 / 4
    assert curve(0.5, 0.854, 0.9).fraction_fixes() == 1 / 2  # 0.85 < 0.855
    assert curve(0.5, 0.856, 0.9).fraction_fixes() == 0.0


def test_the_area_is_the_mean_height():
    assert curve(0.5, 0.5, 0.5).area() == 0.5
    assert curve(0.0, 1.0).area() == 0.5
    assert curve(0.4).area() == 0.4


def test_thinned_curves_have_a_score_but_no_reference_score():
    thin = CleaningCurve(np.array([0, 10, 20]), np.array([0.5, 0.9, 0.9]), 0.5, 0.9)
    assert thin.score() == 0.5
    with pytest.raises(InvalidInput, match="a point for every fix"):
        thin.fraction_fixes()


def test_a_curve_must_start_at_zero_fixes():
    with pytest.raises(InvalidInput):
        CleaningCurve(np.array([1, 2]), np.array([0.5, 0.9]), 0.5, 0.9)
