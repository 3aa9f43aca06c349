"""A table as a source: csv, tsv, parquet and feather files, with Hugging Face's and the challenge's among them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from cleaning.errors import InvalidInput, Place, count_of
from cleaning.labels.columns import LABEL_NAMES, Column, numbered_run
from cleaning.labels.evidence import Columns, Evidence, Texts, Vectors, vectors_in
from cleaning.labels.other_labels import listed_names, other_labels
from cleaning.labels.votes import Votes
from evaluation.embedding.embed import picture_names
from evaluation.labels.forms.annotators import votes_of
from evaluation.labels.forms.folder_names import labels_of_names
from evaluation.labels.forms.found import Found, Options, Views, hashes_of, no_picture, no_text
from evaluation.labels.forms.label_file import ids_of, labels_of, said_in_file
from evaluation.labels.forms.pictures import (
    StoredPictures,
    Surroundings,
    embed_column,
    embed_named,
    folder_picture,
)
from evaluation.labels.forms.roles import Roles, choose_roles
from evaluation.labels.forms.said import said_of_names, said_of_votes
from evaluation.labels.forms.spooled import vectors_of
from evaluation.labels.forms.tables import Table, open_table

# Where one column varies so many times as much as most, units seem to differ. By about so many rows.
_OTHER_UNITS, _SAMPLED = 50, 1000


def read_table(path: Path, form: str, options: Options, around: Surroundings) -> Found:
    """The rows of a table."""
    table = open_table(path, form)
    if not table.rows:
        raise InvalidInput(path, "there are no rows", "provide at least one sample")
    embedded = {"filename", "encoding", "sha256"} <= set(table.kinds)
    own = options if options.labels is None else replace(options, label_column=None, annotators=None)
    roles = choose_roles(table, own, labels_elsewhere=embedded or options.labels is not None)
    ids = ids_of(table, roles.id)
    label = roles.label if options.labels is None else options.label_column
    filled = replace(
        options,
        id_column=roles.id,
        number_rows=roles.id is None,
        label_column=label,
        annotators=roles.annotators or None,
    )
    votes: Votes | None = None
    files: tuple[Path, ...] = (path,)
    if options.labels is not None:
        labels, votes, from_where = said_in_file(options.labels, ids, options, around.cache)
        said = [from_where]
        files = (path, options.labels)
    elif roles.annotators:
        votes = votes_of(table, roles.annotators, options, around.cache)
        labels = votes.given
        said = [said_of_votes(votes, labels, roles.annotators)]
    elif roles.label is not None:
        labels = labels_of(table, roles.label, options)
        said = [f"labels from `{roles.label}`, {said_of_names(labels)}"]
    else:
        labels = labels_of_names(ids, path)
        said = [f"labels from the folder names, {said_of_names(labels)}"]
    others = other_labels(roles.features, labels, named=bool(options.features))
    roles = _without(roles, others.sure, table.path)
    evidence, hashes, views, what, filled = _evidence(table, roles, ids, filled, around)
    said += [what, ", ".join([_said_of_ids(roles.id), *roles.notes, *_said_of_others(others.sure, roles, options)])]
    views = replace(views, columns=_ShownColumns(path, form))
    found = Found(form, filled, ids, labels, evidence, said, hashes, files, views, votes)
    return replace(found, left_out=others.sure, doubtful=others.doubtful)


def _without(roles: Roles, others: Sequence[str], path: Path) -> Roles:
    """The roles without features that are other labels. Raises InvalidInput if nothing else is left to judge by."""
    kept = tuple(one for one in roles.features if one.name not in others)
    if others and not any(one.kind == "number" or one.is_category for one in kept):
        look = "looks like another label" if len(others) == 1 else "look like other labels"
        problem = f"there is nothing to judge the rows by, since {listed_names(others)} {look}"
        texts = [one.name for one in kept if one.kind == "text"]
        named = f"name the column of texts: --text-column={texts[0]}" if texts else "name these, with --features"
        fix = f"add columns of numbers, an embedding or pictures, or {named}"
        raise InvalidInput(path, problem, fix)
    return replace(roles, features=kept)


def _said_of_others(sure: Sequence[str], roles: Roles, options: Options) -> list[str]:
    """That columns are left out since they are other labels, or are features though they are called like labels."""
    kept = [one.name for one in roles.features if one.name.casefold() in LABEL_NAMES and not options.features]
    said = [f"{listed_names(kept)} taken for {'a feature' if len(kept) == 1 else 'features'}"] if kept else []
    if not sure:
        return said
    own = roles.annotators or ((roles.label,) if roles.label is not None else ())
    theirs = not any(name.casefold() in LABEL_NAMES for name in sure)
    votes = f" or --label-column={','.join([*own, *sure])}" if own and theirs else ""
    why = "it looks like another label" if len(sure) == 1 else "they look like other labels"
    return [*said, f"{listed_names(sure)} left out, since {why} (to use it: --features{votes})"]


def numbers_each(matrix: Any, options: Options) -> str:
    """How wide vectors are, and what is done to them or, where their units seem to differ, might be."""
    how = ", standardised" if options.scaling == "standard" else _said_of_units(matrix)
    return f"{count_of(matrix.shape[1], 'number')} each{how}"


def _said_of_units(matrix: Any) -> str:
    """What to do if one column outweighs the others. Principal components do so too; their deviations only fall."""
    if matrix.dtype.kind not in "fiu":
        return ""
    some = np.asarray(matrix[:: max(1, len(matrix) // _SAMPLED)], dtype=np.float64)
    with np.errstate(all="ignore"):  # numbers that cannot be used are refused later
        deviation = some.std(axis=0)
        usual = float(np.median(deviation[deviation > 0])) if (deviation > 0).any() else np.nan
        times = float(deviation.max()) / usual
    if not times > _OTHER_UNITS or not np.isfinite(times) or (np.diff(deviation) <= 0).all():
        return ""
    return f" (one column varies {times:.0f} times as much as most: --scaling=standard if their units differ)"


def _said_of_ids(column: str | None) -> str:
    if column is None:
        return "ids are row numbers"
    return f"ids from `{column}`" if column else "ids from the column without a name"


_Judged = tuple[Evidence, tuple[str, ...] | None, Views, str, Options]


def _evidence(table: Table, roles: Roles, ids: Sequence[str], options: Options, around: Surroundings) -> _Judged:
    """What the rows are judged by, their hashes, what can be looked at, what is said of it, and the filled options."""
    column = roles.column
    if roles.by == "columns" or column is None:
        return _of_columns(table, roles.features, options)
    views = Views(text=no_text, picture=_picture_view(table, column))
    if roles.by == "embedding":
        matrix = vectors_of(table, column, around)
        filled = replace(options, embedding_column=column, scaling=options.scaling or "none")
        said = f"embeddings from `{column}`, {numbers_each(matrix, filled)}"
        return Vectors(matrix, table.place(column), filled.scaling or "none"), None, views, said, filled
    filled = replace(options, text_column=column) if roles.by == "text" else replace(options, image_column=column)
    if roles.by == "text":
        texts = table.texts(column)
        said = f"texts from `{column}` by their letters (weak; embeddings of a language model find more)"
        return Texts(texts, table.place(column)), None, Views(text=texts.__getitem__), said, filled
    if table.kinds[column] != "picture":
        folder, paths = table.path.parent, paths_of(table, column)
        found, listed = embed_named(table.path, sorted(set(paths)), options, around), tuple(paths)
        views = Views(picture=lambda row: folder_picture(folder, paths[row]))
    elif table.form == "parquet":
        found = embed_column(table.path, column, table.rows, options, around)
        listed = found.names
    else:
        raise InvalidInput(table.place(column), f"pictures in a {table.form} file are not read", "save it as parquet")
    said = f"pictures from `{column}`, embedded by {found.encoder}"
    return *found.of(listed, table.place(column)), views, said, replace(filled, encoder=found.encoder)


def paths_of(table: Table, column: str, folder: Path | None = None) -> list[str]:
    """The files below a folder (default: the table's) that a column names, with or without their suffix.

    Raises InvalidInput for the first row that names none.
    """
    folder = folder or table.path.parent
    found = found_files(table.texts(column), picture_names(folder))
    if None in found:
        row = found.index(None)
        value = table.texts(column)[row]
        problem = f"{folder} has no file {value!r}" if value else "there is no path"
        raise InvalidInput(table.place(column, row), problem, "give paths below the folder")
    return [name for name in found if name is not None]


def found_files(values: Sequence[str | None], files: Sequence[str]) -> list[str | None]:
    """The file that each value names: its path, or its path without the suffix, if only one file has that."""
    there, stems = set(files), Counter(PurePosixPath(name).with_suffix("").as_posix() for name in files)
    bare = {PurePosixPath(name).with_suffix("").as_posix(): name for name in files}
    found: list[str | None] = []
    for value in values:
        path = PurePosixPath((value or "").replace("\\", "/")).as_posix()
        found.append(path if path in there else bare[path] if stems.get(path) == 1 else None)
    return found


def _picture_view(table: Table, judged: str) -> Callable[[int], bytes | None]:
    stored = [name for name, kind in table.kinds.items() if kind == "picture"]
    chosen = judged if judged in stored else stored[0] if len(stored) == 1 else None
    if chosen is None or table.form != "parquet":
        return no_picture
    return StoredPictures(table.path, chosen).row


def _of_columns(table: Table, columns: Sequence[Column], options: Options) -> _Judged:
    numbers = [column.name for column in columns if column.kind == "number"]
    categories = [column.name for column in columns if column.kind == "text"]
    vector = not categories and len(numbers) == len(columns) and numbered_run(numbers)
    scaling = options.scaling or ("none" if vector else "standard")
    parts = []
    if numbers:
        shown = f"`{numbers[0]}` … `{numbers[-1]}`" if len(numbers) > 1 else f"`{numbers[0]}`"
        how = "standardised" if scaling == "standard" else "as they are"
        parts.append(f"{count_of(len(numbers), 'numeric column')} {shown}, {how}")
    if categories:
        parts.append(f"{count_of(len(categories), 'category')}, one-hot: {', '.join(categories[:4])}")
    filled = replace(options, scaling=scaling, features=tuple(column.name for column in columns))
    evidence = Columns(columns, Place(table.path), scaling)
    whole = vectors_in(evidence) if vector and scaling == "none" else evidence
    return whole, hashes_of(evidence), Views(), "; ".join(parts), filled


class _ShownColumns:
    """The columns of numbers, texts and dates, for people to look at. They are read once, when a row is first shown."""

    def __init__(self, path: Path, form: str) -> None:
        self._path, self._form = path, form

    def __call__(self, row: int) -> Mapping[str, str]:
        """Those of one row, as text."""
        cells = self._table.slice(row, 1).to_pylist()[0]
        return {name: "" if value is None else str(value) for name, value in cells.items()}

    @cached_property
    def _table(self) -> Any:
        table = open_table(self._path, self._form)
        return table.as_stored([name for name, kind in table.kinds.items() if kind in ("number", "text", "date")])
