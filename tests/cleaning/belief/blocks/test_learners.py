"""Each learner gives, block by block, what the learner of `label_posterior` gives for all rows at once."""

from pathlib import Path

import numpy as np
import pytest

from cleaning.belief import primal_learners
from cleaning.belief.base_learners import plain_view, root_view
from cleaning.belief.blocks import forward
from cleaning.belief.blocks.block import blocks_of
from cleaning.belief.blocks.learners import Known, Ridge, Views, by_class, fold_of, grams
from cleaning.belief.blocks.scan import scanned
from cleaning.belief.blocks.stored import Stored
from cleaning.belief.blocks.work import Work
from cleaning.belief.forward_learner import STEPS, _fitted
from cleaning.errors import InvalidInput, Place
from tests.cleaning.belief.blocks.made import case

NONE = np.empty((0, 8), np.float32), np.empty(0, np.int64)
CLEAN = Known(*NONE, np.empty(0, np.uint64), clean=True)


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    made = case(400)
    stored = made.stored(tmp_path_factory.mktemp("rows"))
    found = Work().over("scan", scanned, (stored, 0), [(0, 150), (150, 400)], 1.0, "")
    mean, square = (one / 400 for one in found.sums)
    mean, deviation = mean.astype(np.float32), np.sqrt(square - mean**2).astype(np.float32)
    views = Views.of(mean, deviation, made.rows, np.ones(400), landmarks=made.rows[10:40])
    return made, stored, views, found.rows[0]


def test_views_are_those_of_all_rows_at_once(given):
    made, _, views, _ = given
    np.testing.assert_allclose(views.plain(made.rows[:50]), plain_view(made.rows)[:50], atol=1e-6)
    np.testing.assert_allclose(views.roots(made.rows[:50]), root_view(made.rows)[:50], atol=1e-6)
    standard = (made.rows - made.rows.mean(axis=0)) / made.rows.std(axis=0)
    np.testing.assert_allclose(views.standard(made.rows), standard, atol=1e-5)


def test_ridge_predicts_every_row_without_its_label(given):
    made, stored, views, digests = given
    labelled = made.labels >= 0
    blocks = blocks_of(made.labels, digests, made.labels, 70)
    gram, sums, *_ = Work().over("grams", grams, (stored, views, 4), blocks, 1.0, "").sums
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    penalty = 3.0 * np.eye(8)
    ridge = Ridge.of(gram, sums, penalty, 2.0, prior, *NONE)
    found = ridge.scores(views.plain(made.rows), made.labels)
    rows, targets = views.plain(made.rows[labelled]), 2.0 * (np.eye(4)[made.labels[labelled]] - prior)
    plain = primal_learners._ridge(rows.__getitem__, penalty, targets, np.ones(len(rows)))
    np.testing.assert_allclose(found[labelled], plain, atol=1e-5)
    np.testing.assert_allclose(found[~labelled], views.plain(made.rows[~labelled]) @ ridge.solution, atol=1e-6)


def test_the_forward_model_is_that_of_all_rows_at_once(given, monkeypatch):
    made, stored, views, digests = given
    monkeypatch.setattr(forward, "FOLDS", 2)
    noise = 0.85 * np.eye(4) + 0.05 * (1 - np.eye(4))
    models = forward.forward_models(
        stored, views, noise, blocks_of(made.labels, digests, made.labels, 70), CLEAN, Work(), 1.0
    )
    for number, model in enumerate(models):
        kept = (made.labels >= 0) & (fold_of(digests, 2) != number)
        seen = noise.T[made.labels[kept]].astype(np.float32)
        start = np.zeros((made.rows.shape[1] + 1, 4), np.float32)
        plain = _fitted(views.standard(made.rows[kept]), seen, np.ones(kept.sum(), np.float32), start, STEPS)
        np.testing.assert_allclose(model, plain, atol=2e-3)


def test_the_rows_of_a_class_are_summed(given):
    made, *_ = given
    codes = np.array([2, 0, 2, 5])
    expected = np.zeros((7, 8))
    np.add.at(expected, codes, made.rows[:4])
    np.testing.assert_allclose(by_class(made.rows[:4], codes, 7), expected, rtol=1e-6)
    assert not by_class(made.rows[:0], codes[:0], 7).any()


