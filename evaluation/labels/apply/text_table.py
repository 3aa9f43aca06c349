"""csv and tsv files with corrected labels. All other cells, quotes and line ends stay as they were written."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cleaning.errors import InvalidInput, Place, count_of
from evaluation.files.whole import read_bytes, write_whole
from evaluation.labels.apply.corrections import Corrections, column_for_old

_LINE_END = re.compile(r"\r\n|\n|\r|\Z")


@dataclass(frozen=True)
class Line:
    """One record as it is written: the text of its cells, quotes included, and its line end."""

    cells: list[str]
    end: str


def write_text_table(path: Path, column: str | None, delimiter: str, corrections: Corrections, output: Path) -> None:
    """Writes the table with the labels in `column` corrected and the old ones in a new last column.

    column: added if it is not there; None for a table that needs no labels.
    """
    content = read_bytes(path)
    mark = b"\xef\xbb\xbf" if content.startswith(b"\xef\xbb\xbf") else b""
    text = content.removeprefix(mark).decode()
    write_whole(output, [mark, *(line.encode() for line in _lines(Place(path), text, column, delimiter, corrections))])


def _lines(place: Place, text: str, column: str | None, delimiter: str, corrections: Corrections) -> Iterator[str]:
    """The lines of the new table."""
    records = [line for line in records_of(text, delimiter) if line.cells != [""]]
    header = [_plain(cell) for cell in records[0].cells] if records else []
    if len(records) - 1 != len(corrections):
        problem = f"{count_of(len(records) - 1, 'row')} where the review has {len(corrections)}"
        raise InvalidInput(place, problem, "rank the data again")
    end = next((line.end for line in records if line.end), "\n")
    if column is None:
        kept = [records[0], *(records[1:][row] for row in corrections.kept.tolist())]
        yield from (delimiter.join(line.cells) + (line.end or end) for line in kept)
        return
    if column not in header:
        for line, name in zip(records, [column, *(name or "" for name in corrections.given)], strict=True):
            line.cells.append(quoted(name, delimiter))
        header.append(column)
    number = header.index(column)
    spelled = corrections.spelled(line.cells[number] for line in records[1:])
    changed = {row: str(corrections.label[row]) for row in corrections.changed}
    yield delimiter.join([*records[0].cells, column_for_old(header)]) + (records[0].end or end)
    for row, line in enumerate(records[1:]):
        if row not in corrections.dropped:
            cells = [*line.cells, line.cells[number]]
            if row in changed:
                name = changed[row]
                cells[number] = spelled[name] if name in spelled else quoted(name, delimiter)
            yield delimiter.join(cells) + (line.end or end)


def records_of(text: str, delimiter: str) -> Iterator[Line]:
    """The records of a csv text; a blank line is a record of one empty cell."""
    cell = re.compile(rf'(?:"(?:[^"]|"")*+"|[^"{re.escape(delimiter)}\r\n]?[^{re.escape(delimiter)}\r\n]*+)')
    at = 0
    while at < len(text):
        end = _LINE_END.search(text, at)
        line = text[at : end.start()] if end else ""
        if end and '"' not in line:
            yield Line(line.split(delimiter), end[0])
            at = end.end()
            continue
        cells: list[str] = []
        more = True
        while more:
            found = cell.match(text, at)
            cells.append(found[0] if found else "")
            at += len(cells[-1])
            more = text.startswith(delimiter, at)
            at += more
        end = _LINE_END.match(text, at)
        yield Line(cells, end[0] if end else "")
        at = end.end() if end else len(text)


def _plain(cell: str) -> str:
    """What a written cell says."""
    return cell[1:-1].replace('""', '"') if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell


def quoted(value: str, delimiter: str) -> str:
    """A value as a cell, in quotes where it needs them."""
    needs = any(one in value for one in (delimiter, '"', "\r", "\n"))
    return '"' + value.replace('"', '""') + '"' if needs else value
