import csv
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cleaning import InvalidInput
from evaluation.embedding.tables import read_embeddings
from evaluation.tasks.camera_trap import problem as camera_trap
from evaluation.tasks.image_retrieval import problem as image_retrieval
from evaluation.tasks.logo import problem as logo
from evaluation.tasks.zero_shot import problem as zero_shot


def write_embeddings(path, names, width=3, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    vectors = np.random.default_rng(seed).normal(size=(len(names), width)).astype(np.float32)
    pq.write_table(pa.table({"filename": list(names), "encoding": vectors.tolist()}), path)
    return vectors


def test_embeddings_come_sorted_by_name(tmp_path):
    vectors = write_embeddings(tmp_path / "e.parquet", ["b/2.x.jpg", "a/1.jpg"])
    found = read_embeddings(tmp_path / "e.parquet")
    assert found.names == ("a/1.jpg", "b/2.x.jpg")
    assert np.allclose(found.features, vectors[::-1])
    assert found.folders() == ("a", "b")
    assert found.stems(tmp_path) == ("1", "2.x")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"filename": ["a"], "vector": [[1.0]]}, "no column 'encoding'"),
        ({"filename": ["a", "a"], "encoding": [[1.0], [2.0]]}, r"more than once \(1 in all: a\)"),
        ({"filename": ["a", None], "encoding": [[1.0], [2.0]]}, "column filename, row 1: there is no value"),
        ({"filename": [1], "encoding": [[1.0]]}, "int64 where names are expected"),
        ({"filename": ["a"], "encoding": [[float("nan")]]}, "NaN or infinite"),
        ({"filename": ["a", "b"], "encoding": [[1.0], [2.0, 3.0]]}, "row 1: 2 numbers where row 0 has 1"),
        ({"filename": pa.array([], pa.string()), "encoding": pa.array([], pa.list_(pa.float32()))}, "no rows"),
    ],
)
def test_embeddings_that_break_the_layout_are_refused(tmp_path, table, message):
    pq.write_table(pa.table(table), tmp_path / "e.parquet")
    with pytest.raises(InvalidInput, match=message):
        read_embeddings(tmp_path / "e.parquet")


def test_files_that_are_missing_or_no_parquet_are_refused(tmp_path):
    with pytest.raises(InvalidInput, match="there is no such file"):
        read_embeddings(tmp_path / "e.parquet")
    (tmp_path / "e.parquet").write_text("no")
    with pytest.raises(InvalidInput, match="not a readable parquet"):
        read_embeddings(tmp_path / "e.parquet")


def test_ids_that_collide_at_the_last_dot_are_an_error(tmp_path):
    write_embeddings(tmp_path / "query.parquet", ["a.jpg", "a.png"])
    write_embeddings(tmp_path / "reference.parquet", ["r.jpg"])
    with pytest.raises(InvalidInput, match=r"query.parquet: 'a.png' and 'a.jpg' have the same id 'a'"):
        image_retrieval.load(tmp_path)


class TestRetrieval:
    def test_the_answer_lists_ids_best_first(self, tmp_path):
        write_embeddings(tmp_path / "query.parquet", ["q1.jpg", "q.2.jpg"])
        write_embeddings(tmp_path / "reference.parquet", ["b.jpg", "a.z.jpg", "a.jpg"])
        write_embeddings(tmp_path / "train_data.parquet", ["p2/1.jpg", "p1/1.jpg", "p1/2.jpg"])
        loaded = image_retrieval.load(tmp_path)
        assert loaded.names == (("q.2", "q1"), ("a", "a.z", "b"))
        assert loaded.problem.train.labels.tolist() == [0, 0, 1]
        answer = json.loads(b"".join(image_retrieval.content(np.array([[2, 0, 1], [1, 2, 0]]), loaded)))
        assert answer == [[0, ["q.2", ["b", "a", "a.z"]]], [1, ["q1", ["a.z", "b", "a"]]]]

    def test_training_pictures_may_be_missing(self, tmp_path):
        write_embeddings(tmp_path / "query.parquet", ["q.jpg"])
        write_embeddings(tmp_path / "reference.parquet", ["r.jpg"])
        assert image_retrieval.load(tmp_path).problem.train is None


