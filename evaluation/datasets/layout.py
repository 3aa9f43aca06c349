"""The challenge's file layout: parquet embeddings with the labels to clean, csv files with the ground truth.

    embeddings/{id}_train_{share}_{n}.parquet, {id}_val_{n}.parquet, {id}_test_{n}.parquet   filename, encoding, label
    data/dataset_{id}_{train,val,test}.csv   ImageID, Source, LabelName, Confidence, mg_label, hv_label

Row i of a csv is row i of its parquet; `mg_label` is the parquet's label, `hv_label` the true label.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from cleaning import GroundTruth, InvalidInput, NoisyDataset, Split
from cleaning.data import IntVector
from cleaning.errors import Place, count_of, first_three, suggest
from evaluation.files.csv import csv_columns, csv_text
from evaluation.files.names import composed, not_hidden
from evaluation.files.parquet import integers, list_column, parquet_bytes, read_columns, texts, vectors
from evaluation.files.whole import sha256_bytes, sha256_file, write_text, write_whole

Part = Literal["train", "val", "test"]
PARTS: tuple[Part, ...] = ("train", "val", "test")
_CSV_COLUMNS = ("ImageID", "Source", "LabelName", "Confidence", "mg_label", "hv_label")
_PARQUET_COLUMNS = ("filename", "encoding", "label")
_PARQUET = re.compile(r"(?P<id>.+)_(?P<part>train|val|test)(_[0-9.]+)*\.parquet")


def known_ids(embedding_folder: Path) -> tuple[str, ...]:
    """The data ids with training embeddings in the folder, sorted."""
    names = [_PARQUET.fullmatch(path.name) for path in not_hidden(embedding_folder.glob("*.parquet"), embedding_folder)]
    return tuple(sorted({match["id"] for match in names if match and match["part"] == "train"}))


def parquet_path(folder: Path, data_id: str, part: Part) -> Path | None:
    """The parquet file of a part, or None. Raises InvalidInput if there are several."""
    start = f"{data_id}_{part}"
    likely = sorted(path for path in folder.glob("*.parquet") if path.name.startswith(start))
    matches = [
        path
        for path in likely
        if (match := _PARQUET.fullmatch(path.name)) and match["id"] == data_id and match["part"] == part
    ]
    if len(matches) > 1:
        names = first_three([path.name for path in matches])
        raise InvalidInput(
            folder, f"there are several files for the {part} rows of {data_id} ({names})", "keep one of them"
        )
    return matches[0] if matches else None


def csv_path(folder: Path, data_id: str, part: Part) -> Path:
    """The path of the csv with the labels of a part."""
    return folder / f"dataset_{data_id}_{part}.csv"


def load_dataset(embedding_folder: Path, data_id: str) -> NoisyDataset:
    """The training, validation (if present) and test rows of a data id, without the true training labels.

    Raises InvalidInput for a file that is missing or does not follow the layout.
    """
    paths = {part: parquet_path(embedding_folder, data_id, part) for part in PARTS}
    for part in ("train", "test"):
        if paths[part] is None:
            raise InvalidInput(
                embedding_folder,
                f"there are no {part} embeddings for data id {data_id!r}",
                f"run `fixfirst download`; {suggest(data_id, known_ids(embedding_folder))}",
            )
    splits = {part: None if path is None else read_parquet(path) for part, path in paths.items()}
    train, test = splits["train"], splits["test"]
    if train is None or test is None:  # pragma: no cover - refused above; this is for the type checker
        raise AssertionError
    return NoisyDataset(data_id, train, splits["val"], test)


def count_training_rows(embedding_folder: Path, data_id: str) -> int:
    """The number of training rows, from the file's footer; 0 if there is no file or its footer cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = parquet_path(embedding_folder, data_id, "train")
    try:
        return 0 if path is None else int(pq.read_metadata(path).num_rows)
    except (OSError, UnicodeDecodeError, pa.ArrowException):
        return 0  # reported with the reason when the rows are read


