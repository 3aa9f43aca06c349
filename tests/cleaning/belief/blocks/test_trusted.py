"""Rows whose labels are trusted teach by blocks what they teach `label_posterior`."""

from dataclasses import replace

import numpy as np
import pytest

from cleaning.belief import posterior
from cleaning.belief.blocks import judge, stored, trusted
from cleaning.belief.blocks.learners import fold_of
from cleaning.belief.blocks.scan import digests_of
from cleaning.data import Split
from cleaning.errors import InvalidInput
from tests.cleaning.belief.blocks.made import Undrawn, case

pytestmark = pytest.mark.usefixtures("comparable")

SURE = slice(700, 890)


@pytest.fixture(scope="module")
def given():
    """Noisy rows without copies, and the classes of all rows; those of SURE are known."""
    made = case(900)
    noise = np.random.default_rng(1).standard_normal(made.rows.shape)
    made = replace(made, rows=(made.rows + 1.5 * noise).astype(np.float32))
    truth = np.where(made.wrong, -1, made.labels)
    rows, sure = np.arange(10, 700), np.flatnonzero((np.arange(900) >= SURE.start) & (truth >= 0))
    return made, rows, Split.from_arrays(made.rows[sure], made.labels[sure])


@pytest.fixture(scope="module")
def kept(given, tmp_path_factory):
    made, rows, _ = given
    path = tmp_path_factory.mktemp("rows") / "X.npy"
    np.save(path, made.rows[rows])
    return stored.Stored.of(np.load(path, mmap_mode="r"))


@pytest.fixture(scope="module")
def found(given, kept):
    made, rows, sure = given
    return judge.judge_stored(kept, made.labels[rows], sure)


def test_beliefs_and_count_are_those_of_all_rows_at_once(given, found):
    made, rows, sure = given
    train = Split.from_arrays(made.rows[rows], made.labels[rows])
    digests = [digests_of(train.take(train.order_by_id()).features, 0)]
    digests.append(digests_of(sure.take(sure.order_by_id()).features, trusted._SALT))
    plain = posterior.label_posterior(train, sure, rng=Undrawn(fold_of(np.concatenate(digests), 5)))
    np.testing.assert_allclose(found.suspicion, plain.suspicion, atol=2e-3)
    assert np.array_equal(found.suggestion, plain.suggestion)
    np.testing.assert_allclose(found.noise_matrix, plain.noise_matrix, atol=1e-3)
    said, expected = found.count, plain.wrong_labels()
    assert said.expected == pytest.approx(expected.expected, rel=2e-3)
    assert [said.low, said.high] == pytest.approx([expected.low, expected.high], abs=1)
    assert found.caveats == plain.caveats == ()


def test_they_make_the_count_surer(given, kept, found):
    made, rows, _ = given
    alone = judge.judge_stored(kept, made.labels[rows])
    assert found.count.low <= made.wrong[rows].sum() <= found.count.high
    assert found.count.high - found.count.low < alone.count.high - alone.count.low
    assert found.deviations < alone.deviations


def test_their_order_does_not_matter(given, kept, found):
    made, rows, sure = given
    turned = np.random.default_rng(0).permutation(len(sure))
    again = judge.judge_stored(kept, made.labels[rows], sure.take(turned))
    assert again.suspicion.tobytes() == found.suspicion.tobytes()


def test_a_class_that_only_they_have_is_suggested(given, kept):
    made, rows, sure = given
    hidden = made.labels[rows] == 3
    again = judge.judge_stored(kept, np.where(hidden, -1, made.labels[rows]), sure)
    assert (again.suggestion[hidden] == 3).mean() > 0.6


def test_those_that_are_training_rows_with_the_same_label_are_not_used(given, kept, found):
    made, rows, sure = given
    copied = Split.from_arrays(
        np.vstack([made.rows[rows[:20]], sure.features]), np.concatenate([made.labels[rows[:20]], sure.labels])
    )
    again = judge.judge_stored(kept, made.labels[rows], copied)
    assert again.suspicion.tobytes() == found.suspicion.tobytes()
    assert [one.kind for one in again.caveats] == ["shared rows"]
    changed = copied.labels.copy()
    changed[0] = (changed[0] + 1) % 4  # somebody has checked them
    again = judge.judge_stored(kept, made.labels[rows], Split.from_arrays(copied.features, changed))
    assert again.caveats == ()
    assert again.suspicion[0] > 1.2 * found.suspicion[0]


def test_those_that_mislead_are_left_out(given, kept):
    made, rows, sure = given
    alone = judge.judge_stored(kept, made.labels[rows])
    other = Split.from_arrays(sure.features, np.random.default_rng(0).permutation(sure.labels))
    again = judge.judge_stored(kept, made.labels[rows], other)
    assert "misleading rows" in [one.kind for one in again.caveats]
    assert np.corrcoef(again.suspicion, alone.suspicion)[0, 1] > 0.99
    assert again.deviations == alone.deviations


def test_classes_that_are_numbered_differently_are_named(given, kept):
    made, rows, sure = given
    again = judge.judge_stored(kept, made.labels[rows], Split.from_arrays(sure.features, (sure.labels + 1) % 4))
    (moved,) = (one for one in again.caveats if one.kind == "moved classes")
    trusted, called = np.reshape(moved.classes, (-1, 2)).T
    assert set((trusted - called) % 4) == {1}
    assert again.count is None


def test_other_widths_are_refused(given, kept):
    made, rows, sure = given
    with pytest.raises(InvalidInput, match="embeddings have 5 columns, training embeddings have 8"):
        judge.judge_stored(kept, made.labels[rows], Split.from_arrays(sure.features[:, :5], sure.labels))


def test_rows_without_any_label_are_refused(given, kept):
    with pytest.raises(InvalidInput, match="no row has a label"):
        judge.judge_stored(kept, np.full(len(kept), -1), given[2])
