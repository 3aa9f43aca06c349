"""CIFAR with people's labels: files of exactly the published form become data ids that are scored."""

import io
import os
import pickle

import numpy as np
import pytest

from cleaning import FixfirstError, InvalidInput
from cleaning.errors import Unsuitable
from evaluation.cli import main
from evaluation.contract.loading import load_parameters
from evaluation.datasets import cifar
from evaluation.datasets.cards import card_lines
from evaluation.datasets.download import download
from evaluation.datasets.layout import load_dataset, load_truth
from evaluation.files.progress import Reporter
from evaluation.files.whole import sha256_file
from evaluation.settings.folders import Folders
from tests.evaluation.datasets.cifar_files import archive, batch, old_names, pictures, saved, zipped
from tests.support import ROOT, write_parameters

N = 120
CLEAN = np.random.default_rng(1).permutation(np.arange(N) % 10)
GIVEN = np.where(np.arange(N) % 3 == 0, (CLEAN + 1) % 10, CLEAN)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(cifar, "SIZES", {"train": 60, "val": 20, "test": 40})
    monkeypatch.setattr(cifar, "ENCODER", "classical")


@pytest.fixture
def place(tmp_path):
    """A folder with both files."""
    pixels = pictures(CLEAN)
    halves = {f"data_batch_{number + 1}": slice(60 * number, 60 * number + 60) for number in (0, 1)}
    batches = {name: batch(pixels[rows], labels=CLEAN[rows]) for name, rows in halves.items()}
    archive(tmp_path / "cifar-10-python.tar.gz", "cifar-10-batches-py", batches)
    saved(tmp_path / "CIFAR-10_human.pt", {"clean_label": CLEAN, "worse_label": GIVEN, "aggre_label": CLEAN})
    return tmp_path


def run(place, *names, labels="worse_label", **more):
    """Downloads both draws; names: the files in `place` that are under `raw:`."""
    raw = [{"source": f"file:../{name}", "sha256": sha256_file(place / name)} for name in names]
    block = {"sources": f"cifar:{labels}", "draws": [0, 1], "raw": raw, **more}
    write_parameters(place / "w", datasets={"people": block})
    folders, reporter = Folders.in_workspace(place / "w"), Reporter(io.StringIO(), io.StringIO())
    download(folders, reporter)
    return folders, reporter.out.getvalue()


FILES = ("cifar-10-python.tar.gz", "CIFAR-10_human.pt")


def test_the_labels_of_people_become_data_ids_that_are_scored(place, capsys):
    folders, said = run(place, *FILES)
    assert "people: 2 data ids from cifar:worse_label" in said
    seen = set()
    for data_id in ("people-0", "people-1"):
        dataset = load_dataset(folders.embedding_folder, data_id)
        truth = load_truth(folders.groundtruth_folder, dataset)
        assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (60, 20, 40)
        rows = [[int(name.removeprefix("train-")) for name in one.ids] for one in (dataset.train, dataset.test)]
        assert np.array_equal(dataset.train.labels, GIVEN[rows[0]])
        assert np.array_equal(truth.labels, CLEAN[rows[0]])
        assert np.array_equal(dataset.test.labels, CLEAN[rows[1]])
        assert len({*rows[0], *rows[1]} | set(dataset.validation.ids)) == 120
        pixels = pictures(CLEAN)[rows[1][:1]]
        expected = cifar.make_encoder("classical").encode(list(pixels))
        assert np.array_equal(dataset.test.features[:1], expected)
        seen.add(tuple(rows[0]))
    assert len(seen) == 2
    assert "already present" in run(place, *FILES)[1]
    assert not list(folders.embedding_folder.glob(".staging"))
    assert sorted(path.name for path in place.iterdir()) == sorted([*FILES, "w"])
    for command in (["create_baselines", "--only=knn_shapley"], ["evaluate"]):
        assert main([*command, f"--workspace={place / 'w'}"]) == 0, capsys.readouterr()
    assert "knn_shapley" in capsys.readouterr().out


