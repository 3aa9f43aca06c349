import io
from contextlib import contextmanager

import numpy as np
import pytest

from evaluation import rank
from evaluation.files import sha256_file
from evaluation.folders import Folders
from evaluation.progress import Reporter
from evaluation.rank import create_baselines
from evaluation.seeding import generator
from tests.support import write_parameters


def run(folders):
    reporter = Reporter(io.StringIO(), io.StringIO())
    failures = create_baselines(folders, reporter)
    return failures, reporter.out.getvalue(), reporter.err.getvalue()


def rankings(folders):
    return {
        str(p.relative_to(folders.submission_folder)): sha256_file(p)
        for p in folders.submission_folder.rglob("*.txt")
        if not p.name.startswith("time_")
    }


def drop(folders, name, text):
    folders.ranker_folder.mkdir(exist_ok=True)
    (folders.ranker_folder / f"{name}.py").write_text(text)


def test_every_ranker_ranks_every_data_id_and_says_how_long(folders):
    failures, out, _ = run(folders)
    assert failures == 0
    assert "4 of 4 rankings of 2 data ids by 2 rankers" in out
    assert sorted(rankings(folders)) == [
        f"{d}_{m}.txt" for d in ("blobs-b", "blobs") for m in ("knn_shapley", "random")
    ]
    for path in folders.submission_folder.glob("time_*"):
        assert 0 < float(path.read_text()) < 60


def test_the_same_seed_writes_the_same_bytes_whatever_else_runs(folders):
    run(folders)
    first = rankings(folders)
    write_parameters(folders.parameters_file.parent, rankers=["random"], seeds=[0, 1])
    run(folders)
    second = rankings(folders)
    assert first.items() <= second.items()
    assert second["seed-1/blobs_random.txt"] != second["blobs_random.txt"]


def test_generators_differ_by_data_id_ranker_and_seed():
    draws = {generator(*key).integers(1 << 62) for key in [("a", "b", 0), ("a", "b", 1), ("b", "a", 0), ("ab", "", 0)]}
    assert len(draws) == 4
    assert generator("a", "b", 0).integers(1 << 62) in draws


def test_a_users_ranker_takes_part_and_is_announced(folders):
    write_parameters(folders.parameters_file.parent, rankers="all")
    drop(folders, "mine", '"""Mine."""\ndef rank(train, validation, *, rng):\n    return -train.features[:, 0]\n')
    _, out, _ = run(folders)
    assert f"loaded the ranker mine from {folders.ranker_folder / 'mine.py'}" in out
    assert (folders.submission_folder / "blobs_mine.txt").exists()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1 / 0", r"bad\.py, line 2: the ranker broke \(ZeroDivisionError: division by zero\)"),
        ("return [0.0]", r"bad\.py: 1 rows ranked of 30"),
        ("return [float('nan')] * 30", r"bad\.py, scores, row 0: nan is not finite \(rows, 30 in all: 0, 1, 2, …\)"),
        ("return 'abc'", r"bad\.py, scores: .* give one number a row"),
        ("train.features[0] = 1", r"bad\.py, line 2: .*read-only"),
        ("from cleaning import Ranking; return Ranking([0] * 30)", r"rows more than once"),
    ],
)
def test_a_broken_ranker_is_one_sentence_and_the_others_go_on(folders, body, message):
    write_parameters(folders.parameters_file.parent, rankers=["bad", "random"])
    drop(folders, "bad", f"def rank(train, validation, *, rng):\n    {body}\n")
    failures, out, err = run(folders)
    assert failures == 2
    assert np.any([__import__("re").search(message, line) for line in err.splitlines()]), err
    assert "2 of 4 rankings" in out
    assert sorted(rankings(folders)) == ["blobs-b_random.txt", "blobs_random.txt"]


def test_a_ranker_may_return_an_order_or_decline(folders):
    write_parameters(folders.parameters_file.parent, rankers=["order", "picky"])
    drop(
        folders,
        "order",
        "from cleaning import Ranking\ndef rank(train, validation, *, rng):\n"
        "    return Ranking(rng.permutation(len(train)))\n",
    )
    drop(
        folders,
        "picky",
        "from cleaning import Unsuitable\ndef rank(train, validation, *, rng):\n"
        "    raise Unsuitable('it wants more rows')\n",
    )
    failures, out, err = run(folders)
    assert failures == 0
    assert "picky left out on blobs: it wants more rows" in err
    assert "2 of 4 rankings" in out
    assert len(rankings(folders)) == 2


def test_rankers_that_need_validation_are_left_out_without_it(folders):
    for path in (*folders.embedding_folder.glob("*_val_*"), *folders.groundtruth_folder.glob("*_val.csv")):
        path.unlink()
    failures, _, err = run(folders)
    assert failures == 0
    assert "knn_shapley left out on blobs" in err
    assert sorted(rankings(folders)) == ["blobs-b_random.txt", "blobs_random.txt"]


def test_modules_that_cannot_load_are_told(folders, monkeypatch):
    found = rank.registry.own_rankers()
    monkeypatch.setattr(
        rank.registry, "own_rankers", lambda: type(found)(found.kind, found.components, ("x: needs y",))
    )
    assert "x: needs y" in run(folders)[2]


def test_folders_default_below_the_workspace_and_can_be_named(tmp_path):
    folders = Folders.in_workspace(tmp_path, results_folder="/elsewhere")
    assert str(folders.results_file) == "/elsewhere/results.jsonl"
    assert folders.submission_folder == tmp_path / "submissions"


def test_a_slow_ranker_that_asks_for_it_tells_its_progress(folders, monkeypatch):
    told = []

    @contextmanager
    def track(label, total, unit):
        yield told.append

    text = "def rank(train, validation, *, rng, progress):\n    progress(1, 4)\n    return train.features[:, 0]\n"
    drop(folders, "patient", text)
    write_parameters(folders.parameters_file.parent, rankers=["random", "patient"])
    reporter = Reporter(io.StringIO(), io.StringIO())
    monkeypatch.setattr(reporter, "track", track)
    assert create_baselines(folders, reporter) == 0
    assert told == [1, 1.25, 2, 3, 3.25, 4]
