"""What decisions change where rows were judged by blocks."""

from dataclasses import replace

import numpy as np
import pytest

from cleaning.belief.blocks.judge import Judgement
from cleaning.belief.count import Count
from cleaning.labels.by_blocks import _listed

N = 200
LABELS = np.arange(N) % 3


@pytest.fixture(scope="module")
def found():
    """Judged rows, row 0 the most suspicious; rows 150 and 160 are copies of row 5."""
    suspicion = np.linspace(0.9, 0.0, N).astype(np.float32)
    copy_of = np.full(N, -1)
    copy_of[[150, 160]] = 5
    return Judgement(
        suspicion=suspicion,
        suggestion=np.where(suspicion > 0.5, (LABELS + 1) % 3, LABELS),
        probability=np.maximum(suspicion, 1 - suspicion),
        copy_of=copy_of,
        classes=np.arange(3),
        noise_matrix=np.eye(3),
        count=Count(80.0, 60.0, 120.0),
        deviations=(1.0, 2.5),
        caveats=(),
    )


def checked(rows, wrong):
    """The right classes of rows of which these are wrong."""
    return {int(row): int(LABELS[row] + (row in wrong)) % 3 for row in rows}


def test_without_decisions_the_count_is_that_of_all_rows(found):
    listed = _listed(LABELS, found, {}, ())
    assert listed.order.tolist() == list(range(N))
    assert listed.round.left == Count(pytest.approx(80.0), 60.0, 120.0)
    np.testing.assert_allclose(listed.suspicion, found.suspicion)


def test_where_more_are_wrong_than_believed_all_others_are_more_suspicious(found):
    rows = range(10, 60)
    more, less = (_listed(LABELS, found, checked(rows, wrong), ()) for wrong in (set(rows), set()))
    rest = np.setdiff1d(np.arange(N - 1), rows)
    for listed in (more, less):
        assert listed.order[: N - 50].tolist() == [*range(10), *range(60, N)]
        assert set(listed.order[N - 50 :]) == set(rows)
    assert (more.suspicion[rest] > found.suspicion[rest]).all()
    assert (less.suspicion[rest] < found.suspicion[rest]).all()
    assert more.suspicion[30] == 1
    assert less.suspicion[30] == 0
    assert (
        more.round.left.expected > 80 * found.suspicion[rest].sum() / found.suspicion.sum() > less.round.left.expected
    )
    for listed in (more, less):
        left = listed.round.left
        assert 0 <= left.low <= left.expected <= left.high <= N - 50
        other = (listed.suggestion != LABELS) & ~np.isin(np.arange(N), [*rows, 150, 160])
        assert (listed.probability[other] <= listed.suspicion[other] + 1e-6).all()
    assert less.suggestion[8] == LABELS[8]  # it was thought to be wrong, with probability .86
    assert less.suspicion[8] == pytest.approx(1 - less.probability[8])


def test_what_is_left_is_not_more_than_the_open_rows(found):
    """More wrong labels were counted than the suspicions say, and all checked ones are wrong."""
    judged = replace(found, count=Count(180.0, 150.0, 200.0))
    left = _listed(LABELS, judged, checked(range(100, 140), set(range(100, 140))), ()).round.left
    assert left.low <= left.expected <= left.high <= N - 40


def test_the_surest_rows_stay_in_order_after_decisions(found):
    """Suspicions that differ by less than a shift can tell."""
    suspicion = found.suspicion.copy()
    suspicion[[10, 20, 30]] = np.float32(1) - np.array([3e-7, 2e-7, 1e-7], dtype=np.float32)
    listed = _listed(LABELS, replace(found, suspicion=suspicion), checked([40], {40}), ())
    assert listed.order[:3].tolist() == [30, 20, 10]


def test_where_the_beliefs_are_right_what_is_found_is_taken_off(found):
    rows = np.arange(0, N, 4)
    by_belief = set(rows[np.diff(np.floor(np.cumsum(found.suspicion[rows])), prepend=0) > 0].tolist())
    listed = _listed(LABELS, found, checked(rows, by_belief), ())
    rest = np.setdiff1d(np.arange(N), rows)
    expected = 80 * found.suspicion[rest].sum() / found.suspicion.sum()
    assert listed.round.left.expected == pytest.approx(expected, rel=0.1)
    assert listed.round.left.high >= 120 - len(by_belief)


def test_copies_of_a_checked_row_get_its_label(found):
    listed = _listed(LABELS, found, {5: 1}, ())
    assert LABELS[[5, 150, 160]].tolist() == [2, 0, 1]
    assert listed.suggestion[[150, 160]].tolist() == [1, 1]
    assert listed.probability[[150, 160]].tolist() == [0.99, 0.99]
    assert listed.suspicion[[150, 160]] == pytest.approx([0.99, 0.01])
    assert listed.order[0] == 150
    assert listed.order[-1] == 5


def test_checked_copies_of_different_classes_tell_nothing_of_a_third(found):
    listed = _listed(LABELS, found, {5: 1, 150: 2}, ())
    assert listed.suggestion[160] == found.suggestion[160]


def test_rows_left_out_are_at_the_end_and_show_nothing(found):
    listed = _listed(LABELS, found, {}, [0, 1])
    assert listed.order[-2:].tolist() == [0, 1]
    np.testing.assert_allclose(listed.suspicion, found.suspicion)
    assert listed.round.left.expected < 80


def test_rows_without_a_label_show_nothing_but_get_what_was_decided(found):
    labels = np.where(np.arange(N) < 3, -1, LABELS)
    judged = replace(found, suspicion=np.where(labels < 0, np.nan, found.suspicion).astype(np.float32))
    listed = _listed(labels, judged, {0: 2}, ())
    assert np.isnan(listed.suspicion[:3]).all()
    assert listed.suggestion[0] == 2
    assert listed.order[-1] == 0
    np.testing.assert_allclose(listed.suspicion[3:], found.suspicion[3:])


def test_no_count_is_given_where_there_was_none_or_no_row_is_left(found):
    assert _listed(LABELS, replace(found, count=None), {0: 1}, ()).round.left is None
    assert _listed(LABELS, found, checked(range(N), set()), ()).round.left is None
