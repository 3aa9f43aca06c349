"""The probabilities of one's own model are by blocks what they are for `label_posterior`."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import softmax

from cleaning.belief import posterior
from cleaning.belief.blocks import judge, predicted, stored, trusted
from cleaning.belief.blocks.learners import fold_of
from cleaning.belief.blocks.scan import digests_of
from cleaning.data import Split
from cleaning.errors import InvalidInput
from tests.cleaning.belief.blocks.made import Undrawn, case

pytestmark = pytest.mark.usefixtures("comparable")


@pytest.fixture(scope="module")
def given():
    """Rows without copies that say little; the first 550 of them are noisy, the others are known."""
    made = case(900)
    rows = np.flatnonzero((np.arange(900) >= 10) & (made.labels >= 0))
    rows = rows[(rows < 560) | ~made.wrong[rows]]
    noise = np.random.default_rng(1).standard_normal((len(rows), 8))
    return replace(made, rows=(made.rows[rows] + 2 * noise).astype(np.float32), labels=made.labels[rows]), rows, made


@pytest.fixture(scope="module")
def own(given):
    """What a model says that has seen the rows before the noise."""
    _, rows, made = given
    centres = np.stack([made.rows[(made.labels == one) & ~made.wrong].mean(axis=0) for one in range(4)])
    return softmax(made.rows[rows] @ centres.T - (centres**2).sum(axis=1) / 2, axis=1).astype(np.float32)


def kept(folder, matrix, name="X"):
    np.save(folder / f"{name}.npy", matrix)
    return stored.Stored.of(np.load(folder / f"{name}.npy", mmap_mode="r"))


@pytest.fixture(scope="module")
def found(given, own, tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("rows"), given[0]
    says = predicted.Predicted(kept(folder, own[:550], "P"), own[550:])
    sure = Split.from_arrays(made.rows[550:], made.labels[550:])
    return judge.judge_stored(kept(folder, made.rows[:550]), made.labels[:550], sure, says)


def test_beliefs_and_count_are_those_of_all_rows_at_once(given, own, found):
    made = given[0]
    train, sure = (Split.from_arrays(made.rows[part], made.labels[part]) for part in (slice(550), slice(550, None)))
    digests = [digests_of(train.take(train.order_by_id()).features, 0)]
    digests.append(digests_of(sure.take(sure.order_by_id()).features, trusted._SALT))
    plain = posterior.label_posterior(
        train,
        sure,
        probabilities=own[:550],
        validation_probabilities=own[550:],
        rng=Undrawn(fold_of(np.concatenate(digests), 5)),
    )
    np.testing.assert_allclose(found.suspicion, plain.suspicion, atol=5e-3)
    assert (found.suggestion == plain.suggestion).mean() > 0.995
    assert found.count.expected == pytest.approx(plain.wrong_labels().expected, rel=5e-3)
    assert found.caveats == plain.caveats


def test_they_help_where_they_know_more(given, found, tmp_path):
    made, rows, before = given
    alone = judge.judge_stored(kept(tmp_path, made.rows[:550]), made.labels[:550])
    wrong = before.wrong[rows[:550]]
    first = [wrong[np.argsort(-one.suspicion)[: wrong.sum()]].mean() for one in (found, alone)]
    assert first[0] > first[1] + 0.1


def test_probabilities_that_are_all_the_same_change_nothing(given, tmp_path):
    made = given[0]
    rows = kept(tmp_path, made.rows[:550])
    even = predicted.Predicted(kept(tmp_path, np.full((550, 4), 0.25), "P"))
    without = judge.judge_stored(rows, made.labels[:550])
    assert judge.judge_stored(rows, made.labels[:550], None, even).suspicion.tobytes() == without.suspicion.tobytes()


def test_those_of_rows_that_the_model_was_fitted_on_are_refused(given, own, tmp_path):
    made = given[0]
    clear = given[2].rows[given[1]]
    fitted = 0.01 / 4 + 0.99 * np.eye(4)[made.labels]
    says = predicted.Predicted(kept(tmp_path, fitted[:550], "P"))
    with pytest.raises(InvalidInput, match=r"they contradict 0 of 550 labels.*fitted on these rows"):
        judge.judge_stored(kept(tmp_path, clear[:550]), made.labels[:550], None, says)
    sure = Split.from_arrays(made.rows[550:], made.labels[550:])
    says = predicted.Predicted(says.stored, np.roll(own[550:], 1, axis=0))
    with pytest.raises(InvalidInput, match=r"they agree with 100% of the labels"):
        judge.judge_stored(kept(tmp_path, made.rows[:550]), made.labels[:550], sure, says)


@pytest.mark.parametrize(
    ("row", "problem"), [([0.5, 0.6, 0, 0], "sums to 1.1"), ([np.nan, 0, 0, 1], "NaN"), ([2, -1, 0, 0], "not a proba")]
)
def test_the_row_that_is_no_distribution_is_named(given, own, tmp_path, row, problem):
    broken = own[:550].copy()
    broken[400] = row
    says = predicted.Predicted(kept(tmp_path, broken, "P"))
    with pytest.raises(InvalidInput, match=rf"P\.npy, row 400: .*{problem}"):
        judge.judge_stored(kept(tmp_path, given[0].rows[:550]), given[0].labels[:550], None, says)
