import csv
import io
import json
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from evaluation.contract import registry
from evaluation.contract.draw import Draw
from evaluation.embedding.embed import Request, embed
from evaluation.files.progress import Reporter
from evaluation.files.whole import sha256_tree

TASKS = ("camera_trap", "image_retrieval", "logo", "zero_shot")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Draw 3 of every task's default data."""
    place = tmp_path_factory.mktemp("made")
    for task in TASKS:
        registry.makers_of_digits()[task].member(Draw(task, 3, None, place / "embeddings", place / "data"))
    return place


def pictures(folder):
    with ZipFile(folder / "pictures.zip") as archive:
        return archive.namelist()


def test_every_task_with_predictors_has_default_data():
    assert set(registry.makers_of_digits()) == {*registry.problems(), "cleaning"} == {*TASKS, "cleaning"}


@pytest.mark.parametrize("task", TASKS)
def test_a_draw_is_loaded_by_its_task(made, task):
    loaded = registry.problem_files(task).load(made / "embeddings" / task)
    assert loaded.problem is not None
    assert loaded.notes == ()


def test_the_same_draw_writes_the_same_bytes_and_another_does_not(made, tmp_path):
    write = registry.makers_of_digits()["camera_trap"].member
    write(Draw("again", 3, None, tmp_path, tmp_path / "truth"))
    assert sha256_tree(tmp_path / "again") == sha256_tree(made / "embeddings" / "camera_trap")
    write(Draw("other", 4, None, tmp_path, tmp_path / "truth"))
    assert sha256_tree(tmp_path / "other") != sha256_tree(tmp_path / "again")


def test_products_lie_as_the_challenge_has_them(made):
    data = made / "data" / "image_retrieval"
    names = pictures(data)
    assert sum(name.startswith("query/") for name in names) == 150
    assert sum(name.startswith("reference/") for name in names) == 1000
    assert {name.split("/")[1] for name in names if name.startswith("train_data/")} == {
        f"product-{n}" for n in range(10)
    }
    truth = json.loads((data / "truth.json").read_text())
    problem, (query_ids, reference_ids) = load(made, "image_retrieval")
    assert set(truth["query"]) == set(query_ids)
    assert list(truth["reference"]) == list(reference_ids) == sorted(reference_ids)
    assert set(truth["query"].values()) <= set(truth["reference"].values())
    assert problem.depth == 1000


def load(made, task):
    loaded = registry.problem_files(task).load(made / "embeddings" / task)
    return loaded.problem, loaded.names


def test_logos_have_rare_classes_and_every_format_a_digit_can_be(made):
    data = made / "data" / "logo"
    problem, (names, labels) = load(made, "logo")
    counts = np.bincount(problem.train.labels)
    assert (len(labels), counts.max(), counts.min()) == (10, 120, 3)
    assert "other" in labels
    assert {name.rpartition(".")[2] for name in names} == {"png", "jpg", "gif"}
    with (data / "test_labels.csv").open(newline="") as file:
        truth = dict(list(csv.reader(file))[1:])
    assert set(truth) == set(names)
    assert {f"test/{name}" for name in names} == {name for name in pictures(data) if name.startswith("test/")}
    assert set(truth.values()) <= set(labels)


def test_zero_shot_pairs_and_names_are_russian_and_english(made):
    data, given = made / "data" / "zero_shot", made / "embeddings" / "zero_shot"
    problem, names = load(made, "zero_shot")
    assert problem.targets["digits-ru"].classes[7] == "семь"
    assert problem.targets["digits-en"].classes[7] == "seven"
    pairs = [json.loads(line) for line in (given / "metadata.json").read_text().splitlines()]
    assert len(pairs) == len(problem.images) == 800
    assert sum(len(texts) for _, texts in problem.pairs) == sum(len(pair["queries"]) for pair in pairs)
    truth = json.loads((data / "truth.json").read_text())
    for dataset, ids in names.items():
        assert set(truth[dataset]) == set(ids)
        assert {f"{dataset}/img/{image}.jpg" for image in ids} <= set(pictures(data))
        assert json.loads((data / dataset / "classes.json").read_text()) == list(problem.targets[dataset].classes)


def test_clips_have_45_frames_24_classes_blanks_and_pairs(made):
    problem, (_, classes) = load(made, "camera_trap")
    assert problem.train.frames.shape == (500, 45, 64)
    assert isinstance(problem.train.frames, np.memmap)
    assert len(classes) == problem.labels.shape[1] == 24
    shown = problem.labels.sum(axis=1)
    assert 0.35 < problem.labels[:, 0].mean() < 0.55
    assert (shown[problem.labels[:, 0] == 1] == 1).all()
    assert 10 < (shown == 2).sum() < 80
    assert problem.train.metadata.shape == (500, 3)
    sizes = problem.train.metadata[:, 2]
    assert sizes[problem.labels[:, 0] == 1].mean() < sizes[problem.labels[:, 0] == 0].mean()


def test_the_embeddings_are_those_of_the_pictures(made, tmp_path):
    with ZipFile(made / "data" / "logo" / "pictures.zip") as archive:
        archive.extractall(tmp_path)
    with Image.open(next((tmp_path / "test").glob("*.png"))) as image:
        assert image.size == (32, 32)
    for part in ("train", "test"):
        embed(Request(tmp_path / part, tmp_path / f"{part}.parquet"), Reporter(io.StringIO(), io.StringIO()))
        assert (tmp_path / f"{part}.parquet").read_bytes() == (
            made / "embeddings" / "logo" / f"{part}.parquet"
        ).read_bytes()