def test_the_labels_of_cifar_100_are_its_superclasses(place):
    fine = CLEAN * 10 + np.arange(N) % 2
    coarse = CLEAN // 2
    given = np.where(np.arange(N) % 3 == 0, (fine + 20) % 100 // 10 * 10, fine)
    content = batch(pictures(fine), coarse_labels=coarse, fine_labels=fine)
    archive(place / "c100.tar.gz", "cifar-100-python", {"train": content, "test": b"not read"})
    saved(place / "h100.pt", {"clean_label": fine, "noisy_label": given, "note": "other things are left alone"})
    folders, _ = run(place, "c100.tar.gz", "h100.pt", labels="noisy_label")
    dataset = load_dataset(folders.embedding_folder, "people-0")
    rows = [int(name.removeprefix("train-")) for name in dataset.train.ids]
    assert np.array_equal(load_truth(folders.groundtruth_folder, dataset).labels, coarse[rows])
    assert np.array_equal(dataset.train.labels, given[rows] // 20)


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("kind", [np.int64, np.int32, np.float64, np.uint8])
def test_every_way_that_torch_saved_arrays_is_read(tmp_path, old, kind):
    people = GIVEN.tolist() if kind is np.uint8 else GIVEN.astype(kind)
    path = saved(tmp_path / "h.pt", {"clean_label": CLEAN.astype(kind), "worse_label": people}, old=old)
    given, clean = cifar.read_labels(path, "worse_label")
    assert np.array_equal(given, GIVEN)
    assert np.array_equal(clean, CLEAN)


class _Evil:
    def __reduce__(self):
        return os.system, ("touch somewhere",)


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ({"clean_label": CLEAN}, "there are no such labels"),
        ({"worse_label": GIVEN}, "it does not hold labels"),
        ({"clean_label": CLEAN, "worse_label": GIVEN[1:]}, "119 labels are not 120"),
        ({"clean_label": CLEAN, "worse_label": GIVEN - 1}, "not whole numbers from 0"),
        ({"clean_label": CLEAN, "worse_label": GIVEN + 0.5}, "not whole numbers from 0"),
        ({"clean_label": CLEAN, "worse_label": GIVEN.reshape(2, -1)}, "not whole numbers from 0"),
        ({"clean_label": CLEAN, "worse_label": np.array(["a"] * N)}, "which are not numbers"),
        ({"clean_label": CLEAN, "worse_label": np.array([None] * N)}, "stored in another way"),
        ({"clean_label": CLEAN, "worse_label": GIVEN, "more": _Evil()}, "it names posix.system"),
    ],
)
def test_labels_of_another_form_are_refused(tmp_path, labels, problem):
    with pytest.raises(InvalidInput, match=problem):
        cifar.read_labels(saved(tmp_path / "h.pt", labels), "worse_label")


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"not a pickle", pickle.dumps({"a": 1}) * 4])
def test_files_that_hold_no_labels_are_refused(tmp_path, content):
    (tmp_path / "h.pt").write_bytes(content)
    with pytest.raises(InvalidInput):
        cifar.read_labels(tmp_path / "h.pt", "worse_label")


def test_an_array_that_says_more_than_it_holds_is_refused(tmp_path):
    content = old_names(pickle.dumps({"clean_label": CLEAN, "worse_label": GIVEN}, protocol=2))
    shape, larger = (pickle.dumps((size,), protocol=2)[2:-3] for size in (N, N + 1))
    for changed in (content.replace(shape, larger, 1), content.replace(shape, larger), content[:-40]):
        with pytest.raises(InvalidInput, match="it does not hold labels"):
            cifar.read_labels(zipped(tmp_path / "h.pt", changed), "worse_label")


