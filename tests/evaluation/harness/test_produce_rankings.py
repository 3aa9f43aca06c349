import io
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from cleaning import InvalidInput
from evaluation.contract import registry
from evaluation.files.progress import Reporter
from evaluation.files.whole import sha256_file
from evaluation.harness.produce import create_baselines
from evaluation.harness.seeding import generator
from evaluation.settings.folders import Folders
from tests.support import noisy_blobs, write_dataset, write_parameters


def run(folders, *only):
    reporter = Reporter(io.StringIO(), io.StringIO())
    failures = create_baselines(folders, reporter, only=only)
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
    assert "create_baselines: 4 submissions for 2 data ids: 4 written\n" in out
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
        ("return 1 / 0", r"bad\.py, line 2: the ranker crashed \(ZeroDivisionError: division by zero\)"),
        ("return [0.0]", r"bad\.py: it ranks 1 row, not 30"),
        ("return [float('nan')] * 30", r"bad\.py, scores, row 0: nan is not finite \(affected rows, 30 in all: 0, 1,"),
        ("return 'abc'", r"bad\.py, scores: .* give one number per row"),
        ("train.features[0] = 1", r"bad\.py, line 2: .*read-only"),
        ("from cleaning import Ranking; return Ranking([0] * 30)", r"duplicate rows"),
    ],
)
def test_a_broken_ranker_is_one_sentence_and_the_others_go_on(folders, body, message):
    write_parameters(folders.parameters_file.parent, rankers=["bad", "random"])
    drop(folders, "bad", f"def rank(train, validation, *, rng):\n    {body}\n")
    failures, out, err = run(folders)
    assert failures == 2
    assert np.any([__import__("re").search(message, line) for line in err.splitlines()]), err
    assert "4 submissions for 2 data ids: 2 failed, 2 written" in out
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
    assert "4 submissions for 2 data ids: 2 written, 2 left out" in out
    assert len(rankings(folders)) == 2


def test_rankers_that_need_validation_are_left_out_without_it(folders):
    for path in (*folders.embedding_folder.glob("*_val_*"), *folders.groundtruth_folder.glob("*_val.csv")):
        path.unlink()
    failures, _, err = run(folders)
    assert failures == 0
    assert "knn_shapley left out on blobs" in err
    assert sorted(rankings(folders)) == ["blobs-b_random.txt", "blobs_random.txt"]


def test_modules_that_cannot_load_are_told(folders, monkeypatch):
    found = registry.own_rankers()
    monkeypatch.setattr(registry, "own_rankers", lambda: type(found)(found.kind, found.components, {"x": "it needs y"}))
    assert "warning: x is left out: it needs y" in run(folders)[2]


def test_folders_default_below_the_workspace_and_can_be_named(tmp_path):
    folders = Folders.in_workspace(tmp_path, results_folder=Path("/elsewhere"))
    assert str(folders.results_file) == "/elsewhere/results.jsonl"
    assert folders.submission_folder == tmp_path / "submissions"


def test_a_slow_ranker_that_asks_for_it_tells_its_progress(folders, monkeypatch):
    told = []

    @contextmanager
    def track(label, unit):
        yield lambda done, total, note="": told.append((done, total, note))

    text = "def rank(train, validation, *, rng, progress):\n    progress(1, 4)\n    return train.features[:, 0]\n"
    drop(folders, "patient", text)
    write_parameters(folders.parameters_file.parent, rankers=["random", "patient"])
    reporter = Reporter(io.StringIO(), io.StringIO())
    monkeypatch.setattr(reporter, "track", track)
    assert create_baselines(folders, reporter) == 0
    within = [(1.25, 4, "patient"), (3.25, 4, "patient")]
    assert told == [(1, 4, ""), within[0], (2, 4, ""), (3, 4, ""), within[1], (4, 4, "")]


