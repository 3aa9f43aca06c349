"""Rows of a csv in which every key stands once, read one at a time."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from cleaning.errors import InvalidInput, Place
from evaluation.files import plain_errors, read_text

Row = tuple[str, list[str]]


def csv_rows(path: Path, key: str) -> tuple[list[str], Iterator[Row]]:
    """The columns besides `key`, which is the first, and an iterator over (key, its cells). Blank lines are no rows.

    Raises InvalidInput that names the line for a wrong header (at once), and while the rows are read for a wrong number
    of cells, a key that stands there twice, bad quotes and text that is not UTF-8.
    """
    rows = _rows(path, key)
    _, columns = next(rows)
    return columns, rows


def numbers(cells: Sequence[str]) -> list[float]:
    """Cells as numbers. Raises ValueError for what is none, or one in Python alone: `0_1`, digits of other scripts."""
    text = ",".join(cells)
    if "_" in text or not text.isascii():
        raise ValueError(f"could not read {text[:60]!r} as numbers")
    return list(map(float, cells))


def _rows(path: Path, key: str) -> Iterator[Row]:
    """The header as if it were a row, then the rows."""
    lines: dict[str, int] = {}
    # csv wants the line ends as they are, a byte-order mark is not part of the header
    with plain_errors(path, "read the file"), path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = next(reader, [])
            if header[:1] != [key] or len(set(header)) != len(header):
                raise InvalidInput(
                    Place(path, line=1), f"this is no header ({','.join(header)[:60]!r})", f"start it with {key}"
                )
            yield key, header[1:]
            for name, *cells in filter(None, reader):
                where = Place(path, line=reader.line_num)
                if len(cells) != len(header) - 1:
                    found = f"{len(cells) + 1} cells where the header has {len(header)}"
                    raise InvalidInput(where, found, "mend the line")
                if name in lines:
                    raise InvalidInput(where, f"{name!r} stands on line {lines[name]} already", "keep one of them")
                lines[name] = reader.line_num
                yield name, cells
        except csv.Error as error:
            where = Place(path, line=reader.line_num)
            raise InvalidInput(where, f"this is not csv ({error})", "check the quotes") from error
        except UnicodeDecodeError:
            # the decoder tells the byte of its block; this tells that of the file
            read_text(path)
            raise
