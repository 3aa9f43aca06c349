"""CIFAR's pictures with the labels that people gave them: data ids with real label noise.

The pictures come in CIFAR's archive for Python (a pickle per batch), the labels in a file of CIFAR-N as torch saved it:
`clean_label` has CIFAR's own labels, every other array those that people gave, in the order of the pictures. Of
CIFAR-100, the 20 superclasses are the classes.

Each data id draws 300 pictures for training, whose labels are those of the people, and 100 for validation and 500 for
testing with CIFAR's labels.

Sources: Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images; Wei et al. 2022, Learning with Noisy
Labels Revisited: A Study Using Real-World Human Annotations.
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from cleaning import InvalidInput, Split
from cleaning.data import IntVector
from cleaning.errors import Place, foreign_reason, suggest
from cleaning.progress import Progress
from evaluation.contract.draw import Draw
from evaluation.datasets.layout import Part, csv_path, write_csv, write_parquet
from evaluation.embedding.embed import make_encoder
from evaluation.files.archive import unpack
from evaluation.files.pickles import ARRAYS, BROKEN, Array, Unpickler
from evaluation.files.whole import plain_errors, read_bytes

ENCODER = "efficientnet_lite0"
"""What embeds the pictures, so that a data id is the same everywhere."""
SIZES: Mapping[Part, int] = {"train": 300, "val": 100, "test": 500}
CLEAN = "clean_label"

_BATCH = re.compile(r"(data_batch_[1-9]|train)")
_LARGEST = 256 * 1024**2
_SIDE = 32
_PICTURES = 64


@dataclass(frozen=True, eq=False)
class _Pictures:
    """pixels: (n, 32, 32, 3). classes: (n,), the labels of CIFAR. fine: those that people were asked for."""

    pixels: NDArray[np.uint8]
    classes: IntVector
    fine: IntVector


def write(draws: Sequence[Draw], files: tuple[Path, Path], column: str, scratch: Path, progress: Progress) -> None:
    """Writes the files of each draw. files: CIFAR's archive and the labels; column: which of those that people gave.

    scratch: a folder in which the archive can be unpacked for a moment.

    Raises InvalidInput for files of another form, and where the labels are not those of the pictures.
    """
    archive, people = files
    given, clean = read_labels(people, column)
    needed = sum(SIZES.values())
    if len(clean) < needed:
        raise InvalidInput(people, f"it has {len(clean)} labels, a data id needs {needed}", "get the file again")
    chosen = [np.random.default_rng([draw.number, len(clean)]).permutation(len(clean))[:needed] for draw in draws]
    pictures, classes = _read_pictures(archive, np.unique(chosen), clean, scratch)
    for number, (draw, rows) in enumerate(zip(draws, chosen, strict=True), start=1):
        _write(draw, rows, pictures, (classes[given], classes[clean]), column)
        progress(number, len(draws))


def read_labels(path: Path, column: str) -> tuple[IntVector, IntVector]:
    """The labels of this name that people gave, and CIFAR's own, from a file that torch saved.

    Raises InvalidInput for any other file and for an unknown name.
    """
    try:
        with plain_errors(path, "read the file"):
            found = {_text(name): content for name, content in _saved(read_bytes(path, _LARGEST)).items()}
        known = [name for name, content in found.items() if isinstance(content, Array | list) and name != CLEAN]
        if column not in known:
            raise InvalidInput(Place(path, key=column), "there are no such labels", suggest(column, known))
        given, clean = _whole(found[column]), _whole(found[CLEAN])
        if len(given) != len(clean):
            raise ValueError(f"{len(given)} labels are not {len(clean)}")
    except (*BROKEN, zipfile.BadZipFile, NotImplementedError, StopIteration) as error:
        raise InvalidInput(path, f"it does not hold labels ({foreign_reason(error)})", "get the file again") from error
    return given, clean


def _saved(content: bytes) -> dict[Any, Any]:
    """The object in a file: in an archive since torch 1.6, before that behind three pickles about the file."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        file = io.BytesIO(content)
        for _ in range(3):
            _unpickled(file)
        return dict(_unpickled(file))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        if archive.getinfo(name).file_size > _LARGEST:
            raise ValueError(f"{name} is too large")
        return dict(_unpickled(io.BytesIO(archive.read(name))))


