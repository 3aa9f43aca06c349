"""Long curves in blocks: resumed where they stopped, with thinned and refined points."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cleaning import FixfirstError, GroundTruth, InvalidInput, NoisyDataset, Ranking, Split, simulate
from cleaning.simulation.blocks import BlockFolder
from cleaning.simulation.simulate import Plan
from tests.support import noisy_blobs


class Killed(BaseException):
    """An exception that nothing catches."""


@dataclass(frozen=True, eq=False)
class Counting:
    """Agreement of the training labels with the truth, block by block; records the states it is asked for."""

    truth: np.ndarray
    size: int = 4
    name: str = "counting"
    asked: list = field(default_factory=list)
    killed_after: int = 1000

    def describe(self):
        return {"name": self.name}

    def block_size(self, path):
        return self.size

    def accuracies(self, path, test, step):
        if len(self.asked) >= self.killed_after:
            raise Killed
        self.asked.append(len(path))
        return np.array([np.mean(path.labels_at(state) == self.truth) for state in range(len(path))])


@pytest.fixture
def problem():
    dataset, truth = noisy_blobs(n=60, seed=1)
    return dataset, truth, Ranking(np.random.default_rng(1).permutation(60))


def curve(problem, learner, folder, **plan):
    return simulate(*problem, learner, plan=Plan(blocks=BlockFolder(folder), **plan))


def test_a_killed_curve_resumes_at_its_last_block(problem, tmp_path):
    truth = problem[1].labels
    whole = Counting(truth)
    expected = simulate(*problem, whole)
    assert whole.asked == [4, 4, 4, 4, 3]
    with pytest.raises(Killed):
        curve(problem, Counting(truth, killed_after=3), tmp_path / "new" / "blocks")
    again = Counting(truth)
    steps = []
    blocks = BlockFolder(tmp_path / "new" / "blocks")
    found = simulate(*problem, again, lambda *step: steps.append(step), Plan(blocks=blocks))
    assert again.asked == [4, 3]
    assert steps[0] == (12, 19)
    assert steps[-1] == (19, 19)
    assert found.accuracy.tobytes() == expected.accuracy.tobytes()
    once_more = Counting(truth)
    assert curve(problem, once_more, tmp_path / "new" / "blocks").accuracy.tobytes() == expected.accuracy.tobytes()
    assert once_more.asked == []


@pytest.mark.parametrize("damage", [b"", b"\0" * 7, None], ids=["emptied", "cut", "one bit"])
def test_a_damaged_block_is_computed_again(problem, tmp_path, damage):
    truth = problem[1].labels
    expected = curve(problem, Counting(truth), tmp_path)
    files = sorted(tmp_path.glob("*.block"))
    content = bytearray(files[1].read_bytes())
    content[-3] ^= 1
    files[1].write_bytes(bytes(content) if damage is None else damage)
    learner = Counting(truth)
    assert curve(problem, learner, tmp_path).accuracy.tobytes() == expected.accuracy.tobytes()
    assert learner.asked == [4]


def test_blocks_of_another_learner_data_or_order_are_not_reused(problem, tmp_path):
    dataset, truth, ranking = problem
    curve(problem, Counting(truth.labels), tmp_path)
    other = Split.from_arrays(dataset.train.features + 1, dataset.train.labels)
    for changed in (
        (Counting(truth.labels, name="other"), dataset, ranking),
        (Counting(truth.labels), NoisyDataset("x", other, None, dataset.test), ranking),
        (Counting(truth.labels), dataset, Ranking(ranking.order[::-1])),
    ):
        learner, data, order = changed
        curve((data, truth, order), learner, tmp_path)
        assert sum(learner.asked) == 19


def test_a_short_curve_writes_nothing(problem, tmp_path):
    curve(problem, Counting(problem[1].labels, size=100), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_folder_that_cannot_be_written_is_a_clear_error(problem, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FixfirstError, match=r"file/x/.*a finished block of a curve cannot be saved.*Fix: "):
        curve(problem, Counting(problem[1].labels), tmp_path / "file" / "x")


def test_the_folder_is_a_mapping(tmp_path):
    blocks = BlockFolder(tmp_path / "b")
    assert list(blocks) == []
    blocks["a"] = b"1"
    blocks["a"] = b"2"
    assert (dict(blocks), len(blocks), "c" in blocks) == ({"a": b"2"}, 1, False)
    del blocks["a"]
    with pytest.raises(KeyError):
        del blocks["a"]
    with pytest.raises(KeyError):
        blocks["a"]
    assert not list((tmp_path / "b").iterdir())


@settings(max_examples=60)
@given(st.data())
def test_budgets_thin_the_points_and_leave_the_crossing_exact(data):
    n = data.draw(st.integers(1, 30))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    truth = rng.integers(0, 2, n)
    labels = np.where(rng.random(n) < 0.5, truth, 1 - truth)
    rows = np.eye(n)
    dataset = NoisyDataset("x", Split.from_arrays(rows, labels), None, Split.from_arrays(rows, truth))
    budgets = data.draw(st.one_of(st.integers(1, 40), st.lists(st.integers(0, n), max_size=5)))
    everything = (dataset, GroundTruth(truth), Ranking(rng.permutation(n)))
    learner = Counting(truth)
    whole = simulate(*everything, Counting(truth))
    thin = simulate(*everything, learner, plan=Plan(budgets=budgets, target=0.8))
    assert np.array_equal(thin.accuracy, whole.accuracy[thin.fixes])
    assert {0, n} <= set(thin.fixes.tolist())
    if not isinstance(budgets, int):
        assert set(budgets) <= set(thin.fixes.tolist())
    assert (thin.dirty, thin.clean) == (whole.dirty, whole.clean)
    # accuracy only rises here, so the first crossing of the thinned curve is that of the whole one
    assert thin.fixes_needed(0.8) == whole.fixes_needed(0.8)
    assert sum(learner.asked) <= np.sum(labels != truth) + 1


@pytest.mark.parametrize(("budgets", "message"), [(0, "0 points"), ([61], "61 is outside 0 … 60")])
def test_impossible_budgets_are_refused(problem, budgets, message):
    with pytest.raises(InvalidInput, match=message):
        simulate(*problem, Counting(problem[1].labels), plan=Plan(budgets=budgets))
