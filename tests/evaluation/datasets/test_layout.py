import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleaning import InvalidInput
from evaluation.contract.draw import Draw
from evaluation.datasets.layout import dataset_sha256, known_ids, load_dataset, load_truth, read_parquet
from evaluation.files.whole import sha256_tree
from evaluation.settings.parameters import Noise
from evaluation.tasks.cleaning.made_of_digits import write
from tests.support import noisy_blobs


def load(folders, data_id="blobs"):
    dataset = load_dataset(folders.embedding_folder, data_id)
    return dataset, load_truth(folders.groundtruth_folder, dataset)


def test_what_is_written_is_read_again(folders):
    dataset, truth = load(folders, "blobs-b")
    expected, expected_truth = noisy_blobs("blobs-b", n=30, seed=1)
    assert dataset.train.labels.tolist() == expected.train.labels.tolist()
    assert dataset.train.ids == expected.train.ids
    assert np.allclose(dataset.test.features, expected.test.features.astype(np.float32))
    assert truth.labels.tolist() == expected_truth.labels.tolist()
    assert known_ids(folders.embedding_folder) == ("blobs", "blobs-b")


def test_truth_that_has_changed_on_disk_is_read_again(folders):
    _, before = load(folders)
    path = folders.groundtruth_folder / "dataset_blobs_train.csv"
    lines = path.read_text().splitlines()
    lines[1] = lines[1][:-1] + str(1 - int(lines[1][-1]))
    path.write_text("\n".join(lines) + "\n")
    _, after = load(folders)
    assert np.flatnonzero(before.labels != after.labels).tolist() == [0]


def test_validation_may_be_absent(folders):
    next(folders.embedding_folder.glob("blobs_val_*")).unlink()
    (folders.groundtruth_folder / "dataset_blobs_val.csv").unlink()
    assert load(folders)[0].validation is None


def parquet(path, **columns):
    ids = columns.pop("filename", ["a", "b"])
    encoding = columns.pop("encoding", pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float32())))
    label = columns.pop("label", [0, 1])
    table = {"filename": ids, "encoding": encoding, "label": label}
    pq.write_table(pa.table({k: v for k, v in table.items() if v is not None}), path)
    return path


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"encoding": [[1.0, float("nan")], [3.0, 4.0]]}, "features, row 0: NaN or infinite"),
        ({"encoding": [[1.0, 2.0], [float("inf"), 4.0]]}, "features, row 1: NaN or infinite"),
        ({"encoding": [[1.0, 2.0], [3.0]]}, "column encoding, row 1: 1 number where row 0 has 2"),
        ({"encoding": [[1.0, None], [3.0, 4.0]]}, "column encoding, row 0: a number is missing"),
        ({"encoding": [[1, 2], [3, 4]]}, "column encoding: list<.*> where lists of floats"),
        ({"encoding": [1.0, 2.0]}, "column encoding: double where lists of floats"),
        ({"encoding": None}, "there is no column 'encoding'"),
        ({"label": None}, r"there is no column 'label' \(columns: filename, encoding\)"),
        ({"label": ["0", "1"]}, "column label: string where integers"),
        ({"label": [0.0, 1.0]}, "column label: double where integers"),
        ({"label": [0, None]}, "column label, row 1: there is no value"),
        ({"label": [0, -1]}, "labels, row 1: -1 is not a class"),
        ({"filename": [1, 2]}, "column filename: int64 where names"),
    ],
)
def test_bad_embeddings_are_located(tmp_path, columns, message):
    path = parquet(tmp_path / "x.parquet", **columns)
    with pytest.raises(InvalidInput, match=rf"x\.parquet.*{message}"):
        read_parquet(path)


def test_other_float_lists_are_read_too(tmp_path):
    fixed = pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64(), 2))
    assert read_parquet(parquet(tmp_path / "a.parquet", encoding=fixed)).features.dtype == np.float64
    large = pa.array([[1.0, 2.0], [3.0, 4.0]], pa.large_list(pa.float32()))
    assert read_parquet(parquet(tmp_path / "b.parquet", encoding=large)).features.tolist() == [[1, 2], [3, 4]]


def test_a_file_that_is_no_parquet_is_refused(tmp_path):
    (tmp_path / "x.parquet").write_text("hello")
    with pytest.raises(InvalidInput, match="not a readable parquet file"):
        read_parquet(tmp_path / "x.parquet")


def edit(path, old, new, count=1):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, count))


