import csv

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.cli import main
from evaluation.datasets.layout import load_dataset, load_truth, parquet_path
from tests.support import noisy_blobs, write_dataset

COLUMNS = ("place", "row", "filename", "label", "suspicion", "suggested_label", "probability")


def run(capsys, *arguments):
    status = main(["rank", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return status, out, err


@pytest.mark.parametrize("checked", [True, False])
def test_the_list_names_every_label_once_with_what_to_change_it_to(folders, workspace, tmp_path, capsys, checked):
    write_dataset(workspace, *noisy_blobs("many", n=120))
    train, validation = (parquet_path(folders.embedding_folder, "many", part) for part in ("train", "val"))
    output = tmp_path / "list.csv"
    extra = [f"--validation={validation}"] if checked else []
    status, out, _ = run(capsys, train, *extra, f"--output={output}")
    assert status == 0
    assert "of them are wrong (" in out
    with output.open() as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [int(row["place"]) for row in rows] == list(range(1, 121))
    assert sorted(int(row["row"]) for row in rows) == list(range(120))
    dataset = load_dataset(folders.embedding_folder, "many")
    truth = load_truth(folders.groundtruth_folder, dataset).labels
    for row in rows:
        assert row["filename"] == dataset.train.ids[int(row["row"])]
        assert 0 <= float(row["suspicion"]) <= 1
        assert 0 <= float(row["probability"]) <= 1
    if checked:
        wrong = [int(row["label"]) != truth[int(row["row"])] for row in rows]
        assert np.mean(wrong[:30]) > 0.7
        changed = [row for row in rows if row["suggested_label"] != row["label"]]
        assert len(changed) >= 20
        assert np.mean([int(row["suggested_label"]) == truth[int(row["row"])] for row in changed]) > 0.7


def test_the_list_lies_beside_the_file_unless_named_and_is_the_same_again(folders, capsys):
    train = parquet_path(folders.embedding_folder, "blobs", "train")
    assert run(capsys, train)[0] == 0
    place = train.with_name(f"{train.stem}_ranking.csv")
    first = place.read_bytes()
    assert run(capsys, train)[0] == 0
    assert place.read_bytes() == first


def test_a_single_class_is_said_to_tell_nothing(tmp_path, capsys):
    from tests.evaluation.datasets.test_layout import parquet

    status, out, err = run(capsys, parquet(tmp_path / "one.parquet", label=[3, 3]))
    assert status == 0
    assert "every label is 3; with only one class, wrong labels cannot be found" in err
    assert "of them are wrong" not in out


def test_what_the_data_cannot_tell_is_said_with_what_would_help(folders, workspace, tmp_path, capsys):
    from tests.evaluation.datasets.test_layout import parquet

    alike = parquet(
        tmp_path / "alike.parquet",
        filename=[f"{row:02d}" for row in range(20)],
        encoding=[[1.0, 2.0]] * 20,
        label=[0, 1] * 10,
    )
    status, out, err = run(capsys, alike)
    assert status == 0
    assert "nothing shows that the embeddings tell the labels apart" in err
    assert "Fix: use more rows, or embeddings of a network that knows this kind of data." in err
    assert "are wrong" not in out
    write_dataset(workspace, *noisy_blobs("many", n=120))
    train = parquet_path(folders.embedding_folder, "many", "train")
    status, out, err = run(capsys, train, f"--validation={train}")
    assert status == 0
    assert "all 120 trusted rows are also training rows, with the same labels" in err
    assert "of them are wrong (" in out


def test_bad_files_are_one_sentence(folders, tmp_path, capsys):
    train = parquet_path(folders.embedding_folder, "blobs", "train")
    assert "there is no such file" in run(capsys, tmp_path / "none.parquet")[2]
    assert (
        run(capsys, "")[2]
        == "error: .: there is no such file. Fix: give a parquet with filename, encoding and label.\n"
    )
    assert run(capsys, train, "--seed=-1")[2] == "error: --seed: it is -1. Fix: use a number from 0.\n"
    (tmp_path / "x.parquet").write_text("x")
    assert "not a readable parquet file" in run(capsys, train, f"--validation={tmp_path / 'x.parquet'}")[2]
    from tests.evaluation.datasets.test_layout import parquet

    narrow = parquet(tmp_path / "narrow.parquet")
    assert "its embeddings have 2 dimensions, those of" in run(capsys, train, f"--validation={narrow}")[2]
    far = parquet(tmp_path / "far.parquet", label=[0, 2**62])
    for arguments in ([far], [narrow, f"--validation={far}"]):
        assert f"{far}, labels, row 1: class {2**62}, " in run(capsys, *arguments)[2]
    large = parquet(tmp_path / "large.parquet", encoding=[[1.0, 2.0], [1e200, 0.0]])
    assert f"{large}, features, row 1: values up to 1e+200" in run(capsys, large)[2]
    empty = parquet(
        tmp_path / "empty.parquet", filename=np.array([], str), label=np.array([], int), encoding=_no_lists()
    )
    assert "there are no rows" in run(capsys, empty)[2]


def _no_lists():
    import pyarrow as pa

    return pa.array([], pa.list_(pa.float32()))


@pytest.mark.parametrize("content", ["", "filename,label\na,1\n"])
def test_a_file_that_is_no_parquet_is_told_what_it_should_be(tmp_path, capsys, content):
    path = tmp_path / "data.csv"
    path.write_text(content)
    status, _, err = run(capsys, path)
    assert status == 1
    assert err.endswith("Fix: give a parquet with the columns filename, encoding and label.\n")


@pytest.mark.parametrize("labels", [["cat", "dog"], [True, False], [0.0, 1.0]])
def test_labels_that_are_no_whole_numbers_are_told_how_to_be_stored(tmp_path, capsys, labels):
    path = tmp_path / "data.parquet"
    pq.write_table(pa.table({"filename": ["a", "b"], "encoding": [[0.0], [1.0]], "label": labels}), path)
    status, _, err = run(capsys, path)
    assert status == 1
    assert "column label: " in err
    assert "store whole numbers from 0 (int64), and keep the class names in a separate table" in err
