"""Camera trap: train and test clips with their labels, format file and metadata.

The clips are .npy (memory-mapped) or parquet files. train_labels.csv and submission_format.csv are required;
train_metadata.csv and test_metadata.csv (width, height, bytes) are optional.

Row i of an .npy is row i of train_labels.csv or submission_format.csv. A parquet has the columns filename and encoding
and one row per frame; the frames of a clip are in order, the clips may be in any order.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning import InvalidInput
from cleaning.errors import Place, count_of, first_three
from cleaning.problems import CameraTrapProblem, ClipSet
from evaluation.contract.problem import Loaded, ProblemFiles
from evaluation.embedding.tables import count_rows, read_batches
from evaluation.files.csv import csv_rows, csv_text, numbers
from evaluation.files.npy import read_npy

_METADATA = ("width", "height", "bytes")


def load(folder: Path) -> Loaded:
    """The problem, and (test file names, classes) in the order of submission_format.csv."""
    classes, test_names, _ = read_numbers(folder / "submission_format.csv")
    label_columns, train_names, labels = read_numbers(folder / "train_labels.csv")
    if sorted(label_columns) != sorted(classes):
        odd = sorted(set(label_columns) ^ set(classes))
        raise InvalidInput(
            folder / "train_labels.csv",
            f"the columns differ from submission_format.csv ({first_three(odd)})",
            "use the columns of submission_format.csv",
        )
    order = [label_columns.index(name) for name in classes]
    train = ClipSet(_frames(folder, "train", train_names), _metadata(folder / "train_metadata.csv", train_names))
    test = ClipSet(_frames(folder, "test", test_names), _metadata(folder / "test_metadata.csv", test_names))
    if train.metadata.shape[1] != test.metadata.shape[1]:
        raise InvalidInput(
            folder, "only one part has metadata", "provide both train_metadata.csv and test_metadata.csv, or neither"
        )
    return Loaded(
        CameraTrapProblem(train, labels[:, order].astype(np.float32), test, tuple(classes)), (test_names, classes)
    )


def content(probabilities: Any, loaded: Loaded) -> bytes:
    """The csv with `filename` and one column per class, in the order of submission_format.csv, at full precision."""
    names, classes = loaded.names
    rows = ((name, *row) for name, row in zip(names, np.asarray(probabilities).tolist(), strict=True))
    return csv_text(("filename", *classes), rows).encode()


def read_numbers(path: Path) -> tuple[list[str], list[str], NDArray[np.float64]]:
    """Column names, row names and values of a csv whose first column is `filename`.

    Raises InvalidInput that names the line or row for a repeated name, a missing cell or a cell that is not a number.
    """
    if not path.exists():
        raise InvalidInput(path, "there is no such file", "run `fixfirst download`")
    (_, *columns), rows = csv_rows(path, "filename")
    names: list[str] = []
    values: list[list[float]] = []
    for name, cells in rows:
        where = Place(path, row=name)
        try:
            row = numbers(cells)
        except ValueError as error:
            raise InvalidInput(where, f"a cell is not a number ({error})", "write numbers") from error
        if not np.isfinite(row).all():
            raise InvalidInput(where, "a cell is NaN or infinite", "write finite numbers")
        names.append(name)
        values.append(row)
    return columns, names, np.array(values, dtype=np.float64).reshape(len(names), len(columns))


def _frames(folder: Path, part: str, names: list[str]) -> NDArray[Any]:
    """Clips (n, frames, d) in the order of `names`, memory-mapped rather than read."""
    path = folder / f"{part}.npy"
    if not path.exists():
        return _frames_of_parquet(folder / f"{part}.parquet", names)
    clips = read_npy(path)
    if clips.ndim != 3 or clips.dtype.kind != "f" or len(clips) != len(names):
        raise InvalidInput(
            path,
            f"it holds {clips.dtype} of shape {clips.shape}",
            f"save floats of shape ({len(names)}, frames, features)",
        )
    return clips


def _frames_of_parquet(path: Path, names: list[str]) -> NDArray[Any]:
    """The clips of a parquet file, copied in batches into an unnamed temporary file that is memory-mapped."""
    if not path.exists():
        raise InvalidInput(path, "neither this file nor an .npy file exists", "run `fixfirst download`")
    total = count_rows(path)
    if not names or not total or total % len(names):
        raise InvalidInput(
            path,
            f"it has {count_of(total, 'row')} for {count_of(len(names), 'clip')}",
            "write the same number of frames for every clip",
        )
    place = {name: row for row, name in enumerate(names)}
    filled = np.zeros(len(names), dtype=np.int64)
    clips: NDArray[np.float32] | None = None
    for first, found, vectors in read_batches(path):
        if clips is None:
            with tempfile.TemporaryFile() as store:
                clips = np.memmap(store, np.float32, "w+", shape=(len(names), total // len(names), vectors.shape[1]))
        if vectors.shape[1] != clips.shape[2]:
            problem = f"the vector has {count_of(vectors.shape[1], 'number')}, row 0 has {clips.shape[2]}"
            raise InvalidInput(Place(path, row=first), problem, "embed every clip with the same encoder")
        for number, (name, vector) in enumerate(zip(found, vectors, strict=True), start=first):
            row = place.get(name)
            if row is None or filled[row] == clips.shape[1]:
                problem = f"the clip {name!r} is unknown or has too many frames"
                raise InvalidInput(
                    Place(path, row=number), problem, "write the same number of frames for every listed clip"
                )
            clips[row, filled[row]] = vector
            filled[row] += 1
    if clips is None:  # pragma: no cover - an empty file is refused above
        raise AssertionError
    return clips


def _metadata(path: Path, names: list[str]) -> NDArray[np.float64]:
    """Width, height and bytes of each clip (n, 3), matched by name; (n, 0) if the file does not exist."""
    if not path.exists():
        return np.empty((len(names), 0))
    columns, rows, values = read_numbers(path)
    if tuple(columns) != _METADATA or set(rows) != set(names):
        odd = sorted(set(rows) ^ set(names)) or columns
        raise InvalidInput(
            path,
            f"the rows or columns do not match ({first_three(odd)})",
            f"write one row per clip with the columns filename,{','.join(_METADATA)}",
        )
    place = {name: row for row, name in enumerate(rows)}
    return values[[place[name] for name in names]]


PROBLEM = ProblemFiles(".csv", load, content)