class TestLogo:
    def test_files_and_labels_are_kept_by_name(self, tmp_path):
        write_embeddings(tmp_path / "train.parquet", ["zoo/1.png", "acme, inc/1.png", "zoo/2.gif"])
        write_embeddings(tmp_path / "test.parquet", ["y.gif", "x.png"])
        loaded = logo.load(tmp_path)
        assert loaded.names == (("x.png", "y.gif"), ("acme, inc", "zoo"))
        answer = np.array([[0.5, 0.5], [0.1, 0.9]])
        rows = list(csv.reader(io.StringIO(logo.content(answer, loaded).decode())))
        assert rows == [["file", "category"], ["x.png", "acme, inc"], ["y.gif", "zoo"]]
        table = list(csv.reader(io.StringIO(logo.probabilities(answer, loaded).decode())))
        assert table == [["file", "acme, inc", "zoo"], ["x.png", "0.5", "0.5"], ["y.gif", "0.1", "0.9"]]

    def test_a_training_picture_without_a_label_is_an_error(self, tmp_path):
        write_embeddings(tmp_path / "train.parquet", ["zoo/1.png", "loose.png"])
        write_embeddings(tmp_path / "test.parquet", ["x.png"])
        with pytest.raises(InvalidInput, match=r"some names have no label \(1 in all: loose.png\)"):
            logo.load(tmp_path)


class TestZeroShot:
    @pytest.fixture
    def folder(self, tmp_path):
        write_embeddings(tmp_path / "train.parquet", ["1.jpg", "2.jpg", "10.jpg"])
        write_embeddings(tmp_path / "pets.parquet", ["7.jpg", "x.y.jpg"])
        (tmp_path / "pets").mkdir()
        (tmp_path / "pets" / "classes.json").write_text('["кошка", "собака"]', encoding="utf-8")
        lines = [
            {"image": 10, "queries": ["кот", "cat"]},
            {"image": 99, "queries": ["gone"]},
            {"image": 1, "queries": []},
        ]
        text = "\ufeff" + "\n\n".join(json.dumps(line) for line in lines)
        (tmp_path / "metadata.json").write_text(text, encoding="utf-8")
        return tmp_path

    def test_pairs_are_streamed_and_images_not_embedded_left_out(self, folder, monkeypatch):
        loaded = zero_shot.load(folder)
        assert loaded.names == {"pets": ("7", "x.y")}
        assert loaded.problem.targets["pets"].classes == ("кошка", "собака")
        assert [(rows.tolist(), texts) for rows, texts in loaded.problem.pairs] == [([1, 1], ["кот", "cat"])]
        with (folder / "metadata.json").open("a") as file:
            file.write('\n{"image": 2, "queries": ["a"]}\n{"image": "1", "queries": ["b", "c"]}\n')
        monkeypatch.setattr(zero_shot, "_BLOCK", 2)
        blocks = [(rows.tolist(), texts) for rows, texts in loaded.problem.pairs]
        assert blocks == [([1, 1], ["кот", "cat"]), ([2, 0, 0], ["a", "b", "c"])]

    def test_the_answer_has_one_class_an_image(self, folder):
        loaded = zero_shot.load(folder)
        assert json.loads(zero_shot.content({"pets": np.array([1, 0])}, loaded)) == {"pets": {"7": 1, "x.y": 0}}

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("{", "metadata.json, line 6: this is not JSON"),
            ("[]", "`image` is None"),
            ('{"image": true, "queries": []}', "`image` is True"),
            ('{"image": 1}', "`queries` is None"),
            ('{"image": 1, "queries": ["a", 2]}', "`queries` is"),
        ],
    )
    def test_a_bad_line_is_named(self, folder, line, message):
        with (folder / "metadata.json").open("a") as file:
            file.write(f"\n{line}\n")
        with pytest.raises(InvalidInput, match=message):
            list(zero_shot.load(folder).problem.pairs)

    @pytest.mark.parametrize("text", ["{", "[]", "[1]", '{"a": 1}'])
    def test_bad_classes_are_refused(self, folder, text):
        (folder / "pets" / "classes.json").write_text(text)
        with pytest.raises(InvalidInput, match=r"classes\.json"):
            zero_shot.load(folder)

    def test_missing_parts_are_named(self, folder):
        (folder / "metadata.json").unlink()
        with pytest.raises(InvalidInput, match=r"metadata\.json: there is no such file"):
            zero_shot.load(folder)
        (folder / "metadata.json").write_text("")
        (folder / "pets" / "classes.json").unlink()
        with pytest.raises(InvalidInput, match="no data set to classify"):
            zero_shot.load(folder)


