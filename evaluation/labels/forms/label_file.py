"""Labels and ids in a column of a table, and labels in a file of their own."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cleaning.errors import InvalidInput, Place, count_of, first_three
from cleaning.labels.classes import UNLABELLED, Labels, encode_labels, named_codes
from cleaning.labels.votes import Votes
from evaluation.files.npy import LABELS, read_npy
from evaluation.labels.forms.found import Options
from evaluation.labels.forms.roles import label_and_id
from evaluation.labels.forms.said import said_of_names, said_of_votes
from evaluation.labels.forms.tables import SUFFIXES, Table, open_table
from evaluation.labels.forms.vote_file import vote_table, votes_by_id


def said_in_file(
    where: Path, ids: Sequence[str], options: Options, cache: Path | None
) -> tuple[Labels, Votes | None, str]:
    """The labels of these rows in a file of their own, the votes that they are the majority of, and what is said of it.

    cache: see `kept_votes`. Raises InvalidInput as `labels_in_file` does.
    """
    found = vote_table(where, options)
    if found is None:
        labels = labels_in_file(where, ids, options)
        return labels, None, f"labels from {where.name}, {said_of_names(labels)}"
    if found.id is None:
        problem = "there is no column with the ids of the rows"
        raise InvalidInput(found.table.path, problem, "name it: --id-column=NAME")
    votes = votes_by_id(found, None, ids, options, cache)
    given = votes.given
    return given, votes, said_of_votes(votes, given, [where.name])


def labels_in_file(where: Path, ids: Sequence[str], options: Options) -> Labels:
    """The labels of these rows in an npy, or in a table: by id if it has the ids of the rows, else in their order.

    Raises InvalidInput for an id that no row has, and for more or fewer labels than rows.
    """
    form = SUFFIXES.get(where.suffix.lower())
    if not where.is_file() or (form is None and where.suffix.lower() != ".npy"):
        problem = "this is not a file of labels" if where.exists() else "there is no such file"
        raise InvalidInput(where, problem, f"give an npy, or {', '.join(SUFFIXES)}")
    if form is None:
        labels = encode_labels(np.array(read_npy(where, LABELS)), Place(where), classes=options.classes)
        refuse_lengths(labels, len(ids), Place(where))
        return labels
    table = open_table(where, form)
    label, column = label_and_id(table, options)
    labels = labels_of(table, label, options)
    given = table.texts(column) if column is not None else []
    if not set(given) & set(ids):
        refuse_lengths(labels, len(ids), Place(where))
        return labels
    return _by_id(table, labels, column, ids)


def _by_id(table: Table, labels: Labels, column: str | None, ids: Sequence[str]) -> Labels:
    """The labels in the order of the ids; a row that the table does not have has no label."""
    place = {name: row for row, name in enumerate(ids)}
    codes = np.full(len(ids), UNLABELLED, dtype=np.int64)
    for row, name in enumerate(ids_of(table, column)):
        if name not in place:
            problem = f"no row has the id {name!r}"
            raise InvalidInput(table.place(column, row), problem, "remove the line, or correct the id")
        codes[place[name]] = labels.codes[row]
    return Labels(codes, labels.names, labels.values)


def refuse_lengths(labels: Labels, rows: int, place: Place) -> None:
    """Raises InvalidInput if there are more or fewer labels than rows."""
    if len(labels.codes) != rows:
        problem = f"{count_of(len(labels.codes), 'label')} for {count_of(rows, 'row')}"
        raise InvalidInput(place, problem, "give one label for every row")


def labels_of(table: Table, column: str, options: Options) -> Labels:
    """The labels in a column; numbers that the file has names for get their names."""
    known = table.class_names.get(column)
    if known is None:
        return encode_labels(table.values(column), table.place(column), classes=options.classes)
    found = table.arrow([column])[column].to_pylist()
    codes = np.array([UNLABELLED if code is None else int(code) for code in found], dtype=np.int64)
    beyond = np.flatnonzero(codes >= len(known))
    if len(beyond):
        problem = f"label {codes[beyond[0]]}, but the file names {count_of(len(known), 'class')}"
        raise InvalidInput(table.place(column, int(beyond[0])), problem, "correct the label")
    return named_codes(codes, known)


def ids_of(table: Table, column: str | None) -> list[str]:
    """The ids in a column, or row numbers. Raises InvalidInput for missing, negative and repeated ids."""
    if column is None:
        return [str(row) for row in range(table.rows)]
    found = table.texts(column)
    for row, value in enumerate(found):
        if value is None or not value.strip():
            raise InvalidInput(table.place(column, row), "there is no id", "fill it in, or pass --number-rows")
        if value.startswith("-") and value[1:].isdecimal():
            raise InvalidInput(
                table.place(column, row), f"the id {value} is negative", "give every row an id of its own"
            )
    ids = [value for value in found if value is not None]
    repeated = [value for value, count in Counter(ids).items() if count > 1]
    if repeated:
        row = ids.index(repeated[0], ids.index(repeated[0]) + 1)
        raise InvalidInput(
            table.place(column, row),
            f"ids appear more than once ({first_three(repeated)})",
            "keep one of each, or pass --number-rows",
        )
    return ids