def _unpickled(file: io.BytesIO) -> Any:
    return Unpickler(file, ARRAYS, encoding="bytes").load()


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _whole(found: Any) -> IntVector:
    """Labels, (n,), from an array or a list. Raises ValueError for what are not whole numbers from 0."""
    numbers = found.numbers() if isinstance(found, Array) else np.asarray(found)
    if numbers.ndim != 1 or numbers.dtype.kind not in "iuf" or not np.all((numbers >= 0) & (numbers < 1000)):
        raise ValueError("labels are not whole numbers from 0")
    labels = numbers.astype(np.int64)
    if not np.array_equal(labels, numbers):
        raise ValueError("labels are not whole numbers from 0")
    return labels


def _read_pictures(
    archive: Path, rows: IntVector, clean: IntVector, scratch: Path
) -> tuple[dict[int, NDArray[np.uint8]], IntVector]:
    """The pixels of these rows, and the class of each label that people were asked for.

    Raises InvalidInput if CIFAR's labels in the archive are not `clean`.
    """
    pixels: dict[int, NDArray[np.uint8]] = {}
    classes: dict[int, int] = {}
    start = 0
    with plain_errors(scratch, "unpack the archive"), TemporaryDirectory(dir=scratch) as folder:
        for path in sorted(unpack(archive, lambda name: _batch_path(Path(folder), name))):
            batch = _read_batch(path, archive)
            end = start + len(batch.fine)
            if not np.array_equal(batch.fine, clean[start:end]):
                raise InvalidInput(
                    archive, f"{path.name}: its labels are not those in {CLEAN}", "use files that belong together"
                )
            pixels |= {int(row): batch.pixels[row - start].copy() for row in rows[(rows >= start) & (rows < end)]}
            classes |= dict(zip(batch.fine.tolist(), batch.classes.tolist(), strict=True))
            start = end
    if start != len(clean):
        problem = f"it has {start} pictures, the labels are of {len(clean)}"
        raise InvalidInput(archive, problem, "use files that belong together")
    table = np.zeros(1000, dtype=np.int64)
    table[list(classes)] = list(classes.values())
    return pixels, table


def _batch_path(folder: Path, name: str) -> Path | None:
    last = Path(name).name
    return folder / last if _BATCH.fullmatch(last) else None


def _read_batch(path: Path, archive: Path) -> _Pictures:
    try:
        batch = {_text(name): found for name, found in dict(_unpickled(io.BytesIO(read_bytes(path, _LARGEST)))).items()}
        fine = _whole(batch["labels" if "labels" in batch else "fine_labels"])
        pixels = batch["data"].numbers()
        classes = _whole(batch.get("coarse_labels", fine))
        if pixels.dtype != np.uint8 or pixels.shape != (len(fine), 3 * _SIDE**2) or len(classes) != len(fine):
            raise ValueError("the pictures do not fit the labels")
    except BROKEN as error:
        problem = f"{path.name} does not hold pictures of CIFAR ({foreign_reason(error)})"
        raise InvalidInput(archive, problem, "get the file again") from error
    return _Pictures(pixels.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1), classes, fine)


def _write(
    draw: Draw,
    rows: IntVector,
    pictures: Mapping[int, NDArray[np.uint8]],
    labels: tuple[IntVector, IntVector],
    name: str,
) -> None:
    """Embeds the rows of a draw and writes its files. labels: by the people, and the true ones."""
    encoder = make_encoder(ENCODER)
    with threadpool_limits(limits=1):
        blocks = [rows[start : start + _PICTURES] for start in range(0, len(rows), _PICTURES)]
        features = np.concatenate(
            [encoder.encode([np.ascontiguousarray(pictures[int(row)]) for row in block]) for block in blocks]
        )
    start = 0
    for part, size in SIZES.items():
        here = slice(start, start + size)
        start += size
        given, true = (one[rows[here]] for one in labels)
        split = Split(
            features[here], given if part == "train" else true, tuple(f"train-{row:05d}" for row in rows[here])
        )
        write_parquet(draw.embeddings / f"{draw.data_id}_{part}_{size}.parquet", split)
        write_csv(csv_path(draw.data, draw.data_id, part), split, true, name)
