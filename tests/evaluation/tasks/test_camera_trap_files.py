"""Clips and labels of the camera trap that do not keep the layout: file and row are named."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleaning import InvalidInput
from evaluation.embedding.tables import read_batches
from evaluation.tasks.camera_trap import problem as camera_trap

NAMES = ["a", "a", "b", "b"]


@pytest.fixture
def folder(tmp_path):
    np.save(tmp_path / "test.npy", np.zeros((1, 2, 2), dtype=np.float32))
    (tmp_path / "train_labels.csv").write_text("filename,fox\na,1\nb,0\n")
    (tmp_path / "submission_format.csv").write_text("filename,fox\nx,0\n")
    return tmp_path


BROKEN = [
    ([[1.0, 2.0], [3.0], [4.0, 5.0, 6.0], [7.0, 8.0]], "column encoding, row 1: 1 number where row 0 has 2"),
    ([[1.0, 2.0], [3.0, None], [4.0, 5.0], [7.0, 8.0]], "column encoding, row 1: a number is missing"),
    ([[1.0, 2.0], None, [4.0, 5.0], [7.0, 8.0]], "column encoding, row 1: there is no value"),
    ([["x"]] * 4, "lists of floats are expected"),
    ([1.0] * 4, "column encoding: double where lists of floats are expected"),
]


@pytest.mark.parametrize(("vectors", "message"), BROKEN)
def test_frames_that_break_the_layout_are_named(folder, vectors, message):
    pq.write_table(pa.table({"filename": NAMES, "encoding": vectors}), folder / "train.parquet")
    with pytest.raises(InvalidInput, match=rf"train\.parquet, .*{message}"):
        camera_trap.load(folder)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"filename": ["a", "a", None, "b"], "encoding": [[1.0]] * 4}, "column filename, row 2: there is no value"),
        ({"filename": [1, 2, 3, 4], "encoding": [[1.0]] * 4}, "int64 where names are expected"),
        ({"filename": ["a", "a", "b", "c"], "encoding": [[1.0]] * 4}, "row 3: the clip 'c' is unknown"),
        ({"filename": NAMES, "vector": [[1.0]] * 4}, "no column 'encoding'"),
        ({"filename": pa.array([], pa.string()), "encoding": pa.array([], pa.list_(pa.float32()))}, "0 rows for 2"),
    ],
)
def test_names_and_columns_that_break_the_layout_are_named(folder, table, message):
    pq.write_table(pa.table(table), folder / "train.parquet")
    with pytest.raises(InvalidInput, match=message):
        camera_trap.load(folder)


def test_clips_that_are_no_parquet_are_named(folder):
    (folder / "train.parquet").write_text("junk")
    with pytest.raises(InvalidInput, match=r"train\.parquet: this is not a readable parquet"):
        camera_trap.load(folder)


def test_rows_of_later_batches_are_counted_from_the_start_of_the_file(tmp_path):
    path = tmp_path / "e.parquet"
    for vectors, message in BROKEN[:3]:
        whole = [[0.0, 0.0]] * 4 + vectors
        pq.write_table(pa.table({"filename": NAMES * 2, "encoding": whole}), path)
        with pytest.raises(InvalidInput, match=message.replace("row 1", "row 5").replace("row 0", "row 4")):
            list(read_batches(path, 4))
    pq.write_table(pa.table({"filename": NAMES, "encoding": [[1.0, 2.0]] * 4}), path)
    found = [(first, names, vectors.tolist()) for first, names, vectors in read_batches(path, 3)]
    assert found == [(0, ["a", "a", "b"], [[1, 2]] * 3), (3, ["b"], [[1, 2]])]


def test_a_cell_longer_than_any_number_is_named(folder):
    (folder / "train_labels.csv").write_text(f"filename,fox\na,{'1' * 200_000}\nb,0\n")
    with pytest.raises(InvalidInput, match=r"train_labels\.csv, line 2: this is not csv"):
        camera_trap.load(folder)
