"""Votes in a file of their own, one line per row and annotator, as annotation tools write them."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cleaning.errors import InvalidInput, Place, printable
from cleaning.labels.classes import UNLABELLED, natural_order
from cleaning.labels.votes import Votes, encode_votes
from evaluation.labels.forms.annotators import named_values
from evaluation.labels.forms.found import Options
from evaluation.labels.forms.roles import id_column, label_and_id, only_one
from evaluation.labels.forms.tables import SUFFIXES, Table, open_table

# Columns that say who labelled.
_NAMED = re.compile(
    r"_?(annotator|rater|coder|worker|labell?er)([_ ]?(id|name|email))?|(annotat|label|labell|complet|creat)ed[_ ]?by",
    re.IGNORECASE,
)


@dataclass(frozen=True, eq=False)
class VoteTable:
    """A table with one line per vote: its columns of labels, of ids and of annotators."""

    table: Table
    label: str
    id: str | None
    annotator: str


def vote_table(where: Path, options: Options) -> VoteTable | None:
    """The table in a file of labels that says who labelled; None for labels that are not votes.

    Raises InvalidInput where the columns are not clear.
    """
    form = SUFFIXES.get(where.suffix.lower())
    if form is None or not where.is_file():
        return None
    table = open_table(where, form)
    column = options.annotator_column or _guessed(table, options)
    if column is None:
        return None
    if table.kinds.get(column) not in ("number", "text"):
        raise InvalidInput(table.place(), f"there is no column of names or numbers {column!r}", "name another")
    # tasks that `fixfirst export` made come back with the given label beside what the annotators chose
    others = {column, "given_label"} if "label" in table.kinds else {column}
    label, _ = label_and_id(table, options, others)
    named = options.image_column or options.id_column
    found = named if named in table.kinds else id_column(table, {label, column})
    return VoteTable(table, label, found, column)


def votes_by_id(found: VoteTable, names: list[str | None], ids: list[str], options: Options) -> Votes:
    """The votes on the rows `ids`, one column per annotator in natural order. A line without a label is not a vote.

    names: the id of each line. Raises InvalidInput with the line for an id that no row has, for a line without an
    annotator, and for two votes of one annotator on a row that differ.
    """
    table, label = found.table, found.label
    place = table.place(label)
    said = encode_votes([named_values(table, label)], ["label"], [place], classes=options.classes)
    people = [None if name is None else printable(name) for name in table.texts(found.annotator)]
    row = {name: number for number, name in enumerate(ids)}
    lines = [line for line, code in enumerate(said.codes[:, 0].tolist()) if code >= 0]
    if not lines:
        raise InvalidInput(place, "there is no vote in it", "name the column of the labels: --label-column=NAME")
    for line in lines:
        if people[line] is None:
            raise InvalidInput(table.place(found.annotator, line), "nobody is named", "say whose label it is")
        if names[line] not in row:
            problem = f"no row has the id {names[line]!r}" if names[line] else "there is no id"
            raise InvalidInput(table.place(found.id, line), problem, "remove the line, or correct the id")
    order = natural_order({str(people[line]) for line in lines})
    number = {name: one for one, name in enumerate(order)}
    codes = np.full((len(ids), len(order)), UNLABELLED, dtype=np.int64)
    for line in lines:
        at, code = (row[str(names[line])], number[str(people[line])]), said.codes[line, 0]
        if codes[at] not in (UNLABELLED, code):
            both = f"{said.names[codes[at]]!r} and {said.names[code]!r}"
            problem = f"{people[line]} labels row {names[line]} twice, as {both}"
            raise InvalidInput(Place(table.path, column=label, row=line), problem, "keep one of the lines")
        codes[at] = code
    return replace(said, annotators=tuple(order), codes=codes)


def _guessed(table: Table, options: Options) -> str | None:
    taken = {options.label_column, options.id_column, options.image_column}
    fitting = [name for name, kind in table.kinds.items() if kind in ("number", "text") and _NAMED.fullmatch(name)]
    return only_one(table, [name for name in fitting if name not in taken], "the annotators", "--annotator-column")