def test_files_that_do_not_belong_together_are_refused_and_nothing_is_written(place):
    other = np.roll(CLEAN, 1)
    pixels = pictures(CLEAN)
    wrong = {
        "swapped": ({"data_batch_1": batch(pixels, labels=other)}, "data_batch_1: its labels are not those"),
        "half": ({"data_batch_1": batch(pixels[:60], labels=CLEAN[:60])}, "it has 60 pictures, the labels are of 120"),
        "none": ({"test_batch": batch(pixels, labels=CLEAN)}, "it has 0 pictures"),
        "broken": ({"data_batch_1": b"no pickle"}, "data_batch_1 does not hold pictures of CIFAR"),
        "small": ({"data_batch_1": batch(pixels[:, :16], labels=CLEAN)}, "the pictures do not fit the labels"),
    }
    for name, (batches, problem) in wrong.items():
        archive(place / f"{name}.tar.gz", "cifar-10-batches-py", batches)
        with pytest.raises(FixfirstError, match=problem):
            run(place, f"{name}.tar.gz", FILES[1])
    assert sorted(path.name for path in (place / "w").iterdir()) == ["data", "embeddings", "parameters.yaml"]
    assert not [
        path for path in (place / "w").rglob("*") if path.is_file() and path.name.endswith((".csv", ".parquet"))
    ]


def test_a_block_that_cannot_be_made_says_what_is_missing(place, monkeypatch):
    with pytest.raises(FixfirstError, match="it needs two files and the number of a draw"):
        run(place, FILES[0])
    with pytest.raises(FixfirstError, match=r"there are no such labels.*did you mean worse_label"):
        run(place, *FILES, labels="worst_label")
    raw = [{"source": f"file:../{FILES[0]}", "sha256": "0" * 64}, {"source": f"file:../{FILES[1]}"}]
    with pytest.raises(FixfirstError, match="use the right file or correct the sha256"):
        run(place, raw=raw)
    with pytest.raises(FixfirstError, match="no sha256 is given"):
        run(place, raw=raw[::-1])
    with pytest.raises(FixfirstError, match="cannot come from there"):
        run(place, raw=[{"source": "sklearn:digits"}] * 2)
    monkeypatch.setattr(cifar, "SIZES", {"train": 100, "val": 20, "test": 40})
    with pytest.raises(FixfirstError, match="it has 120 labels, a data id needs 160"):
        run(place, *FILES)

    def without(*_):
        raise Unsuitable("the encoder needs the extra `images`")

    monkeypatch.setattr(cifar, "SIZES", {"train": 60, "val": 20, "test": 40})
    monkeypatch.setattr(cifar, "make_encoder", without)
    with pytest.raises(FixfirstError, match="needs the extra `images`"):
        run(place, *FILES)


def test_downloads_are_removed_once_the_data_are_made(place, monkeypatch):
    asked = []

    def fetched(url, sha256, part, progress):
        asked.append(url)
        part.write_bytes((place / url.rpartition("/")[2]).read_bytes())
        assert sha256_file(part) == sha256
        return part

    monkeypatch.setattr("evaluation.datasets.sources.fetch_url", fetched)
    raw = [{"source": f"https://example.org/{name}", "sha256": sha256_file(place / name)} for name in FILES]
    run(place, raw=raw, draws=[0])
    assert asked == [one["source"] for one in raw]
    assert sorted(path.name for path in (place / "w" / "embeddings").iterdir())[0] == "people-0_croissant.json"


def test_the_blocks_that_ship_are_off_and_say_where_they_are_from(tmp_path):
    blocks = load_parameters(ROOT / "workspace" / "parameters.yaml").datasets
    for name, labels in (("cifar-10n", "worse_label"), ("cifar-100n", "noisy_label")):
        block = blocks[name]
        assert not block.enabled
        assert [source.source for source in block.sources] == [f"cifar:{labels}"]
        assert all(one.source.startswith("https://") and one.sha256 for one in block.raw)
        told = card_lines(name, block, Folders.in_workspace(tmp_path))
        assert {line.partition(":")[0] for line in told} == {"what", "source", "licence", "cite", "noise", "sha256"}
