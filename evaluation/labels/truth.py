"""A source of one's own together with its true labels."""

from pathlib import Path

import numpy as np

from cleaning import Split
from cleaning.errors import InvalidInput, count_of
from evaluation.files.progress import Reporter
from evaluation.labels.forms.found import Options
from evaluation.labels.forms.label_file import labels_in_file
from evaluation.labels.score import Known
from evaluation.labels.source import Request, Source, open_source


def known_source(request: Request, truth: Path, reporter: Reporter) -> Known:
    """The rows that have a label and a true label. request: its trusted rows, if any, are the test rows.

    Raises InvalidInput for whatever cannot be read, and if no row has both labels.
    """
    source, test = open_source(request, reporter)
    found = labels_in_file(truth, source.ids, Options(id_column=request.options.id_column))
    names = (*source.classes, *(name for name in found.names if name not in source.classes))
    true = found.renumbered(names)
    rows = np.flatnonzero((source.labels >= 0) & (true >= 0))
    if not len(rows):
        raise InvalidInput(truth, f"no row of {request.path} has a label here", "use the ids of the data")
    reporter.say(source.said)
    if len(rows) < len(source):
        bare = count_of(len(source) - len(rows), "row")
        reporter.warn(f"left out without a label or a true label: {bare}")
    return Known(str(request.path), _split(source, rows), true[rows], _test(test))


def _test(test: Source | None) -> Split | None:
    return None if test is None else _split(test, np.flatnonzero(test.labels >= 0))


def _split(source: Source, rows: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Split:
    return Split(source.features[rows], source.labels[rows], tuple(source.ids[row] for row in rows.tolist()))
