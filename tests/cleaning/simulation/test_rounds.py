"""Rounds as arrays: which rows are fixed when, and what the ranker is told."""

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import GroundTruth, InvalidInput, Ranking
from cleaning.simulation.rounds import clean_in_rounds


@st.composite
def cases(draw):
    """The truth, a ranker that looks at what was found, and the number of fixes per round."""
    rows = draw(st.integers(1, 25))
    truth = GroundTruth(np.array(draw(st.lists(st.integers(0, 3), min_size=rows, max_size=rows))))

    def ask(checked):
        seed = [draw(st.shared(st.integers(0, 99), key="seed")), *checked, *checked.values()]
        return Ranking(np.random.default_rng(seed).permutation(rows))

    return truth, ask, draw(st.integers(1, rows + 2))


@given(cases())
def test_every_row_is_fixed_once_and_the_ranker_knows_the_fixed_ones_alone(case):
    truth, ask, every = case
    told = []

    def listening(checked):
        told.append(dict(checked))
        return ask(checked)

    rounds = [chosen.tolist() for chosen in clean_in_rounds(listening, truth, every)]
    assert [len(chosen) for chosen in rounds[:-1]] == [every] * (len(rounds) - 1)
    assert sorted(chain(*rounds)) == list(range(len(truth.labels)))
    for number, checked in enumerate(told):
        assert checked == {row: truth.labels[row] for row in chain(*rounds[:number])}


@given(cases())
def test_rounds_can_go_on_from_any_of_them(case):
    truth, ask, every = case
    rounds = [chosen.tolist() for chosen in clean_in_rounds(ask, truth, every)]
    for number in range(len(rounds) + 1):
        rest = clean_in_rounds(ask, truth, every, list(chain(*rounds[:number])))
        assert [chosen.tolist() for chosen in rest] == rounds[number:]


@given(cases())
def test_a_single_round_and_a_ranker_that_ignores_what_was_found_give_the_plain_order(case):
    truth, ask, every = case
    plain = ask({}).order.tolist()
    assert [chosen.tolist() for chosen in clean_in_rounds(ask, truth, len(truth.labels))] == [plain]
    deaf = np.concatenate(list(clean_in_rounds(lambda _: ask({}), truth, every)))
    assert deaf.tolist() == plain


def test_an_order_of_other_rows_is_refused():
    with pytest.raises(InvalidInput, match="it has 2 rows, not 3"):
        list(clean_in_rounds(lambda _: Ranking(np.arange(2)), GroundTruth(np.array([0, 1, 0])), 1))