class TestCameraTrap:
    @pytest.fixture
    def folder(self, tmp_path):
        clips = np.random.default_rng(0).normal(size=(5, 4, 2)).astype(np.float32)
        np.save(tmp_path / "train.npy", clips[:3])
        np.save(tmp_path / "test.npy", clips[3:])
        (tmp_path / "train_labels.csv").write_text("filename,fox,blank\na.mp4,1,0\nb.mp4,0,1\nc.mp4,1,1\n")
        (tmp_path / "submission_format.csv").write_text("filename,blank,fox\ny.mp4,0,0\nx.mp4,0,0\n")
        (tmp_path / "train_metadata.csv").write_text(
            "filename,width,height,bytes\nc.mp4,3,3,3\na.mp4,1,1,1\nb.mp4,2,2,2\n"
        )
        (tmp_path / "test_metadata.csv").write_text("filename,width,height,bytes\nx.mp4,8,8,8\ny.mp4,9,9,9\n")
        return tmp_path

    def test_columns_and_metadata_go_by_name_and_frames_stay_on_disk(self, folder):
        loaded = camera_trap.load(folder)
        assert loaded.names == (["y.mp4", "x.mp4"], ["blank", "fox"])
        assert loaded.problem.labels.tolist() == [[0, 1], [1, 0], [1, 1]]
        assert loaded.problem.train.metadata[:, 0].tolist() == [1, 2, 3]
        assert loaded.problem.test.metadata[:, 0].tolist() == [9, 8]
        assert isinstance(loaded.problem.train.frames, np.memmap)

    def test_the_answer_has_the_format_files_order_and_every_digit(self, folder):
        loaded = camera_trap.load(folder)
        answer = np.array([[0.1, 1 / 3], [1e-15, 1.0]])
        rows = list(csv.reader(io.StringIO(camera_trap.content(answer, loaded).decode())))
        assert rows[0] == ["filename", "blank", "fox"]
        assert [row[0] for row in rows[1:]] == ["y.mp4", "x.mp4"]
        assert [[float(cell) for cell in row[1:]] for row in rows[1:]] == answer.tolist()

    def test_parquet_frames_are_the_same_clips_in_any_order(self, folder, monkeypatch):
        frames = np.load(folder / "train.npy")
        (folder / "train.npy").unlink()
        names = [name for name in ("b.mp4", "c.mp4", "a.mp4") for _ in range(4)]
        vectors = frames[[1, 2, 0]].reshape(12, 2)
        pq.write_table(pa.table({"filename": names, "encoding": vectors.tolist()}), folder / "train.parquet")
        found = camera_trap.load(folder).problem.train.frames
        assert isinstance(found, np.memmap)
        assert np.array_equal(found, frames)
        names[0] = "a.mp4"
        pq.write_table(pa.table({"filename": names, "encoding": vectors.tolist()}), folder / "train.parquet")
        with pytest.raises(InvalidInput, match=r"the clip 'a.mp4' is unknown or has too many"):
            camera_trap.load(folder)
        pq.write_table(pa.table({"filename": names[:11], "encoding": vectors[:11].tolist()}), folder / "train.parquet")
        with pytest.raises(InvalidInput, match="11 rows for 3 clips"):
            camera_trap.load(folder)
        (folder / "train.parquet").unlink()
        with pytest.raises(InvalidInput, match=r"neither this file nor an \.npy"):
            camera_trap.load(folder)

    @pytest.mark.parametrize(
        ("name", "text", "message"),
        [
            (
                "train_labels.csv",
                "filename,fox,blank\na.mp4,1,0\na.mp4,0,1\nc.mp4,1,1\n",
                "line 3: 'a.mp4' already appears on line 2",
            ),
            ("train_labels.csv", "filename,fox,blank\na.mp4,1\n", "line 2: 2 cells where the header has 3"),
            ("train_labels.csv", "filename,fox,blank\na.mp4,1,x\n", "row 'a.mp4': a cell is not a number"),
            ("train_labels.csv", "filename,fox,blank\na.mp4,1,nan\n", "row 'a.mp4': a cell is NaN"),
            ("train_labels.csv", "file,fox,blank\n", "line 1: this is not a header"),
            ("train_labels.csv", "filename,fox,cat\na.mp4,1,0\nb.mp4,0,1\nc.mp4,1,1\n", "2 in all: blank, cat"),
            ("train_labels.csv", "filename,fox,blank\na.mp4,1,0\n", r"save floats of shape \(1, frames, features\)"),
            ("train_labels.csv", "filename,fox,blank\na.mp4,1,0\nb.mp4,0,2\nc.mp4,1,1\n", "other than 0 and 1"),
            ("train_metadata.csv", "filename,width,height,bytes\na.mp4,1,1,1\n", r"2 in all: b.mp4, c.mp4"),
            ("train_metadata.csv", None, "only one part has metadata"),
            ("train_labels.csv", None, "there is no such file"),
            ("train.npy", "no array", "this is not an .npy file of numbers"),
        ],
    )
    def test_what_does_not_match_is_named(self, folder, name, text, message):
        (folder / name).unlink()
        if text is not None:
            (folder / name).write_text(text)
        with pytest.raises(InvalidInput, match=message):
            camera_trap.load(folder)
