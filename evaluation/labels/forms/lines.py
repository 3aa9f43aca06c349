"""The lines of a text table that rows are on, for errors: people look for a line, programs for a row."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice

from cleaning.errors import InvalidInput, Place
from evaluation.files.csv import csv_lines
from evaluation.labels.forms.tables import SUFFIXES, delimiter_of


@contextmanager
def naming_lines() -> Iterator[None]:
    """Adds its line to an error about a row of a csv or tsv file."""
    try:
        yield
    except InvalidInput as error:
        line = _line_of(error.place)
        if line is None:
            raise
        raise InvalidInput(replace(error.place, line=line), error.problem, error.fix) from error


def _line_of(place: Place) -> int | None:
    form = None if place.path is None else SUFFIXES.get(place.path.suffix.lower())
    if place.path is None or place.line is not None or not isinstance(place.row, int) or form not in ("csv", "tsv"):
        return None
    lines = csv_lines(place.path, delimiter_of(place.path, form))
    return next((line for line, _ in islice(lines, place.row + 1, None)), None)
