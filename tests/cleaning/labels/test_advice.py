import numpy as np
import pytest

from cleaning import Count
from cleaning.labels.advice import advice, between, is_wide


@pytest.mark.parametrize(
    ("rows", "high", "stop"),
    [(100, 3, True), (100, 4, False), (200, 4, True), (200, 5, False), (400, 8, True), (400, 9, False)],
)
def test_one_may_stop_only_where_few_can_be_left(rows, high, stop):
    """Three wrong labels, or a fiftieth of the open rows."""
    told = advice(np.full(rows, 0.001), Count(0.2, 0, high), 20)
    few = "the next 20 looks should find less than one wrong label on average"
    if stop:
        assert told == f"You may stop: {few}."
    else:
        beyond = f"Up to {high} labels may still be wrong without looking so"
        assert told == f"Little is left to find in this order: {few}. {beyond}."


def test_nobody_is_told_to_stop_before_the_first_rows_have_tested_the_beliefs():
    low, left = np.full(100, 0.001), Count(0.1, 0, 30)
    few = "the next 20 looks should find less than one wrong label on average"
    assert advice(low, left, 0) == f"Look at the first 20 rows: {few}, but too few looks have tested that."
    assert advice(low, left, 19).startswith("Look at 1 more row: the next 20 looks")
    assert advice(low, left, 20).startswith("Little is left to find in this order")
    assert advice(low[:20], left, 0).startswith("Little is left to find in this order: the last 20 looks")
    assert advice(low, Count(0.1, 0, 3), 0).startswith("You may stop")


def test_the_last_rows_are_weighed_as_the_turn_that_they_are():
    assert advice(np.zeros(2), Count(0.0, 0, 1), 20).startswith("You may stop: the last 2 looks should")
    assert advice(np.zeros(1), Count(0.0, 0, 1), 20).startswith("You may stop: the last look should")
    assert advice(np.zeros(20), Count(0.0, 0, 1), 20).startswith("You may stop: the last 20 looks should")
    assert advice(np.zeros(21), Count(0.0, 0, 1), 20).startswith("You may stop: the next 20 looks should")


def test_looks_are_advised_as_long_as_a_turn_finds_a_wrong_label():
    ahead = np.repeat([0.06, 0.05, 0.04, 0.9], [20, 20, 20, 40])
    assert "stop after about 40 more looks" in advice(ahead, Count(40, 30, 50), 20)
    assert advice(ahead[:40], Count(36, 30, 40), 20) == "Not yet: it is worth looking at all 40 rows."
    assert advice(ahead[:30], Count(36, 30, 40), 20).startswith("Not yet: by what is known now, stop after about 20")
    assert advice(np.ones(1), Count(1, 1, 1), 20) == "Not yet: it is worth looking at the last row."


def test_what_may_stay_is_no_more_certain_than_what_is_there():
    ahead = np.repeat([0.9, 0.01], [40, 60])
    told = advice(ahead, Count(30, 20, 35), 20)
    assert "stop after about 40 more looks; then 0 to 1 wrong labels may stay" in told
    assert "then 0 wrong labels may stay" in advice(np.repeat([0.9, 0.0], [40, 60]), Count(36, 30, 36), 20)
    assert "0 to 19 wrong labels may stay" in advice(ahead, Count(36.6, 20, 55), 20)
    some = np.repeat([0.9, 0.04], [40, 60])
    assert "1 to 4 wrong labels may stay" in advice(some, Count(38.4, 30, 39.9), 20)
    assert "1 to 7 wrong labels may stay" in advice(some, Count(90, 30, 42.5), 20)


def test_there_may_be_nothing_to_say():
    assert advice(np.empty(0), None, 20) == "Every row has been looked at."
    assert advice(np.ones(3), None, 20).startswith("The data cannot tell how many labels are wrong.")


def test_an_interval_is_wide_by_what_is_expected_or_by_ten():
    assert not is_wide(Count(3, 0, 20))
    assert is_wide(Count(3, 0, 21))
    assert not is_wide(Count(30, 10, 70))
    assert is_wide(Count(30, 10, 71))


def test_an_interval_of_one_number_is_said_as_that_number():
    assert between(3, 7) == "3 to 7"
    assert between(0, 0) == "0"
    assert between(2.4, 2.6) == "2 to 3"
