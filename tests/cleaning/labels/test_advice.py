import numpy as np

from cleaning import Count
from cleaning.labels.advice import advice, between


def test_one_may_stop_only_where_few_can_be_left():
    ahead = np.full(200, 0.001)
    assert advice(ahead, Count(0.2, 0, 3)).startswith("You may stop: the next 20 looks should")
    assert advice(ahead[:2], Count(0.0, 0, 1)).startswith("You may stop: the last 2 looks should")
    told = advice(ahead, Count(0.2, 0, 40))
    assert told.startswith("Little is left to find in this order")
    assert "Up to 40 labels" in told


def test_what_may_stay_is_no_more_certain_than_what_is_there():
    ahead = np.repeat([0.9, 0.01], [40, 60])
    told = advice(ahead, Count(30, 20, 35))
    assert "stop after about 40 more looks; then 0 to 1 wrong labels may stay" in told
    assert "then 0 wrong labels may stay" in advice(np.repeat([0.9, 0.0], [40, 60]), Count(36, 30, 36))
    assert "0 to 19 wrong labels may stay" in advice(ahead, Count(36.6, 20, 55))
    assert advice(ahead[:40], Count(36, 30, 40)) == "Not yet: it is worth looking at all 40 rows."


def test_an_interval_of_one_number_is_said_as_that_number():
    assert between(3, 7) == "3 to 7"
    assert between(0, 0) == "0"
    assert between(2.4, 2.6) == "2 to 3"
