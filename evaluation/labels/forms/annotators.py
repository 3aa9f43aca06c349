"""Several columns of labels: which columns hold the votes of annotators, and what they say."""

import csv
import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from cleaning.data import IntMatrix
from cleaning.errors import InvalidInput
from cleaning.labels.classes import Distinct
from cleaning.labels.votes import Votes, different_names, numbered
from evaluation.labels.forms.coded import coded_labels
from evaluation.labels.forms.found import Options
from evaluation.labels.forms.spooled import kept_votes
from evaluation.labels.forms.tables import Table, matching

# Words for those who label, with any name behind; words for what they say, with a number or a letter.
_NAMED = re.compile(
    r"(annotator|rater|coder|worker|expert|judge|reviewer|labell?er)[ _.-]?.+"
    r"|(annotation|label|class|vote)[ _.-]?(\d+|[a-z])",
    re.IGNORECASE,
)
# Columns of these names may also be the indicators of classes, if their values are yes and no.
_INDICATORS = ("label", "class", "vote", "annotation")
_YES_NO = {"0", "1", "0.0", "1.0", "true", "false", "yes", "no", "y", "n"}


def with_annotators(table: Table, options: Options) -> Options:
    """The options, where a label column that is not there but lists several becomes those of the annotators.

    Names are separated by commas; one that contains a comma is in double quotes, and `*` for any rest. Raises
    InvalidInput for a list that names a column twice.
    """
    if options.annotators is not None or options.label_column is None or options.label_column in table.kinds:
        return options
    cells: list[str] = []
    with suppress(csv.Error):
        cells = next(csv.reader([options.label_column], skipinitialspace=True), [])
    named: list[str] = []
    for cell in filter(None, cells):
        found = [cell] if cell in table.kinds else matching(cell, table.kinds)
        twice = [name for name in found if name in named]
        if twice:
            raise InvalidInput(table.place(twice[0]), "it is named twice for --label-column", "name every column once")
        named += found or [cell]
    if len(named) == 1:
        return replace(options, label_column=named[0])
    return replace(options, label_column=None, annotators=tuple(named)) if named else options


def guessed_annotators(table: Table, free: Sequence[str]) -> tuple[str, ...]:
    """The columns whose names begin alike, with a word for those who label, and which hold the same classes.

    Empty if there are none, or if they may as well be the indicators of classes.
    """
    groups: dict[str, list[str]] = {}
    for name in free:
        match = _NAMED.fullmatch(name)
        if match:
            groups.setdefault((match[1] or match[2]).casefold(), []).append(name)
    fitting = [names for stem, names in groups.items() if len(names) > 1 and _same_classes(table, stem, names)]
    if len(fitting) > 1:
        raise several_fit(table, [", ".join(names) for names in fitting], fitting[0])
    return tuple(fitting[0]) if fitting else ()


def share_classes(table: Table, label: str, annotators: Collection[str]) -> bool:
    """Whether a column holds the classes that annotators name."""
    own = set(table.texts(label)) - {None}
    return bool(own) and own <= {value for name in annotators for value in table.texts(name)}


def several_fit(table: Table, found: Sequence[str], annotators: Sequence[str]) -> InvalidInput:
    """The error for labels that may be in one column, or in those of annotators."""
    fix = f"say which: --label-column=NAME for one, --label-column={','.join(annotators)} for several annotators"
    return InvalidInput(table.path, f"the labels may be in {' or in '.join(found)}", fix)


def votes_of(table: Table, annotators: Sequence[str], options: Options, cache: Path | None) -> Votes:
    """The votes in these columns; numbers that the file has names for get their names. cache: see `kept_votes`."""
    places = [table.place(name) for name in annotators]
    names = different_names(annotators, places)

    def write(codes: IntMatrix) -> Votes:
        columns, done = [Distinct() for _ in annotators], 0
        for batch in table.parts(annotators):
            for one, (name, place) in enumerate(zip(annotators, places, strict=True)):
                labels = coded_labels(table, name, batch, done)
                codes[done : done + len(batch), one] = columns[one].add(*labels, done, place)
            done += len(batch)
        return numbered(codes, columns, names, places, classes=options.classes)

    return kept_votes(write, (table.rows, len(annotators)), table, cache)


def _same_classes(table: Table, stem: str, names: Sequence[str]) -> bool:
    """Whether each column names classes, each class is named in two columns at least, and they are not yes and no."""
    classes = [{value.strip() for value in table.texts(name) if value} - {"-1", "-1.0"} for name in names]
    every = set().union(*classes)
    shared = all(sum(value in one for one in classes) > 1 for value in every)
    yes_no = stem in _INDICATORS and {value.casefold() for value in every} <= _YES_NO
    return all(classes) and shared and not yes_no
