"""After decisions, wrong labels are counted by blocks as they are in memory: the interval narrows with the looks."""

from dataclasses import replace

import numpy as np
import pytest

from cleaning.belief import basis, posterior
from cleaning.belief.blocks import block, judge, recount
from cleaning.belief.blocks.sample import Sample
from cleaning.data import Split
from cleaning.review import next_round
from tests.cleaning.belief.blocks.made import Case, case


@pytest.fixture(scope="module", autouse=True)
def small():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(block, "FEWEST_ROWS", 250)
        patch.setattr(basis, "DENSE_ROWS", 100)  # the learners for many rows
        yield


@pytest.fixture(scope="module")
def given():
    """Rows with labels, and trusted rows."""
    made = case(1100)
    labels = np.where(np.arange(900) < 890, made.labels[:900], -1)
    sure = Split.from_arrays(made.rows[900:1050], made.truth[900:1050])
    return Case(made.rows[:900], labels, made.wrong[:900] & (labels >= 0), made.truth[:900]), sure


@pytest.fixture(scope="module", params=["alone", "trusted"])
def both(request, given, tmp_path_factory):
    """What was judged by blocks and in memory."""
    made, sure = given[0], given[1] if request.param == "trusted" else None
    rows = np.flatnonzero(made.labels >= 0)
    found = judge.judge_stored(made.stored(tmp_path_factory.mktemp("rows")), made.labels, sure)
    return found, posterior.label_posterior(Split.from_arrays(made.rows[rows], made.labels[rows]), sure)


def looked(found, given, looks):
    """The most suspicious rows, and which rows are then open."""
    made, _ = given
    chosen = np.argsort(-np.nan_to_num(found.suspicion), kind="stable")[:looks]
    ahead = made.labels >= 0
    ahead[chosen] = False
    return chosen, made.truth[chosen], ahead


@pytest.mark.parametrize("looks", [60, 300])
def test_the_interval_is_that_of_a_round_in_memory(both, given, looks):
    found, plain = both
    chosen, right, ahead = looked(found, given, looks)
    ours = found.recount.after(ahead, found.suspicion, chosen, right).count
    theirs = next_round(plain, dict(zip(chosen.tolist(), right.tolist(), strict=True))).left
    assert ours.low <= given[0].wrong[ahead].sum() <= ours.high
    assert ours.expected == pytest.approx(theirs.expected, rel=0.25, abs=3)
    assert ours.high == pytest.approx(theirs.high, rel=0.25, abs=5)


def test_the_interval_narrows_with_the_looks(both, given):
    found, _ = both
    widths = [found.count.high - found.count.low]
    for looks in (150, 500):
        chosen, right, ahead = looked(found, given, looks)
        count = found.recount.after(ahead, found.suspicion, chosen, right).count
        widths.append(count.high - count.low)
    assert widths[1] < 0.9 * widths[0]
    assert widths[2] < 0.5 * widths[0]


def test_more_wrong_labels_than_believed_are_evidence_of_more_among_the_others(both, given):
    found, _ = both
    made, _ = given
    labelled = np.flatnonzero(made.labels >= 0)
    chosen = labelled[np.argsort(found.suspicion[labelled])[300:360]]
    ahead = made.labels >= 0
    ahead[chosen] = False
    sides = ((made.labels[chosen] + np.arange(60) % wrong) % 4 for wrong in (1, 4))
    none, some = (found.recount.after(ahead, found.suspicion, chosen, right).count for right in sides)
    assert some.expected > 1.3 * none.expected
    assert some.high > none.high


def test_a_decision_for_a_class_that_no_row_has_is_a_wrong_label(both, given):
    found, _ = both
    chosen, right, ahead = looked(found, given, 60)
    right = right.copy()
    right[:5] = 9
    count = found.recount.after(ahead, found.suspicion, chosen, right).count
    assert 0 <= count.low <= count.expected <= count.high <= ahead.sum()


def test_a_sample_counts_for_all_rows(both, given):
    found, _ = both
    sample = found.recount.sample
    kept = np.isin(np.arange(len(given[0].labels)), sample.rows[sample.group % 2 == 0])
    half = replace(found.recount, sample=sample.among(kept))
    chosen, right, ahead = looked(found, given, 100)
    ours, theirs = (one.after(ahead, found.suspicion, chosen, right).count for one in (half, found.recount))
    assert ours.expected == pytest.approx(theirs.expected, rel=0.5)
    assert ours.high > 0.6 * theirs.high


def test_the_most_suspicious_rows_are_counted_though_the_sample_has_none_of_them(both, given, monkeypatch):
    """The sample has no row with a wrong label."""
    monkeypatch.setattr(recount, "_CERTAIN", 100)
    found, _ = both
    made, _ = given
    good = replace(found.recount, sample=found.recount.sample.among((made.labels >= 0) & ~made.wrong))
    chosen, right, ahead = looked(found, given, 60)
    left = made.wrong[ahead].sum()
    assert 0.6 * left < good.after(ahead, found.suspicion, chosen, right).count.expected < 1.6 * left


def test_where_no_row_of_the_sample_is_open_any_number_may_be_wrong(both, given):
    found, _ = both
    rows, none = np.arange(len(given[0].labels)), np.empty(0, dtype=np.int64)
    few = replace(found.recount, sample=found.recount.sample.among(rows < 100))
    count = few.after((rows >= 880) & (given[0].labels >= 0), found.suspicion, none, none).count
    assert (count.low, count.high) == (0.0, 10.0)
    assert count.expected == pytest.approx(found.suspicion[880:890].sum())


def test_decisions_tell_no_more_of_the_noise_than_their_share_of_all_rows(both, given, monkeypatch):
    """A tenth of the rows are the sample. Of the rows that were looked at, most labels are wrong."""
    fitted, fit = [], Sample.stack
    monkeypatch.setattr(Sample, "stack", lambda *given, **named: fitted.append(fit(*given, **named)) or fitted[-1])
    found, _ = both
    chosen, right, ahead = looked(found, given, 150)
    rows = np.random.default_rng(0).permutation(len(ahead))[:90]
    few = replace(found.recount, sample=found.recount.sample.among(np.isin(np.arange(len(ahead)), rows)))
    few.after(ahead, found.suspicion, chosen, right)
    assert 1 - np.diag(fitted[0].noise).mean() < 0.25