def test_what_is_there_and_unchanged_is_kept_and_the_rest_is_made_anew(folders, monkeypatch):
    drop(folders, "mine", "def rank(train, validation, *, rng):\n    return -train.features[:, 0]\n")
    write_parameters(folders.parameters_file.parent, rankers=["mine", "random"])
    run(folders)
    before = rankings(folders)
    assert "4 submissions for 2 data ids: 4 unchanged" in run(folders)[1]
    assert rankings(folders) == before
    (folders.submission_folder / "blobs_random.txt").write_text("edited\n")
    (folders.submission_folder / "blobs-b_random.txt").unlink()
    drop(folders, "mine", "def rank(train, validation, *, rng):\n    return train.features[:, 0]\n")
    assert "4 submissions for 2 data ids: 4 written" in run(folders)[1]
    after = rankings(folders)
    assert after["blobs_random.txt"] == before["blobs_random.txt"]
    assert after["blobs_mine.txt"] != before["blobs_mine.txt"]
    dataset, truth = noisy_blobs("blobs", n=30, seed=5)
    write_dataset(folders.parameters_file.parent, dataset, truth)
    assert "4 submissions for 2 data ids: 2 written, 2 unchanged" in run(folders)[1]
    (folders.submission_folder / ".made.jsonl").write_text("{}\nnot json\n[1]\n")
    assert "4 submissions for 2 data ids: 4 written" in run(folders)[1]
    monkeypatch.setattr("evaluation.harness.produce.code_sha256", lambda: "another version")
    assert "4 submissions for 2 data ids: 4 written" in run(folders)[1]


def test_one_ranker_or_predictor_can_be_tried(folders):
    assert "2 submissions for 2 data ids: 2 written" in run(folders, "self_confidence")[1]
    assert sorted(rankings(folders)) == ["blobs-b_self_confidence.txt", "blobs_self_confidence.txt"]
    with pytest.raises(InvalidInput, match=r"--only=randon: there is no such .*\. Fix: did you mean rand"):
        run(folders, "randon")
    with pytest.raises(InvalidInput, match="--only=oracle_influence: it is a bound that reads the truth"):
        run(folders, "oracle_influence")


def test_an_order_in_place_of_scores_is_pointed_out(folders):
    for name, answer in (
        ("order", "list(range(30))[::-1]"),
        ("scores", "[0.5] * 30"),
        ("ranking", "Ranking(range(30))"),
    ):
        drop(
            folders, name, f"from cleaning import Ranking\ndef rank(train, validation, *, rng):\n    return {answer}\n"
        )
    failures, _, err = run(folders, "order", "scores", "ranking")
    assert failures == 0
    assert err.count("the numbers 0 to 29, each once") == err.count("order on blobs") == 2


def test_a_broken_file_is_a_warning_unless_it_is_asked_for(folders):
    drop(folders, "broken", "import surely_not_there\n")
    drop(folders, "neither", "x = 1\n")
    failures, _, err = run(folders)
    assert failures == 0
    assert len(rankings(folders)) == 4
    assert err.count("broken.py, line 1") == 1
    assert err.count("neither.py") == 1
    with pytest.raises(InvalidInput, match=r"ranker 'broken': it cannot be loaded.*broken\.py, line 1"):
        run(folders, "broken")
    reporter = Reporter(io.StringIO(), io.StringIO())
    with pytest.raises(InvalidInput, match=r"\)\. Fix: correct the file, or start its name with _\.$"):
        create_baselines(folders, reporter, only=["broken"])
    assert "broken is left out" not in reporter.err.getvalue()
    write_parameters(folders.parameters_file.parent, rankers=["random", "broken"])
    with pytest.raises(InvalidInput, match="ranker 'broken': it cannot be loaded"):
        run(folders)


def test_a_data_id_that_cannot_be_read_fails_its_own_and_the_others_go_on(folders):
    next(folders.embedding_folder.glob("blobs_train*")).unlink()
    failures, out, err = run(folders)
    assert failures == 2
    assert "4 submissions for 2 data ids: 2 failed, 2 written" in out
    assert err.count("no train embeddings for data id 'blobs'") == 1
    assert sorted(rankings(folders)) == ["blobs-b_knn_shapley.txt", "blobs-b_random.txt"]
