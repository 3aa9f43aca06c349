"""Data cards: what `ls --long` shows, and Croissant files that mlcroissant accepts and reads."""

import io
import json
import re
import shutil
import warnings

import pytest

from cleaning import InvalidInput
from evaluation.cli import main
from evaluation.contract.loading import load_parameters
from evaluation.datasets.cards import croissant_path
from evaluation.datasets.download import download
from evaluation.datasets.layout import load_dataset, load_truth
from evaluation.files.progress import Reporter
from evaluation.settings.folders import Folders
from tests.support import write_parameters

CARD = {
    "description": "Made up",
    "url": "https://example.org/made",
    "licence": "CC0-1.0",
    "citation": "Nobody 2026. Nothing.",
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("cards") / "w"
    noise = {"kind": "one_directional", "rate": 0.25, "draws": [0]}
    blocks = {"digits": {"sources": "sklearn:digits", "noise": noise}}
    write_parameters(place, datasets=blocks)
    found = Folders.in_workspace(place)
    download(found, Reporter(io.StringIO(), io.StringIO()))
    return found


def test_the_croissant_file_is_valid_and_its_rows_are_those_of_the_data_id(folders):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlcroissant

        made = mlcroissant.Dataset(jsonld=str(croissant_path(folders.embedding_folder, "digits-0")))
        assert made.metadata.ctx.issues.errors == set()
        train, truth = (list(made.records(name)) for name in ("train", "train_truth"))
    dataset = load_dataset(folders.embedding_folder, "digits-0")
    true = load_truth(folders.groundtruth_folder, dataset)
    assert [row["train/label"] for row in train] == dataset.train.labels.tolist()
    assert [row["train/filename"].decode() for row in train] == list(dataset.train.ids)
    assert list(train[7]["train/encoding"]) == pytest.approx(dataset.train.features[7].tolist())
    assert [row["train_truth/hv_label"] for row in truth] == true.labels.tolist()
    assert {one.uuid for one in made.metadata.record_sets} == {
        f"{part}{truth}" for part in ("train", "val", "test") for truth in ("", "_truth")
    }


def test_the_card_is_made_again_when_a_file_changes(folders, tmp_path):
    own = Folders.in_workspace(shutil.copytree(folders.parameters_file.parent, tmp_path / "w"))
    write_parameters(own.parameters_file.parent, datasets={"mine": {"ids": ["digits-0"], "card": CARD}})
    path = croissant_path(own.embedding_folder, "digits-0")
    before = json.loads(path.read_text())
    test = next(own.embedding_folder.glob("*_test_*.parquet"))
    shutil.copyfile(next(own.embedding_folder.glob("*_val_*.parquet")), test)
    csv = own.groundtruth_folder / "dataset_digits-0_test.csv"
    csv.unlink()
    download(own, Reporter(io.StringIO(), io.StringIO()))
    after = json.loads(path.read_text())
    assert (after["license"], after["url"], after["citeAs"]) == (CARD["licence"], CARD["url"], CARD["citation"])
    hashes = [{file["@id"]: file["sha256"] for file in one["distribution"]} for one in (before, after)]
    assert hashes[0][test.name] != hashes[1][test.name]
    assert csv.name not in hashes[1]


def test_ls_long_shows_the_card(folders, monkeypatch, capsys):
    monkeypatch.setattr("evaluation.harness.traits.traits", lambda _: "not tried here")
    assert main(["ls", "--long", f"--workspace={folders.parameters_file.parent}"]) == 0
    out = capsys.readouterr().out
    for line in (
        "    source: https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
        "    licence: CC-BY-4.0",
        "    noise: one directional, 25% of the training labels",
        "    size: 300 train, 100 val, 500 test rows per data id",
    ):
        assert line in out.splitlines()


def test_an_address_that_is_none_is_refused(tmp_path):
    path = write_parameters(tmp_path / "w", datasets={"mine": {"ids": ["a"], "card": {**CARD, "url": "javascript:x"}}})
    with pytest.raises(InvalidInput, match=re.escape("datasets.mine.card.url")):
        load_parameters(path)
