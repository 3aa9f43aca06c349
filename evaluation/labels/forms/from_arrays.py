"""Arrays saved by numpy: X.npy with its labels beside it, and npz files with both."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.errors import InvalidInput, Place, listed, suggest
from cleaning.labels.classes import Labels, encode_labels, named_codes
from cleaning.labels.evidence import Vectors
from cleaning.labels.votes import Votes, encode_votes
from evaluation.files.npy import read_npy
from evaluation.files.npz import npz_headers, read_npz
from evaluation.labels.forms.found import Found, Options
from evaluation.labels.forms.from_table import numbers_each
from evaluation.labels.forms.label_file import refuse_lengths, said_in_file
from evaluation.labels.forms.pictures import Surroundings
from evaluation.labels.forms.said import said_of_names, said_of_votes
from evaluation.labels.forms.tables import SUFFIXES

_FEATURES = ("x", "features", "embeddings", "data", "x_train", "train_x", "arr_0", "vectors")
_LABELS = ("y", "labels", "label", "target", "targets", "y_train", "train_y", "arr_1")
_IDS = ("ids", "id", "filenames", "filename", "paths", "names")
CLASS_NAMES = ("classes", "class_names", "label_names", "target_names")
_ANNOTATORS = ("annotators", "annotator_names", "raters")
_LIMIT = 64 * 1024**3
_AS_TEXT = "save numbers, or text as y.astype(str)"
_FIX = "save it with numpy.savez(FILE, X=…, y=…)"


def read_array(path: Path, options: Options, around: Surroundings) -> Found:
    """An npy of features, with labels from `options.labels` or from the only file beside it that can hold them."""
    matrix = read_npy(path)
    place = Place(path)
    _refuse_shape(matrix, place)
    where = options.labels or _beside(path)
    ids = [str(row) for row in range(len(matrix))]
    labels, votes, from_where = said_in_file(where, ids, options, around.cache)
    filled = replace(options, labels=where, scaling=options.scaling or "none")
    said = [numbers_each(matrix, filled), from_where]
    evidence = Vectors(matrix, place, filled.scaling or "none")
    return Found("npy", filled, ids, labels, evidence, said, None, (path, where), votes=votes)


def read_arrays(path: Path, options: Options) -> Found:
    """An npz of features and labels; perhaps with ids and names of classes."""
    headers = npz_headers(path, _FIX)
    if {"data", "indices", "indptr"} <= set(headers):
        raise InvalidInput(path, "this is a sparse matrix", "make it dense, for example with sklearn's TruncatedSVD")
    rows = _key(path, headers, options.embedding_column, _FEATURES, "the features", "--embedding-column")
    column = _key(path, headers, options.label_column, _LABELS, "the labels", "--label-column", options.labels)
    for key in filter(None, (rows, column)):
        if headers[key][1].hasobject:
            raise InvalidInput(Place(path, key=key), "it holds pickled objects, which are never loaded", _AS_TEXT)
    further = {key for key in headers if key.casefold() in (*_IDS, *CLASS_NAMES, *_ANNOTATORS)}
    found = read_npz(path, [key for key in {rows, column, *further} if key], _LIMIT, "features and labels", _FIX)
    place, matrix = Place(path, key=rows), found[rows]
    _refuse_shape(matrix, place)
    filled = replace(options, embedding_column=rows, label_column=column or None, scaling=options.scaling or "none")
    ids, said_ids = _ids(path, found, len(matrix), options)
    votes: Votes | None = None
    if options.labels is not None:
        labels, votes, from_where = said_in_file(options.labels, ids, options, None)
    elif found[column].ndim == 2 and found[column].shape[1] > 1:
        votes = _votes(path, column, found, options)
        labels = votes.given
    else:
        labels = _labels(path, column, found, options)
    if options.labels is None:
        refuse_lengths(labels, len(matrix), Place(path, key=column))
        from_where = f"labels from `{column}`, {said_of_names(labels)}"
        if votes is not None:
            from_where = said_of_votes(votes, labels, [column])
    said = [f"features from `{rows}`, {numbers_each(matrix, filled)}", from_where, said_ids]
    files = (path,) if options.labels is None else (path, options.labels)
    evidence = Vectors(matrix, place, filled.scaling or "none")
    return Found("npz", filled, ids, labels, evidence, said, None, files, votes=votes)


def _refuse_shape(matrix: NDArray[Any], place: Place) -> None:
    """Raises InvalidInput for anything but a matrix with rows and columns."""
    if matrix.ndim != 2 or not matrix.shape[1]:
        fix = "give one vector per row, for example X.reshape(len(X), -1)"
        raise InvalidInput(place, f"the shape is {matrix.shape}", fix)
    if not len(matrix):
        raise InvalidInput(place, "there are no rows", "provide at least one sample")


def _beside(path: Path) -> Path:
    """The only file of labels beside X.npy: y.npy, X_labels.npy, labels.csv and the like."""
    stem = path.stem
    plain = ["y", "Y", "labels", "targets", "target"] if stem.casefold() in ("x", "features", "embeddings") else []
    turned = stem.replace("X", "y").replace("features", "labels").replace("embeddings", "labels")
    wanted = [*plain, *([turned] if turned != stem else []), f"{stem}_labels", f"{stem}_y", f"{stem}_targets"]
    found = {
        path.with_name(name + suffix)
        for name in wanted
        for suffix in (".npy", *SUFFIXES)
        if path.with_name(name + suffix).is_file()
    }
    if len(found) != 1:
        listed = " or ".join(sorted(one.name for one in found))
        problem = f"the labels may be in {listed}" if found else "there are no labels beside it"
        raise InvalidInput(path, problem, "name the file: --labels=y.npy (for trusted rows --trusted-labels), or a csv")
    return found.pop()


def _key(
    path: Path,
    headers: dict[str, Any],
    named: str | None,
    known: Sequence[str],
    what: str,
    option: str,
    elsewhere: Path | None = None,
) -> str:
    """The key of an array: the one named, or the only one whose name is known. Empty if it is elsewhere."""
    if named is not None:
        if named not in headers:
            raise InvalidInput(path, f"there is no array {named!r} for {option}", suggest(named, headers))
        return named
    if elsewhere is not None:
        return ""
    found = [key for key in headers if key.casefold() in known]
    if len(found) != 1:
        problem = f"{what} may be in {listed(found, ' or ')}" if found else f"there is no array for {what}"
        raise InvalidInput(path, f"{problem} (arrays: {listed(headers)})", f"say which: {option}=NAME")
    return found[0]


def _labels(path: Path, column: str, found: dict[str, NDArray[Any]], options: Options) -> Labels:
    """The labels of an npz; whole numbers get the names of an array of class names, if there is one."""
    values, place = found[column], Place(path, key=column)
    known = _class_names(found, values) if values.ndim == 1 else []
    if known and len(values) and values.min() >= 0:
        return named_codes(values.astype(np.int64), known)
    return encode_labels(values, place, classes=options.classes)


def _class_names(found: dict[str, NDArray[Any]], values: NDArray[Any]) -> list[str]:
    """The names of the classes that whole numbers stand for, if the archive has one for each of them."""
    named = [key for key in found if key.casefold() in CLASS_NAMES and found[key].dtype.kind in "US"]
    if len(named) != 1 or values.dtype.kind not in "iu" or found[named[0]].ndim != 1:
        return []
    known = _texts(found[named[0]])
    return known if len(set(known)) == len(known) and values.max(initial=-1) < len(known) else []


def _votes(path: Path, column: str, found: dict[str, NDArray[Any]], options: Options) -> Votes:
    """The votes in a matrix with one column per annotator.

    Raises InvalidInput for what may be the indicators of classes: one-hot labels, and zeros and ones unless the array
    was named.
    """
    values, place = found[column], Place(path, key=column)
    if values.dtype.kind in "iufb" and np.isin(values, (0, 1)).all():
        shape = f"the shape is {values.shape}"
        if (values.sum(axis=1) == 1).all():
            raise InvalidInput(
                place, f"{shape} and each row has a single 1", "give one label per row: y.argmax(axis=1)"
            )
        if options.label_column is None:
            fix = f"give one label per row, or pass --label-column={column} if each column is an annotator's labels"
            raise InvalidInput(place, f"{shape} and all values are 0 or 1, so a row may have several classes", fix)
    people = [f"annotator {number}" for number in range(1, values.shape[1] + 1)]
    keys = [key for key in found if key.casefold() in _ANNOTATORS and found[key].shape == (values.shape[1],)]
    if len(keys) == 1 and found[keys[0]].dtype.kind in "USiu":
        people = _texts(found[keys[0]])
    known, columns = _class_names(found, values), list(values.T)
    if known and values.min(initial=0) >= -1:
        columns = [[None if code < 0 else known[code] for code in one.tolist()] for one in values.T]
    places = [replace(place, column=name) for name in people]
    return encode_votes(columns, people, places, classes=options.classes)


def _ids(path: Path, found: dict[str, NDArray[Any]], count: int, options: Options) -> tuple[list[str], str]:
    keys = [key for key in found if key.casefold() in _IDS and found[key].shape == (count,)]
    if not options.number_rows and len(keys) == 1 and found[keys[0]].dtype.kind in "USiu":
        ids = _texts(found[keys[0]])
        if len(set(ids)) == count and all(ids):
            return ids, f"ids from `{keys[0]}`"
        return [str(row) for row in range(count)], f"ids are row numbers, since `{keys[0]}` repeats"
    return [str(row) for row in range(count)], "ids are row numbers"


def _texts(array: NDArray[Any]) -> list[str]:
    return [one.decode("utf-8", "backslashreplace") if isinstance(one, bytes) else str(one) for one in array.tolist()]
