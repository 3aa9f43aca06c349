"""CSV files: the one reader, strict and streaming, and the one writer."""

import codecs
import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from cleaning.data import FloatMatrix
from cleaning.errors import InvalidInput, Place, bounded, count_of
from evaluation.files.names import checked_name, composed
from evaluation.files.whole import open_file, plain_errors, read_bytes, read_text

_SEPARATORS = {";": "semicolon", "\t": "tab", "|": "vertical bar"}
# In text that is UTF-16, a zero byte is among the first few.
_HEAD = 4
Row = tuple[str, list[str]]


def csv_rows(path: Path, keys: str | Collection[str], limit: int | None = None) -> tuple[list[str], Iterator[Row]]:
    """The header, and an iterator over (key, other cells). The first column is the key; its name is one of `keys`.

    Header and keys are names, in composed form. Raises InvalidInput with the line number: at once for a wrong header,
    and while the rows are read for a repeated key, one that is not a name, and anything `csv_lines` rejects.
    """
    lines = csv_lines(path, limit=limit)
    known = (keys,) if isinstance(keys, str) else tuple(keys)
    header = _header(path, lines, known)
    if not header or header[0] not in known:
        found = ",".join(header)[:60]
        raise InvalidInput(
            Place(path, line=1), f"this is not a header ({found!r})", f"start it with {' or '.join(known)}"
        )
    for name in header:
        checked_name(Place(path, line=1), name)
    return header, _keyed(path, lines)


def csv_numbers(path: Path, limit: int | None = None) -> tuple[list[str], FloatMatrix] | None:
    """The keys and the numbers (rows, columns) of a file that `csv_rows` reads, parsed at once.

    None if anything in it is out of the ordinary: quotes, a cell that is not a number, a key that is not a name or not
    unique, or a line that is too long or too short. What `csv_rows` says about such a file counts.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    content = read_bytes(path, limit)
    if b'"' in content or b"\0" in content or content.count(b"\r") != content.count(b"\r\n"):
        return None
    try:
        names = arrow.open_csv(pa.BufferReader(content)).schema.names
        types = {name: pa.float64() for name in names[1:]} | {names[0]: pa.string()}
        table = arrow.read_csv(
            pa.BufferReader(content),
            arrow.ReadOptions(use_threads=False),
            arrow.ParseOptions(quote_char=False),
            arrow.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False),
        )
    except pa.ArrowException:
        return None
    keys: list[str] = table.column(0).to_pylist()
    if len(types) != len(names) or len(set(keys)) != len(keys):
        return None
    if not all(key.isascii() and key.isprintable() and key and key[0] != " " != key[-1] for key in keys):
        return None
    numbers = np.empty((len(keys), len(names) - 1))
    for column in range(len(names) - 1):
        numbers[:, column] = np.from_dlpack(table.column(column + 1).combine_chunks())
    return keys, numbers


def csv_columns(path: Path, columns: Sequence[str], header: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells of these columns) of every row. Ignores other columns.

    header: the header that the error tells the user to write. Raises InvalidInput at once for a missing column, and as
    `csv_lines` does.
    """
    lines = csv_lines(path)
    found = _header(path, lines, columns)
    missing = [name for name in columns if name not in found]
    if missing:
        raise InvalidInput(Place(path, line=1), f"there is no column {missing[0]!r}", f"write {','.join(header)}")
    places = [found.index(name) for name in columns]
    return ((line, [cells[place] for place in places]) for line, cells in lines)


def csv_lines(path: Path, delimiter: str = ",", limit: int | None = None) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of every line that is not blank, header first. Skips a byte-order mark.

    The number is that of the first line, where quoted cells go over several.

    Raises InvalidInput with the line number for bad quoting and for a line with more or fewer cells than the header,
    and with the byte offset for text that is not UTF-8; for more than `limit` bytes as `open_file` does.
    """
    with open_file(path, limit) as raw, plain_errors(path, "read the file"):
        head = raw.peek(_HEAD)[:_HEAD]
        if b"\0" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise InvalidInput(path, "this is UTF-16 text, or no text at all", "save it as plain UTF-8 text")
        reader = csv.reader(io.TextIOWrapper(raw, "utf-8-sig", newline=""), delimiter=delimiter, strict=True)
        line, width = 1, 0
        try:
            for cells in reader:
                width = width or len(cells)
                if cells and len(cells) != width:
                    found = f"{count_of(len(cells), 'cell')} where the header has {width}"
                    fix = "correct the line" if width > 1 else "start the file with the names of the columns"
                    raise InvalidInput(Place(path, line=line), found, fix)
                if cells:
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            open_quote = "unexpected end" in str(error)
            reason = "a quote that is opened there is never closed" if open_quote else error
            raise InvalidInput(Place(path, line=line), f"this is not csv ({reason})", "check the quotes") from error
        except UnicodeDecodeError:
            read_text(path)  # the decoder's offset is within its block, read_text reports the offset in the file
            raise


def is_formula(text: str) -> bool:
    """Whether a spreadsheet that opens a csv file with this cell may compute it."""
    return unicodedata.normalize("NFKC", text[:1]) in ("=", "+", "-", "@", "\t", "\r")


def safe_cell(text: str) -> str:
    """The text of a cell that a spreadsheet shows and never computes: an apostrophe is put before a formula."""
    return f"'{text}" if is_formula(text) else text


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The text of a CSV file: floats at full precision, lines end in a plain newline, quotes only where needed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def numbers(cells: Sequence[str]) -> list[float]:
    """Parses cells as numbers.

    Raises ValueError for any other text, and for what only Python accepts as a number: `0_1`, digits of other scripts.
    """
    text = ",".join(cells)
    if "_" in text or not text.isascii():
        raise ValueError(f"could not read {text[:60]!r} as numbers")
    return list(map(float, cells))


def _header(path: Path, lines: Iterator[tuple[int, list[str]]], known: Collection[str]) -> list[str]:
    """The first line. known: names of columns, some of which are expected, to tell commas from other separators."""
    number, cells = next(lines, (1, list[str]()))
    place = Place(path, line=number)
    for separator, name in _SEPARATORS.items():
        parts = cells[0].split(separator) if len(cells) == 1 else []
        if len(parts) > 1 and {part.strip() for part in parts} & set(known):
            problem = f"the columns are separated by {name}s ({bounded(cells[0])!r})"
            raise InvalidInput(place, problem, "separate them by commas, in every line")
    header = list(map(composed, cells))
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise InvalidInput(place, f"two columns are called {repeated[0]!r}", "rename or remove one of them")
    return header


def _keyed(path: Path, lines: Iterator[tuple[int, list[str]]]) -> Iterator[Row]:
    first: dict[str, int] = {}
    for line, (name, *cells) in lines:
        key = checked_name(Place(path, line=line), name)
        if key in first:
            place = Place(path, line=line)
            raise InvalidInput(place, f"{key!r} already appears on line {first[key]}", "keep one of them")
        first[key] = line
        yield key, cells
