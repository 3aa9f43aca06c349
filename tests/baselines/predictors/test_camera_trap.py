import numpy as np
import pytest

from baselines.predictors.camera_trap import class_prior, pooled_logistic
from baselines.predictors.camera_trap._clips import POOLS, _blocks, all_pools, mean_pool, metadata_columns, pool_bases
from cleaning import InvalidInput, Unsuitable
from cleaning.problems import CameraTrapProblem, ClipSet

pooled_stack = pytest.importorskip(
    "baselines.predictors.camera_trap.pooled_stack", reason="needs iterative-stratification"
)


def log_loss(probabilities, truth):
    clipped = np.clip(probabilities, 1e-15, 1 - 1e-15)
    return float(-(truth * np.log(clipped) + (1 - truth) * np.log(1 - clipped)).mean())


def clips(count, seed, classes=4, frames=12, width=6):
    """A clip shows animal c (of `classes - 1`) in a few frames as a bright column c; class 0 is the blank clip."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 0.3, size=(count, frames, width)).astype(np.float32)
    labels = np.zeros((count, classes), dtype=np.float32)
    for row in range(count):
        shown = rng.random(classes - 1) < [0.3, 0.2, 0.1][: classes - 1]
        labels[row, 1:] = shown
        labels[row, 0] = not shown.any()
        for animal in np.flatnonzero(shown):
            start = rng.integers(0, frames - 3)
            features[row, start : start + 3, animal] += 1.5
    size = 1000 + 400 * (1 - labels[:, 0]) + rng.normal(0, 150, count)
    metadata = np.column_stack([np.full(count, 640.0), np.full(count, 480.0), size])
    return ClipSet(features, metadata), labels


@pytest.fixture(scope="module")
def problem():
    train, labels = clips(240, 1)
    test, truth = clips(150, 2)
    return CameraTrapProblem(train, labels, test), truth


def test_each_stronger_baseline_has_a_lower_loss(problem):
    given, truth = problem
    losses = [
        log_loss(m.predict(given, rng=np.random.default_rng(0)), truth)
        for m in (class_prior, pooled_logistic, pooled_stack)
    ]
    assert losses[0] > losses[1] > losses[2] + 0.01


def test_pseudo_labels_change_the_answer_but_hardly_the_loss(problem):
    given, truth = problem
    plain = pooled_stack.predict(given, rng=np.random.default_rng(0))
    pseudo = pooled_stack.predict(given, rng=np.random.default_rng(0), pseudo_labels=True)
    assert not np.array_equal(plain, pseudo)
    assert log_loss(pseudo, truth) < 1.1 * log_loss(plain, truth)


@pytest.mark.parametrize("method", [class_prior, pooled_logistic, pooled_stack])
def test_probabilities_are_valid_and_an_unseen_class_is_unlikely_but_possible(method):
    train, labels = clips(40, 3)
    labels[:, 3] = 0
    test, _ = clips(11, 4)
    given = CameraTrapProblem(train, labels, test)
    reports = []
    probabilities = method.predict(given, rng=np.random.default_rng(0), progress=lambda *at: reports.append(at[:2]))
    assert probabilities.shape == (11, 4)
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert (probabilities[:, 3] < 0.1).all()
    assert np.array_equal(probabilities, method.predict(given, rng=np.random.default_rng(0)))
    assert all(0 <= done <= total for done, total in reports)


def test_positives_are_spread_evenly_and_a_fold_may_lack_a_class():
    rng = np.random.default_rng(0)
    labels = (rng.random((200, 5)) < [0.5, 0.2, 0.1, 0.05, 0.0]).astype(np.float32)
    labels[[3, 77], 4] = 1
    fold = pooled_stack.stratified(labels, 5, rng)
    counts = np.array([labels[fold == number].sum(axis=0) for number in range(5)])
    assert np.ptp(counts, axis=0)[:4].max() <= 2
    assert sorted(counts[:, 4]) == [0, 0, 0, 1, 1]


def test_bounds_limit_an_overconfident_class():
    truth = np.array([1.0, 0, 0, 0, 0, 0, 0, 0], dtype=np.float32)
    low, high = pooled_stack.best_bounds(np.full(8, 1e-6), truth)
    assert 0.05 < low < 0.2
    assert high == pytest.approx(1 - 1e-7)
    perfect = pooled_stack.best_bounds(truth.astype(float), truth)
    assert perfect == (1e-7, 1 - 1e-7)


def test_pools_equal_numpys_in_blocks_and_from_a_memory_map(tmp_path, monkeypatch):
    features = clips(30, 5)[0].frames
    np.save(tmp_path / "clips.npy", features.astype(np.float16))
    mapped = np.load(tmp_path / "clips.npy", mmap_mode="r")
    monkeypatch.setattr("baselines.predictors.camera_trap._clips._BLOCK_ENTRIES", 12 * 6 * 7)
    assert [part.stop for part, _ in _blocks(mapped)] == [7, 14, 21, 28, 30]
    pooled = all_pools(mapped, None).reshape(30, len(POOLS), 6)
    single = mapped.astype(np.float32)
    assert np.allclose(pooled[:, 0], single.mean(axis=1), atol=1e-6)
    assert np.array_equal(pooled[:, 1], single.max(axis=1))
    assert np.array_equal(pooled[:, 2], single.min(axis=1))
    assert np.allclose(pooled[:, 3], single.std(axis=1), atol=1e-6)
    expected = np.quantile(single, 0.5, axis=1, method="lower")
    assert np.array_equal(pooled[:, POOLS.index("q50")], expected)
    assert np.array_equal(mean_pool(mapped), single.mean(axis=1))


def test_wide_frames_are_reduced_pool_by_pool():
    frames = np.random.default_rng(0).normal(size=(25, 5, 40)).astype(np.float32)
    assert pool_bases(frames, 40, np.random.default_rng(0)) is None
    bases = pool_bases(frames, 8, np.random.default_rng(0))
    assert bases.shape == (len(POOLS), 40, 8)
    assert np.allclose(bases[0].T @ bases[0], np.eye(8), atol=1e-5)
    expected = frames.max(axis=1) @ bases[POOLS.index("max")]
    assert np.allclose(all_pools(frames, bases)[:, 8:16], expected, atol=1e-4)


def test_metadata_become_indicators_of_bins_and_of_frame_sizes():
    train = np.array([[640, 480, size] for size in range(100)] + [[1280, 720, size] for size in range(100)], float)
    test = np.array([[640, 480, -5], [1280, 720, 500], [7, 7, 50]], float)
    left, right = metadata_columns(train, test, bins=4)
    assert left.shape == (200, 2 + 2 + 4 + 2)
    assert set(np.unique(left)) == {0.0, 1.0}
    assert (left.sum(axis=1) == 4).all()
    assert right[0, 4] == right[1, 7] == 1
    none = metadata_columns(np.empty((3, 0)), np.empty((2, 0)))
    assert (none[0].shape, none[1].shape) == ((3, 0), (2, 0))


def test_clips_without_metadata_are_stacked_from_their_frames(problem):
    given, truth = problem
    bare = CameraTrapProblem(
        ClipSet(given.train.frames, np.empty((240, 0))), given.labels, ClipSet(given.test.frames, np.empty((150, 0)))
    )
    assert log_loss(pooled_stack.predict(bare, rng=np.random.default_rng(0)), truth) < 0.2


def test_nan_frames_are_refused_by_row():
    train, labels = clips(6, 1)
    frames = np.array(train.frames)
    frames[4, 2, 1] = np.nan
    broken = ClipSet(frames, train.metadata)
    with pytest.raises(InvalidInput, match="clip features, row 4: NaN"):
        pooled_logistic.predict(CameraTrapProblem(broken, labels, broken), rng=np.random.default_rng(0))


def test_one_clip_cannot_be_stacked():
    train, labels = clips(1, 1)
    with pytest.raises(Unsuitable, match="two training clips"):
        pooled_stack.predict(CameraTrapProblem(train, labels, train), rng=np.random.default_rng(0))


def test_an_inconsistent_problem_is_refused():
    train, labels = clips(5, 1)
    narrow = clips(5, 1, width=5)[0]
    for wrong in (labels[:4], labels[:, 0], labels * 0.5):
        with pytest.raises(InvalidInput, match="clip labels"):
            CameraTrapProblem(train, wrong, train)
    with pytest.raises(InvalidInput, match="test clips"):
        CameraTrapProblem(train, labels, narrow)
    with pytest.raises(InvalidInput, match="clips: the shape"):
        ClipSet(np.ones((2, 3)), np.ones((2, 1)))
    with pytest.raises(InvalidInput, match="clip metadata"):
        ClipSet(np.ones((2, 3, 4)), np.ones((3, 1)))
