"""Arrays and DataFrames as labels, ids and evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from cleaning.belief.caveats import Caveat
from cleaning.errors import InvalidInput, Place, count_of, listed, suggest
from cleaning.labels.arrow import pandas_of
from cleaning.labels.classes import Labels, encode_labels, spelled_alike
from cleaning.labels.columns import ID_NAMES, NOT_JUDGED_BY, OF_REVIEWS, Column, column_of, numbered_run
from cleaning.labels.evidence import Columns, Evidence, Scaling, Texts, Vectors, vectors_in
from cleaning.labels.indexed import index_of
from cleaning.labels.other_labels import OtherLabels, caveat_of, left_out_caveat, other_labels
from cleaning.labels.votes import Votes, encode_votes


@dataclass(frozen=True)
class Choice:
    """Which columns of a DataFrame are what, as `rank` takes them. label: several are those of annotators."""

    label: str | Sequence[str] | None
    id: str | None
    features: Sequence[str] | None
    embeddings: str | None
    text: str | None
    scaling: Scaling | None
    classes: bool

    @property
    def named(self) -> bool:
        """Whether any column is named."""
        return any(part is not None for part in (self.label, self.id, self.features, self.embeddings, self.text))

    @property
    def label_columns(self) -> tuple[str, ...]:
        """The columns of labels."""
        return () if self.label is None else (self.label,) if isinstance(self.label, str) else tuple(self.label)


@dataclass(frozen=True, eq=False)
class Given:
    """Rows as they were given. ids: of a column, or of the index, if it has a name for every row; else row numbers.

    votes: those of annotators, if the labels are what most of them said. columns: by which rows of a table are judged.
    index: that of the labels or of the data, if one of them has one. left_out: columns that are other labels. caveats:
    what seems to be wrong with the columns.
    """

    evidence: Evidence
    labels: Labels
    ids: tuple[str, ...]
    votes: Votes | None = None
    columns: tuple[str, ...] = ()
    index: "pd.Index[Any] | None" = None
    left_out: tuple[str, ...] = ()
    caveats: tuple[Caveat, ...] = ()


def given_rows(
    data: object, labels: object, choice: Choice, key: str, votes: object = None, like: Given | None = None
) -> Given:
    """The rows of an array, or of a DataFrame with or without its labels or votes.

    key: the name of the argument, for errors. votes: instead of labels. like: the rows whose columns these should have.
    """
    index = index_of(data, votes if labels is None else labels, Place(key=f"labels of {key}"))
    place, data = Place(key=key), pandas_of(data, key)
    _refuse_other_kinds(data, labels, choice, place, votes)
    if isinstance(data, pd.DataFrame):
        _refuse_unknown(data, choice, place)
        column = _id_column(data, choice, place)
        ids = _ids(data, column)
    elif choice.named:
        raise InvalidInput(place, "it has no columns to name", "give a DataFrame, or leave the names out")
    else:
        matrix = _matrix(data, place)
        ids = tuple(str(row) for row in range(matrix.shape[0]))
    given = _labelled(data, labels, choice, place, votes)
    encoded, said = (given.given, given) if isinstance(given, Votes) else (given, None)
    if len(encoded.codes) != len(ids):
        where, count = Place(key=f"labels of {key}"), len(encoded.codes)
        problem = f"{count_of(count, 'label')} for {count_of(len(ids), 'row')}"
        if votes is not None:
            where = Place(key="votes")
            problem = f"{count_of(count, 'row')} of votes for {count_of(len(ids), 'row')} of data"
        raise InvalidInput(where, problem, "give one for every row")
    if not isinstance(data, pd.DataFrame):
        return Given(Vectors(matrix, place, choice.scaling or "none"), encoded, ids, said, index=index)
    if choice.embeddings is not None or choice.text is not None:
        return Given(_of_column(data, choice, place), encoded, ids, said, index=index)
    columns, others = _columns(data, choice, place, column, encoded, like)
    judged_by = tuple(one.name for one in columns)
    evidence = _of_columns(columns, choice, place)
    return Given(evidence, encoded, ids, said, judged_by, index, others.sure, _said_of(others))


def _refuse_other_kinds(data: object, labels: object, choice: Choice, place: Place, votes: object) -> None:
    """Raises InvalidInput for what holds no rows, and unless there is one kind of labels."""
    if isinstance(data, str | bytes | Path | Mapping):
        what = "a dict" if isinstance(data, Mapping) else "a path or a text"
        fix = "give an array or a DataFrame; the command `fixfirst rank` takes files and folders"
        raise InvalidInput(place, f"this is {what}", fix)
    count = sum(one is not None for one in (labels, choice.label, votes))
    if not count:
        raise InvalidInput(place, "there are no labels", "give y, or name their column: label=…")
    if count > 1:
        one = "label" if choice.label is not None else "votes"
        raise InvalidInput(one, "labels are given as well", "give one of them")


def _labelled(data: Any, labels: object, choice: Choice, place: Place, votes: object) -> Labels | Votes:
    """The labels, or the votes of several annotators."""
    columns = choice.label_columns
    if votes is not None:
        return votes_in(votes, classes=choice.classes)
    if len(columns) > 1:
        return votes_in(data[list(columns)], classes=choice.classes, place=place)
    where = replace(place, column=columns[0]) if columns else Place(key=f"labels of {place.key}")
    shape = np.shape(labels) if isinstance(labels, np.ndarray | pd.DataFrame) else ()
    if len(shape) == 2 and shape[1] > 1:
        fix = "give one label per row; or votes=…, if each column is what one annotator said"
        raise InvalidInput(where, f"the shape is {shape}", fix)
    return encode_labels(data[columns[0]] if columns else labels, where, classes=choice.classes)


def trusted_rows(trusted: Any, choice: Choice, given: Given) -> Given:
    """The trusted rows, with the spelling of classes of the others.

    That their labels are classes is seen from the names that they share with the others.
    """
    data, labels = trusted if isinstance(trusted, tuple) and len(trusted) == 2 else (trusted, None)
    if labels is None and (len(choice.label_columns) > 1 or given.votes is not None):
        raise InvalidInput("trusted", "votes may be wrong", "give a tuple (X, y) of rows and their right labels")
    if labels is None and not hasattr(data, "columns") and not isinstance(data, str | Path):
        raise InvalidInput(
            "trusted", "there are no labels", "give a tuple (X, y), or a DataFrame with the same columns"
        )
    if labels is not None and choice.label is not None:
        if isinstance(data, pd.DataFrame):
            data = data.drop(columns=list(choice.label_columns), errors="ignore")
        choice = replace(choice, label=None)
    choice = replace(choice, classes=True)
    if choice.id not in getattr(data, "columns", ()):
        choice = replace(choice, id=None)
    found = given_rows(data, labels, choice, "trusted", like=given)
    return Given(found.evidence, spelled_alike(found.labels, given.labels), found.ids)


def votes_in(votes: Any, *, classes: bool, place: Place | None = None) -> Votes:
    """The votes in a matrix or a DataFrame with one column per annotator, named by the columns."""
    place = Place(key="votes") if place is None else place
    votes = pandas_of(votes, "votes")
    if isinstance(votes, pd.DataFrame):
        names = [str(name) for name in votes.columns]
        columns: list[Any] = [votes.iloc[:, number] for number in range(len(names))]
    else:
        matrix = votes if hasattr(votes, "__array__") else np.array([list(row) for row in votes], dtype=object)
        if np.ndim(matrix) != 2:
            problem = f"the shape is {np.shape(matrix)}"
            raise InvalidInput(place, problem, "give a matrix: one row per sample, one column per annotator")
        columns = list(np.asarray(matrix).T)
        names = [f"annotator {number}" for number in range(1, len(columns) + 1)]
    if not columns:
        raise InvalidInput(place, "there are no columns", "give one column per annotator")
    return encode_votes(columns, names, [replace(place, column=name) for name in names], classes=classes)


def _matrix(data: Any, place: Place) -> Any:
    """The array; ragged lists are refused with the row."""
    if isinstance(data, np.ndarray) or hasattr(data, "tocsr"):
        matrix = data
    elif hasattr(data, "__array__") and not isinstance(data, pd.Series):
        matrix = np.asarray(data)
    else:
        rows = list(data)
        widths = [len(row) if hasattr(row, "__len__") else 0 for row in rows]
        odd = next((row for row, width in enumerate(widths) if width != widths[0]), None)
        if odd is not None:
            found = f"{count_of(widths[odd], 'number')} where row 0 has {widths[0]}"
            raise InvalidInput(replace(place, row=odd), found, "give one vector of the same length for every row")
        matrix = np.array(rows)
    if matrix.ndim < 2:
        raise InvalidInput(place, f"the shape is {matrix.shape}", "give a matrix, one row per label")
    return matrix


def _refuse_unknown(data: pd.DataFrame, choice: Choice, place: Place) -> None:
    named = [*choice.label_columns, choice.id, choice.embeddings, choice.text, *(choice.features or ())]
    unknown = [name for name in named if name is not None and name not in data.columns]
    if unknown:
        known = suggest(str(unknown[0]), map(str, data.columns))
        raise InvalidInput(place, f"there is no column {unknown[0]!r}", known)
    if data.columns.has_duplicates:
        twice = data.columns[data.columns.duplicated()][0]
        raise InvalidInput(place, f"two columns are called {twice!r}", "rename one of them")
    by = [name for name in ("features", "embeddings", "text") if getattr(choice, name) is not None]
    if len(by) > 1:
        raise InvalidInput(" and ".join(by), "the rows are judged by one of them", "leave one of them out")


def _of_column(data: pd.DataFrame, choice: Choice, place: Place) -> Evidence:
    """The embeddings or the texts of one column."""
    if choice.embeddings is not None:
        where = replace(place, column=choice.embeddings)
        return Vectors(_matrix(data[choice.embeddings], where), where, choice.scaling or "none")
    texts = data[choice.text]
    return Texts(list(texts.astype(object).where(texts.notna(), None)), place)


def _columns(
    data: pd.DataFrame, choice: Choice, place: Place, id_column: str | None, labels: Labels, like: Given | None
) -> tuple[list[Column], OtherLabels]:
    """The columns that the rows are judged by, and those that look like other labels."""
    names = choice.features or _judged_by(data, {*choice.label_columns, id_column})
    columns = [column_of(str(name), data[name], place) for name in names]
    needed, left_out = ((), ()) if like is None else (like.columns, like.left_out)
    if not choice.features:
        columns = [one for one in columns if one.name in needed or not (one.is_empty or one.name in left_out)]
    others = OtherLabels() if like is not None else other_labels(columns, labels, named=bool(choice.features))
    return [one for one in columns if one.name not in others.sure], others


def _of_columns(columns: Sequence[Column], choice: Choice, place: Place) -> Evidence:
    """These columns as evidence; as vectors if they are one that is written out."""
    vector = all(column.kind == "number" for column in columns) and numbered_run([one.name for one in columns])
    evidence = Columns(columns, place, choice.scaling or ("none" if vector else "standard"))
    return vectors_in(evidence) if vector and evidence.scaling == "none" else evidence


def _said_of(others: OtherLabels) -> tuple[Caveat, ...]:
    """What to say of columns that look like other labels."""
    found = caveat_of(others.doubtful, "leave it out: features=… without it; if it is not a label, this can be ignored")
    if not others.sure:
        return found
    fix = "if another annotator gave it, name it in label=[…]; to judge the rows by it, name it in features=…"
    return (*found, left_out_caveat(others.sure, fix))


def _judged_by(data: pd.DataFrame, taken: set[Any]) -> list[Any]:
    """The columns that have no other role and are not named like ids or like those that `fixfirst apply` adds."""
    return [
        name
        for name in data.columns
        if name not in taken and str(name).casefold() not in NOT_JUDGED_BY and not str(name).startswith(OF_REVIEWS)
    ]


def _id_column(data: pd.DataFrame, choice: Choice, place: Place) -> str | None:
    """The column of ids: the one that was named, or else the only one of a name of ids, with an id for every row."""
    if choice.id is not None:
        missing, repeated = data[choice.id].isna(), data[choice.id].duplicated()
        for bad, problem in ((missing, "there is no id"), (repeated, "the id is that of another row")):
            if bad.any():
                row = int(np.flatnonzero(bad)[0])
                raise InvalidInput(replace(place, column=choice.id, row=row), problem, "correct it, or leave out id=…")
        return choice.id
    taken = {*choice.label_columns, *(choice.features or ()), choice.embeddings, choice.text}
    for names in ID_NAMES:
        found = [name for name in data.columns if name not in taken and str(name).casefold() in names]
        if len(found) > 1 and not all(data[one].equals(data[found[0]]) for one in found):
            raise InvalidInput(place, f"the ids may be in {listed(list(map(str, found)), ' or ')}", "say which: id=…")
        if found:
            column = data[found[0]]
            return None if column.isna().any() or column.duplicated().any() else found[0]
    return None


def _ids(data: pd.DataFrame, column: str | None) -> tuple[str, ...]:
    """The ids in a column, or else those of the index, or else row numbers."""
    names = tuple(map(str, data.index if column is None else data[column]))
    return names if len(set(names)) == len(names) else tuple(str(row) for row in range(len(names)))