def load_truth(groundtruth_folder: Path, dataset: NoisyDataset) -> GroundTruth:
    """The true training labels, after checking every csv of the data id row by row against its parquet.

    Raises InvalidInput for rows that do not match, unknown labels, or a ground truth with only one class.
    """
    splits = {"train": dataset.train, "val": dataset.validation, "test": dataset.test}
    classes = {int(label) for split in splits.values() if split is not None for label in np.unique(split.labels)}
    truth: IntVector | None = None
    for part in PARTS:
        split, path = splits[part], csv_path(groundtruth_folder, dataset.name, part)
        if split is not None and (part == "train" or path.exists()):
            labels = _labels(path, split, frozenset(classes))
            truth = labels if part == "train" else truth
    if truth is None:  # pragma: no cover - the training csv is always read
        raise AssertionError
    path = csv_path(groundtruth_folder, dataset.name, "train")
    if len(np.unique(truth)) < 2:
        raise InvalidInput(
            Place(path, column="hv_label"),
            f"there is only one class ({truth[0]})",
            "provide rows of at least two classes",
        )
    return GroundTruth(truth)


def dataset_sha256(embedding_folder: Path, groundtruth_folder: Path, data_id: str) -> str:
    """One hash over all files of a data id, independent of the folders they are in."""
    digests = [
        (path.name, sha256_file(path))
        for part in PARTS
        for path in (parquet_path(embedding_folder, data_id, part), csv_path(groundtruth_folder, data_id, part))
        if path is not None and path.exists()
    ]
    return sha256_bytes(repr(sorted(digests)).encode())


def read_parquet(path: Path) -> Split:
    """The rows of one parquet file. Raises InvalidInput that names the column, row and value that break the layout."""
    stat = path.stat()
    return _read_parquet(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=6)
def _read_parquet(path: Path, modified: int, size: int) -> Split:
    table = read_columns(path, _PARQUET_COLUMNS, "give a parquet with the columns filename, encoding and label")
    ids = texts(path, table, "filename")
    fix = "store whole numbers from 0 (int64), and keep the class names in a separate table"
    labels = integers(path, table, "label", fix)
    try:
        return Split(vectors(path, table, "encoding"), labels, tuple(ids))
    except InvalidInput as error:
        raise error.within(path) from None


def _labels(path: Path, split: Split, classes: frozenset[int]) -> IntVector:
    """The hv_label column, (n,), after checking every row against the parquet."""
    if not path.exists():
        raise InvalidInput(path, "there is no such file", "run `fixfirst download`")
    stat = path.stat()
    return _read_csv(path, stat.st_mtime_ns, stat.st_size, split, classes)


@lru_cache(maxsize=3)  # one data id, because the embeddings are kept too
def _read_csv(path: Path, modified: int, size: int, split: Split, classes: frozenset[int]) -> IntVector:
    rows = list(csv_columns(path, ("ImageID", "mg_label", "hv_label"), _CSV_COLUMNS))
    if len(rows) != len(split):
        raise InvalidInput(
            path,
            f"it has {count_of(len(rows), 'row')}, the embeddings have {len(split)}",
            "make row i of both files the same sample",
        )
    truth = np.empty(len(rows), dtype=np.int64)
    for number, (line, (sample, given, true)) in enumerate(rows):
        place = Place(path, line=line)
        if composed(sample) != composed(split.ids[number]):
            raise InvalidInput(
                place,
                f"ImageID is {sample!r}, the embeddings have {split.ids[number]!r}",
                "put the rows of the csv in the order of the parquet",
            )
        label = _label(place, "mg_label", given, classes)
        if label != split.labels[number]:
            raise InvalidInput(
                place, f"mg_label is {label}, the embeddings have {split.labels[number]}", "use files that match"
            )
        truth[number] = _label(place, "hv_label", true, classes)
    return truth


def _label(place: Place, column: str, text: str, classes: frozenset[int]) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text.strip()) or int(text) not in classes:
        known = ", ".join(map(str, sorted(classes)))
        raise InvalidInput(place, f"{column} {text!r} is not a label of this data id", f"use one of these: {known}")
    return int(text)


def write_parquet(path: Path, split: Split) -> None:
    """Writes the three columns with the challenge's types (string, list<float>, int64)."""
    import pyarrow as pa

    columns = {
        "filename": pa.array(split.ids, pa.string()),
        "encoding": list_column(split.features),
        "label": pa.array(split.labels),
    }
    write_whole(path, parquet_bytes(columns))


def write_csv(path: Path, split: Split, truth: IntVector, name: str) -> None:
    """Writes the six columns; `name` is the value of LabelName."""
    samples = zip(split.ids, split.labels.tolist(), truth.tolist(), strict=True)
    rows = ((sample, "verification", name, true, given, true) for sample, given, true in samples)
    write_text(path, csv_text(_CSV_COLUMNS, rows))
