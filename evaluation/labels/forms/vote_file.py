"""Votes in a file of their own, one line per row and annotator, as annotation tools write them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cleaning.data import IntMatrix, IntVector
from cleaning.errors import InvalidInput, Place, printable
from cleaning.labels.classes import Distinct, natural_order
from cleaning.labels.votes import Votes, classes_of
from evaluation.labels.forms.coded import coded_labels, coded_texts
from evaluation.labels.forms.found import Options
from evaluation.labels.forms.roles import id_column, label_among, only_one
from evaluation.labels.forms.spooled import kept_votes
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
    label = label_among(table, options, others)
    named = options.image_column or options.id_column
    found = named if named in table.kinds else id_column(table, {label, column})
    return VoteTable(table, label, found, column)


def votes_by_id(
    found: VoteTable, names: Sequence[str | None] | None, ids: Sequence[str], options: Options, cache: Path | None
) -> Votes:
    """The votes on the rows `ids`, one column per annotator in natural order. A line without a label is no vote.

    names: the id of each line; None: those in the column of ids. cache: see `kept_votes`. Raises InvalidInput with the
    line for an id that no row has, for a line without an annotator, and for two votes of one annotator on a row that
    differ.
    """
    table, place = found.table, found.table.place(found.label)
    labels, said = _looked_through(found)
    (classes,), named, minus_one = classes_of([labels], [place], table.rows, classes=options.classes)
    people = {name for name, numbers in said.items() if (classes[list(numbers)] >= 0).any()}
    if not people:
        raise InvalidInput(place, "there is no vote in it", "name the column of the labels: --label-column=NAME")
    order = natural_order(name for name in people if name is not None)
    lines = _Lines(found, names, labels, classes, {name: row for row, name in enumerate(ids)}, order, named.names)

    def write(codes: IntMatrix) -> Votes:
        lines.write(codes)
        return Votes(tuple(order), codes, named.names, named.values, minus_one)

    return kept_votes(write, (len(ids), len(order)), table, cache)


def _looked_through(found: VoteTable) -> tuple[Distinct, dict[str | None, set[int]]]:
    """The different labels, and the numbers of those that each annotator gave."""
    table, labels, done = found.table, Distinct(), 0
    said: dict[str | None, set[int]] = {}
    for batch in table.parts([found.annotator, found.label]):
        numbers = labels.add(*coded_labels(table, found.label, batch, done), done, table.place(found.label))
        people, who = coded_texts(table, found.annotator, batch)
        pairs = np.unique(np.stack([who, numbers])[:, numbers >= 0], axis=1)
        for one, number in pairs.T.tolist():
            said.setdefault(_shown(people[one]), set()).add(number)
        done += len(batch)
    return labels, said


def _shown(name: str | None) -> str | None:
    return None if name is None else printable(name)


@dataclass(frozen=True, eq=False)
class _Lines:
    """The lines of a table of votes.

    names: the id of each line, unless it is in the column of ids. classes: of the different labels. row: the number of
    each id. order: the annotators. named: the classes.
    """

    found: VoteTable
    names: Sequence[str | None] | None
    labels: Distinct
    classes: IntVector
    row: Mapping[str | None, int]
    order: Sequence[str]
    named: Sequence[str]

    def write(self, codes: IntMatrix) -> None:
        """Puts the votes into the matrix."""
        found, done = self.found, 0
        columns = [one for one in (found.id, found.annotator, found.label) if one is not None]
        for batch in found.table.parts(columns):
            votes = self._votes(batch, done)
            self._refuse_unknown(votes)
            self._refuse_different(votes, codes)
            codes[votes.row, votes.one] = votes.code
            done += len(batch)

    def _votes(self, batch: Any, start: int) -> "_Votes":
        found, number = self.found, {name: one for one, name in enumerate(self.order)}
        labels = coded_labels(found.table, found.label, batch, start)
        code = self.classes[self.labels.add(*labels, start, found.table.place(found.label))]
        lines = np.flatnonzero(code >= 0)
        people, who = coded_texts(found.table, found.annotator, batch)
        one = np.array([number.get(_shown(name) or "", -1) for name in people])[who[lines]]
        if self.names is not None:
            names = [self.names[start + line] for line in lines.tolist()]
        else:
            texts, places = coded_texts(found.table, str(found.id), batch)
            names = [texts[place] for place in places[lines].tolist()]
        row = np.array([self.row.get(name, -1) for name in names], dtype=np.int64)
        return _Votes(start + lines, names, row, one, code[lines])

    def _refuse_unknown(self, votes: "_Votes") -> None:
        unknown = np.flatnonzero((votes.one < 0) | (votes.row < 0))
        if not len(unknown):
            return
        line, name, table = int(votes.line[unknown[0]]), votes.names[unknown[0]], self.found.table
        if votes.one[unknown[0]] < 0:
            raise InvalidInput(table.place(self.found.annotator, line), "nobody is named", "say whose label it is")
        problem = f"no row has the id {name!r}" if name else "there is no id"
        raise InvalidInput(table.place(self.found.id, line), problem, "remove the line, or correct the id")

    def _refuse_different(self, votes: "_Votes", codes: IntMatrix) -> None:
        """Raises InvalidInput for the first vote that differs from an earlier one."""
        before, cell = codes[votes.row, votes.one], votes.row * codes.shape[1] + votes.one
        order = np.argsort(cell, kind="stable")
        again = order[1:][np.diff(cell[order]) == 0]
        before[again] = votes.code[order[:-1][np.diff(cell[order]) == 0]]
        differs = np.flatnonzero((before >= 0) & (before != votes.code))
        if not len(differs):
            return
        first = differs[0]
        both = f"{self.named[before[first]]!r} and {self.named[votes.code[first]]!r}"
        problem = f"{self.order[votes.one[first]]} labels row {votes.names[first]} twice, as {both}"
        place = Place(self.found.table.path, column=self.found.label, row=int(votes.line[first]))
        raise InvalidInput(place, problem, "keep one of the lines")


@dataclass(frozen=True, eq=False)
class _Votes:
    """Some votes: the line of each, the id in it, its row, annotator and class; -1 for an unknown row or annotator."""

    line: IntVector
    names: Sequence[str | None]
    row: IntVector
    one: IntVector
    code: IntVector


def _guessed(table: Table, options: Options) -> str | None:
    taken = {options.label_column, options.id_column, options.image_column}
    fitting = [name for name, kind in table.kinds.items() if kind in ("number", "text") and _NAMED.fullmatch(name)]
    return only_one(table, [name for name in fitting if name not in taken], "the annotators", "--annotator-column")
