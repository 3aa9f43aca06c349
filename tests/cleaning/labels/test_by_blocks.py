"""What decisions change where rows were judged by blocks."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from cleaning.belief.blocks.judge import Judgement
from cleaning.belief.blocks.recount import Later
from cleaning.belief.count import Count
from cleaning.labels.by_blocks import _first_looks, _listed

N = 200
LABELS = np.arange(N) % 3


@dataclass
class Told:
    """Counts a tenth of the open rows, and notes what it is told."""

    ahead: np.ndarray | None = None
    checked: tuple[tuple[int, int], ...] = ()
    annotators: None = None

    def after(self, ahead, suspicion, checked, right):
        self.ahead = ahead
        self.checked = tuple(zip(checked.tolist(), right.tolist(), strict=True))
        return Later(Count(ahead.sum() / 10, ahead.sum() // 20, ahead.sum() // 5), None)


@pytest.fixture
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
        digests=np.random.default_rng(0).integers(0, 2**63, N).astype(np.uint64),
        classes=np.arange(3),
        noise_matrix=np.eye(3),
        count=Count(80.0, 60.0, 120.0),
        recount=Told(),
        deviations=(1.0, 2.5),
        caveats=(),
    )


def checked(rows, wrong):
    """The right classes of rows of which these are wrong."""
    return {int(row): int(LABELS[row] + (row in wrong)) % 3 for row in rows}


def test_without_decisions_the_count_is_that_of_all_rows(found):
    listed = _listed(LABELS, found, None, {}, ())
    assert listed.order.tolist() == list(range(N))
    assert listed.round.left == Count(pytest.approx(80.0), 60.0, 120.0)
    np.testing.assert_allclose(listed.suspicion, found.suspicion)


def test_where_more_are_wrong_than_believed_all_others_are_more_suspicious(found):
    rows = range(10, 60)
    more, less = (_listed(LABELS, found, None, checked(rows, wrong), ()) for wrong in (set(rows), set()))
    rest = np.setdiff1d(np.arange(N - 1), rows)
    for listed in (more, less):
        assert listed.order[: N - 50].tolist() == [*range(10), *range(60, N)]
        assert set(listed.order[N - 50 :]) == set(rows)
    assert (more.suspicion[rest] > found.suspicion[rest]).all()
    assert (less.suspicion[rest] < found.suspicion[rest]).all()
    assert more.suspicion[30] == 1
    assert less.suspicion[30] == 0
    for listed in (more, less):
        other = (listed.suggestion != LABELS) & ~np.isin(np.arange(N), [*rows, 150, 160])
        assert (listed.probability[other] <= listed.suspicion[other] + 1e-6).all()
    assert less.suggestion[8] == LABELS[8]  # it was thought to be wrong, with probability .86
    assert less.suspicion[8] == pytest.approx(1 - less.probability[8])


def test_the_surest_rows_stay_in_order_after_decisions(found):
    """Suspicions that differ by less than a shift can tell."""
    suspicion = found.suspicion.copy()
    suspicion[[10, 20, 30]] = np.float32(1) - np.array([3e-7, 2e-7, 1e-7], dtype=np.float32)
    listed = _listed(LABELS, replace(found, suspicion=suspicion), None, checked([40], {40}), ())
    assert listed.order[:3].tolist() == [30, 20, 10]


def test_open_rows_are_counted_again_without_copies_of_checked_ones(found):
    """Row 150 has a wrong label if row 5 is of class 1, row 160 the right one."""
    listed = _listed(LABELS, found, None, {5: 1, 7: 0}, [9])
    assert np.flatnonzero(~found.recount.ahead).tolist() == [5, 7, 9, 150, 160]
    assert found.recount.checked == ((5, 1), (7, 0))
    assert listed.round.left == Count(pytest.approx(19.5 + 0.99 + 0.01), 9 + 1, 39 + 1)


def test_copies_of_a_checked_row_get_its_label(found):
    listed = _listed(LABELS, found, None, {5: 1}, ())
    assert LABELS[[5, 150, 160]].tolist() == [2, 0, 1]
    assert listed.suggestion[[150, 160]].tolist() == [1, 1]
    assert listed.probability[[150, 160]].tolist() == [0.99, 0.99]
    assert listed.suspicion[[150, 160]] == pytest.approx([0.99, 0.01])
    assert listed.order[0] == 150
    assert listed.order[-1] == 5


def test_checked_copies_of_different_classes_tell_nothing_of_a_third(found):
    listed = _listed(LABELS, found, None, {5: 1, 150: 2}, ())
    assert listed.suggestion[160] == found.suggestion[160]


def test_rows_left_out_are_at_the_end_and_show_nothing(found):
    listed = _listed(LABELS, found, None, {}, [0, 1])
    assert listed.order[-2:].tolist() == [0, 1]
    np.testing.assert_allclose(listed.suspicion, found.suspicion)
    assert found.recount.checked == ()
    assert not found.recount.ahead[:2].any()


def test_rows_without_a_label_show_nothing_but_get_what_was_decided(found):
    labels = np.where(np.arange(N) < 3, -1, LABELS)
    judged = replace(found, suspicion=np.where(labels < 0, np.nan, found.suspicion).astype(np.float32), recount=Told())
    listed = _listed(labels, judged, None, {0: 2}, [5])
    assert judged.recount.checked == ()
    assert np.flatnonzero(~judged.recount.ahead).tolist() == [0, 1, 2, 5]
    assert np.isnan(listed.suspicion[:3]).all()
    assert listed.suggestion[0] == 2
    assert listed.order[-1] == 0
    np.testing.assert_allclose(listed.suspicion[3:], found.suspicion[3:])


def test_no_count_is_given_where_there_was_none_or_no_row_is_left(found):
    assert _listed(LABELS, replace(found, count=None, recount=None), None, {0: 1}, ()).round.left is None
    assert _listed(LABELS, found, None, checked(range(N), set()), ()).round.left is None


def test_the_first_looks_are_drawn_from_the_labelled_rows_whatever_their_order(found):
    labels = np.where(np.arange(N) < 3, -1, LABELS)
    judged = replace(found, suspicion=np.where(labels < 0, np.nan, found.suspicion).astype(np.float32))
    drawn = _listed(labels, judged, _first_looks(judged), {}, ()).drawn
    assert len(set(drawn.tolist())) == 30
    assert drawn.min() >= 3
    turn = np.random.default_rng(3).permutation(N)
    other = replace(judged, suspicion=judged.suspicion[turn], digests=judged.digests[turn])
    assert turn[_listed(labels[turn], other, _first_looks(other), {}, ()).drawn].tolist() == drawn.tolist()


def test_few_labels_are_not_worth_drawing_from(found):
    assert _first_looks(replace(found, suspicion=np.where(np.arange(N) < 99, 0.5, np.nan))) is None


def test_once_all_drawn_rows_are_decided_wrong_labels_are_counted_by_them(found):
    """Three of them are wrong, nobody could tell about one of these."""
    judged = replace(found, count=None, recount=None)
    first = _first_looks(judged)
    rows = first.rows.tolist()
    wrong = set(rows[:3])
    before = _listed(LABELS, judged, first, checked(rows[1:], wrong), ())
    assert before.round.left is None
    after = _listed(LABELS, judged, first, checked([*rows[1:], 190], {*wrong, 190}), rows[:1])
    sampled = first.count({row: row in wrong for row in rows[1:]}, rows[:1])
    assert after.round.left.high == sampled.high - 3
    assert after.round.left.low == max(sampled.low - 4, 0)
    assert after.round.forecast(20) is None
    narrow = replace(found, recount=Told())
    assert _listed(LABELS, narrow, first, checked(rows, wrong), ()).round.left.high == (N - 30) // 5