def test_rows_of_the_csv_must_be_those_of_the_parquet(folders):
    path = folders.groundtruth_folder / "dataset_blobs_train.csv"
    good = path.read_text()
    lines = good.splitlines()
    path.write_text("\n".join([lines[0], lines[2], lines[1], *lines[3:]]))
    with pytest.raises(InvalidInput, match=r"train\.csv, line 2: ImageID is 's1-001', the embeddings have 's1-000'"):
        load(folders)
    path.write_text("\n".join(lines[:-1]))
    with pytest.raises(InvalidInput, match="29 rows, the embeddings have 30"):
        load(folders)
    fields = lines[1].split(",")
    fields[4] = str(1 - int(fields[4]))
    path.write_text("\n".join([lines[0], ",".join(fields), *lines[2:]]))
    with pytest.raises(InvalidInput, match=r"line 2: mg_label is \d, the embeddings have \d"):
        load(folders)
    fields = lines[1].split(",")
    for bad in ("7", "dog", "", "1.0", "-1"):
        fields[5] = bad
        path.write_text("\n".join([lines[0], ",".join(fields), *lines[2:]]))
        with pytest.raises(InvalidInput, match=rf"line 2: hv_label '{bad}' is not a label .* use one of these: 0, 1"):
            load(folders)
    path.write_text(good.replace("hv_label", "truth"))
    with pytest.raises(InvalidInput, match="line 1: there is no column 'hv_label'"):
        load(folders)
    path.write_text("\n".join([lines[0], *(line.rpartition(",")[0] + ",1" for line in lines[1:])]))
    with pytest.raises(InvalidInput, match=r"only one class \(1\)"):
        load(folders)
    path.write_text(lines[0] + '\n"' + "\n".join(lines[1:]))
    with pytest.raises(InvalidInput, match="this is not csv"):
        load(folders)
    path.unlink()
    with pytest.raises(InvalidInput, match=r"there is no such file. Fix: run `fixfirst download`"):
        load(folders)


def test_crlf_and_a_byte_order_mark_are_accepted_in_csv(folders):
    path = folders.groundtruth_folder / "dataset_blobs_train.csv"
    before = load(folders)[1].labels.tolist()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load(folders)[1].labels.tolist() == before


def test_missing_and_ambiguous_files_are_named(folders):
    with pytest.raises(InvalidInput, match=r"no train embeddings for data id 'blob'.*did you mean blobs"):
        load(folders, "blob")
    parquet(folders.embedding_folder / "blobs_train_0.4_2.parquet")
    with pytest.raises(InvalidInput, match="several files for the train rows of blobs"):
        load(folders)


def test_the_hash_follows_the_content_and_not_the_place(folders, tmp_path):
    first = dataset_sha256(folders.embedding_folder, folders.groundtruth_folder, "blobs")
    moved = folders.groundtruth_folder.rename(tmp_path / "elsewhere")
    assert dataset_sha256(folders.embedding_folder, moved, "blobs") == first
    edit(moved / "dataset_blobs_train.csv", "blob", "blub")
    assert dataset_sha256(folders.embedding_folder, moved, "blobs") != first


@pytest.mark.parametrize("kind", ["symmetric", "one_directional"])
def test_the_digits_have_the_shape_of_the_challenge(tmp_path, kind):
    noise = Noise(kind=kind)
    for run in "ab":
        write(Draw("d", 4, noise, tmp_path / run / "e", tmp_path / run / "d"))
    assert sha256_tree(tmp_path / "a") == sha256_tree(tmp_path / "b")
    assert sorted(path.name for path in (tmp_path / "a").rglob("*") if path.is_file()) == [
        "d_test_500.parquet",
        "d_train_0.3_300.parquet",
        "d_val_100.parquet",
        "dataset_d_test.csv",
        "dataset_d_train.csv",
        "dataset_d_val.csv",
    ]
    dataset = load_dataset(tmp_path / "a" / "e", "d")
    truth = load_truth(tmp_path / "a" / "d", dataset)
    wrong = dataset.train.labels != truth.labels
    assert (len(dataset.train), len(dataset.validation), len(dataset.test)) == (300, 100, 500)
    assert wrong.sum() == 90
    ids = [*dataset.train.ids, *dataset.validation.ids, *dataset.test.ids]
    assert len(set(ids)) == 900
    if kind == "one_directional":
        assert set(dataset.train.labels[wrong]) == {0}


def test_the_challenges_own_files_load(dataperf):
    for data_id in known_ids(dataperf / "embeddings"):
        dataset = load_dataset(dataperf / "embeddings", data_id)
        truth = load_truth(dataperf / "data", dataset)
        assert dataset.train.features.shape == (300, 2048)
        assert np.sum(dataset.train.labels != truth.labels) == 90
