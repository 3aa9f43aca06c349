"""npz archives and npy files with corrected labels. All other arrays keep their bytes, unless rows are left out."""

import io
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.errors import InvalidInput, Place
from evaluation.files.whole import make_folder, plain_errors, write_whole, written_whole
from evaluation.labels.apply.corrections import Corrections, column_for_given, corrected

_FIX = "rank the data again"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def write_npz(path: Path, labels: str, corrections: Corrections, output: Path) -> None:
    """Writes the archive with the array `labels` corrected and the old one beside it.

    Where rows are left out, they are left out of every array with one entry per row.
    """
    try:
        with plain_errors(path, "read the file"), zipfile.ZipFile(path) as archive, written_whole(output) as place:
            names = [info.filename.removesuffix(".npy") for info in archive.infolist()]
            old = _loaded(archive.read(f"{labels}.npy"), Place(path, key=labels))
            _refuse_length(old, corrections, Place(path, key=labels))
            new = corrected(old, corrections, Place(path, key=labels))
            with zipfile.ZipFile(place, "w") as out:
                for info in archive.infolist():
                    content = archive.read(info)
                    if info.filename == f"{labels}.npy":
                        content = _saved(new[corrections.kept])
                    elif corrections.dropped:
                        content = _without_dropped(content, corrections, Place(path, key=info.filename))
                    _add(out, info.filename, content, info.compress_type)
                kind = archive.getinfo(f"{labels}.npy").compress_type
                _add(out, f"{column_for_given(names)}.npy", _saved(old[corrections.kept]), kind)
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
        raise InvalidInput(path, f"this is not the npz that was ranked ({error})", _FIX) from error


def write_npy(features: Path, labels: Path | None, corrections: Corrections, output: Path, place: "Place_") -> None:
    """Writes a folder: the features, the corrected labels and the old ones, each as npy.

    labels: the npy with the labels; None if they come from another form, which is written by itself. place: how a file
    that stays as it is gets to the folder.
    """
    make_folder(output)
    rows = np.load(features, mmap_mode="r", allow_pickle=False)
    _refuse_length(rows, corrections, Place(features))
    if corrections.dropped:
        with written_whole(output / features.name) as name, name.open("wb") as file:
            np.save(file, rows[corrections.kept])
    else:
        place(features, output / features.name)
    if labels is not None:
        old = _loaded(labels.read_bytes(), Place(labels))
        _refuse_length(old, corrections, Place(labels))
        new = corrected(old.reshape(-1), corrections, Place(labels)).reshape(old.shape)
        write_whole(output / labels.name, _saved(new[corrections.kept]))
        write_whole(output / f"given_{labels.name}", _saved(old[corrections.kept]))


Place_ = Callable[[Path, Path], None]


def copy_file(source: Path, target: Path) -> None:
    """Copies a file with its times."""
    make_folder(target.parent)
    with written_whole(target) as place:
        shutil.copy2(source, place)


def link_file(source: Path, target: Path) -> None:
    """Makes a hard link to a file."""
    make_folder(target.parent)
    with plain_errors(target, "make a hard link"):
        target.unlink(missing_ok=True)
        os.link(source, target)


def _refuse_length(array: NDArray[Any], corrections: Corrections, place: Place) -> None:
    found = array.shape[0] if array.ndim else 0
    if found != len(corrections):
        raise InvalidInput(place, f"{found} rows where the review has {len(corrections)}", _FIX)


def _without_dropped(content: bytes, corrections: Corrections, place: Place) -> bytes:
    with io.BytesIO(content) as file:
        np.lib.format.read_magic(file)
    array = _loaded(content, place)
    if not array.ndim or array.shape[0] != len(corrections):
        return content
    return _saved(array[corrections.kept])


def _loaded(content: bytes, place: Place) -> NDArray[Any]:
    try:
        found: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError) as error:
        problem = f"the array cannot be read without running the code in it ({error})"
        raise InvalidInput(place, problem, "store numbers or text") from error
    return found


def _saved(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def _add(archive: zipfile.ZipFile, name: str, content: bytes, compression: int) -> None:
    info = zipfile.ZipInfo(name, _LONG_AGO)
    info.compress_type = compression
    with archive.open(info, "w", force_zip64=True) as member:
        member.write(content)
