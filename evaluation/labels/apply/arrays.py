"""npz archives and npy files with corrected labels. All other arrays keep their bytes, unless rows are left out."""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.errors import InvalidInput, Place, count_of
from cleaning.labels.columns import OLD_LABEL
from evaluation.files.whole import plain_errors, write_whole, written_whole
from evaluation.labels.apply.corrections import Corrections, as_stored, column_for_new, column_for_old, corrected
from evaluation.labels.forms.from_arrays import CLASS_NAMES

_FIX = "rank the data again"
_LONG_AGO = (1980, 1, 1, 0, 0, 0)


def write_npz(path: Path, labels: str, corrections: Corrections, output: Path) -> None:
    """Writes the archive with the array `labels` corrected and the old one beside it.

    Where rows are left out, they are left out of every array with one entry per row.
    """
    place = Place(path, key=labels)
    with _archives(path, output) as (archive, out):
        names = [info.filename.removesuffix(".npy") for info in archive.infolist()]
        old = _stored_labels(archive, place, corrections)
        new = corrected(old, corrections, place, _class_names(archive, old))
        _copy(archive, out, path, corrections, {f"{labels}.npy": _saved(new[corrections.kept])})
        kind = archive.getinfo(f"{labels}.npy").compress_type
        _add(out, f"{column_for_old(names)}.npy", _saved(old[corrections.kept]), kind)


def add_to_npz(path: Path, votes: str, corrections: Corrections, output: Path) -> None:
    """Writes the archive with the labels before and after the review in new arrays. The array `votes` stays as it is.

    Where rows are left out, they are left out of every array with one entry per row.
    """
    place = Place(path, key=votes)
    with _archives(path, output) as (archive, out):
        names = [info.filename.removesuffix(".npy") for info in archive.infolist()]
        old = _stored_labels(archive, place, corrections)
        _copy(archive, out, path, corrections)
        classes, kind = _class_names(archive, old), archive.getinfo(f"{votes}.npy").compress_type
        for name, labels in ((column_for_new, corrections.label), (column_for_old, corrections.given)):
            _add(out, f"{name(names)}.npy", _saved(_like(old, labels, classes, place)[corrections.kept]), kind)


@contextmanager
def _archives(path: Path, output: Path) -> Iterator[tuple[zipfile.ZipFile, zipfile.ZipFile]]:
    """The archive, and a new one that appears whole."""
    try:
        with (
            plain_errors(path, "read the file"),
            zipfile.ZipFile(path) as archive,
            written_whole(output) as place,
            zipfile.ZipFile(place, "w") as out,
        ):
            yield archive, out
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError) as error:
        raise InvalidInput(path, f"this is not the npz that was ranked ({error})", _FIX) from error


def _copy(
    archive: zipfile.ZipFile,
    out: zipfile.ZipFile,
    path: Path,
    corrections: Corrections,
    others: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Copies the members of an archive without the dropped rows. others: the members that get another content."""
    for info in archive.infolist():
        content = others.get(info.filename)
        if content is None:
            content = archive.read(info)
            if corrections.dropped:
                content = _without_dropped(content, corrections, Place(path, key=info.filename))
        _add(out, info.filename, content, info.compress_type)


def _stored_labels(archive: zipfile.ZipFile, place: Place, corrections: Corrections) -> NDArray[Any]:
    """The labels or votes in an archive, one per row of the review."""
    found = _loaded(archive.read(f"{place.key}.npy"), place)
    _refuse_length(found, corrections, place)
    return found


def _like(votes: NDArray[Any], labels: Sequence[str | None], classes: Sequence[str], place: Place) -> NDArray[Any]:
    """Labels (n,) stored as the votes are; for no label empty text, NaN or -1."""
    number = {name: index for index, name in enumerate(classes)}
    none: Any = {"U": "", "S": b"", "f": np.nan}.get(votes.dtype.kind, -1)
    stored = [
        none if one is None else number[one] if one in number else as_stored(one, votes.dtype, place) for one in labels
    ]
    return np.array(stored) if votes.dtype.kind in "US" else np.array(stored, dtype=votes.dtype)


def write_array(path: Path, form: str, corrections: Corrections, output: Path) -> None:
    """Writes an npy or npz (`form`) of features without the dropped rows."""
    if form == "npz":
        with _archives(path, output) as (archive, out):
            _copy(archive, out, path, corrections)
    else:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
        _refuse_length(rows, corrections, Place(path))
        with written_whole(output) as name, name.open("wb") as file:
            np.save(file, rows[corrections.kept])


def write_labels(path: Path, corrections: Corrections, output: Path) -> None:
    """Writes an npy of corrected labels into a folder, and the old ones beside it."""
    old = _loaded(path.read_bytes(), Place(path))
    _refuse_length(old, corrections, Place(path))
    new = corrected(old.reshape(-1), corrections, Place(path)).reshape(old.shape)
    write_whole(output / path.name, _saved(new[corrections.kept]))
    write_whole(output / f"{OLD_LABEL}.npy", _saved(old[corrections.kept]))


def _class_names(archive: zipfile.ZipFile, labels: NDArray[Any]) -> list[str]:
    """The names of the classes that whole numbers stand for, if the archive has them."""
    known = [info for info in archive.infolist() if info.filename.removesuffix(".npy").casefold() in CLASS_NAMES]
    if len(known) != 1 or labels.dtype.kind not in "iu":
        return []
    found = _loaded(archive.read(known[0]), Place(key=known[0].filename))
    return [str(name) for name in found.tolist()] if found.ndim == 1 and found.dtype.kind in "US" else []


def _refuse_length(array: NDArray[Any], corrections: Corrections, place: Place) -> None:
    found = array.shape[0] if array.ndim else 0
    if found != len(corrections):
        raise InvalidInput(place, f"{count_of(found, 'row')} where the review has {len(corrections)}", _FIX)


def _without_dropped(content: bytes, corrections: Corrections, place: Place) -> bytes:
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