def test_copies_have_one_digest_and_so_one_fold(given):
    made, _, _, digests = given
    assert digests[:5].tolist() == digests[5:10].tolist()
    assert len(set(digests)) == len(made.rows) - 5
    assert np.bincount(fold_of(digests, 5)).min() > 40


def test_the_row_that_cannot_be_used_is_named(tmp_path):
    rows = np.ones((5000, 3), dtype=np.float32)
    rows[4500, 1] = np.nan
    np.save(tmp_path / "bad.npy", rows)
    stored = Stored.of(np.load(tmp_path / "bad.npy", mmap_mode="r"))
    with pytest.raises(InvalidInput, match=r"bad\.npy, row 4500: NaN or infinite values\. Fix: "):
        scanned(stored, 0, (0, 5000), None)


def test_only_a_whole_matrix_in_a_file_is_stored(tmp_path):
    np.save(tmp_path / "rows.npy", np.arange(12.0).reshape(4, 3))
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    stored = Stored.of(mapped)
    assert stored.block(1, 3).tolist() == [[3, 4, 5], [6, 7, 8]]
    assert stored.take(np.array([3, 0])).tolist() == [[9, 10, 11], [0, 1, 2]]
    assert [Stored.of(one) for one in (mapped[1:], mapped.T, np.array(mapped))] == [None] * 3
    columns = np.asfortranarray(mapped)
    np.save(tmp_path / "columns.npy", columns)
    by_column = Stored.of(np.load(tmp_path / "columns.npy", mmap_mode="r"))
    for one in (stored, by_column):
        path = Path(one.path)
        path.write_bytes(path.read_bytes()[:-8])
        with pytest.raises(InvalidInput, match="it has become shorter"):
            one.block(0, 4)
    (tmp_path / "rows.npy").unlink()
    with pytest.raises(InvalidInput, match="every worker sees"):
        stored.block(0, 4)


@pytest.mark.parametrize("dtype", ["float16", ">f8", "int64", "uint8", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_numbers_of_any_type_and_order_are_read_by_blocks(dtype, order, tmp_path):
    rows = np.random.default_rng(0).integers(0, 2, (50, 3)).astype(dtype)
    np.save(tmp_path / "rows.npy", np.asarray(rows, order=order))
    stored = Stored.of(np.load(tmp_path / "rows.npy", mmap_mode="r"))
    assert stored.block(7, 20).tobytes() == rows[7:20].astype(np.float32).tobytes()
    assert stored.take(np.array([40, 2])).tobytes() == rows[[40, 2]].astype(np.float32).tobytes()


def test_an_error_names_what_the_user_named(tmp_path):
    np.save(tmp_path / "copy.npy", np.full((5, 3), np.nan))
    place = Place(Path("X.parquet"), column="embedding")
    stored = Stored.of(np.load(tmp_path / "copy.npy", mmap_mode="r"), place)
    with pytest.raises(InvalidInput, match=r"^X\.parquet, column embedding, row 0: NaN"):
        scanned(stored, 0, (0, 5), None)
    (tmp_path / "copy.npy").write_bytes((tmp_path / "copy.npy").read_bytes()[:-8])
    with pytest.raises(InvalidInput, match=r"^X\.parquet, column embedding: its copy in \S+ has become shorter"):
        stored.block(0, 5)
    (tmp_path / "copy.npy").unlink()
    with pytest.raises(
        InvalidInput, match=r"^X\.parquet, column embedding: its copy in [^/]+ cannot be read \(No such"
    ):
        stored.block(0, 5)
    np.save(tmp_path / "mine.npy", np.ones((5, 3)))
    mine = Stored.of(np.load(tmp_path / "mine.npy", mmap_mode="r"), Place(Path("mine.npy")))
    (tmp_path / "mine.npy").unlink()
    with pytest.raises(InvalidInput, match=r"^mine\.npy: it cannot be read \(No such"):
        mine.take(np.array([1]))
