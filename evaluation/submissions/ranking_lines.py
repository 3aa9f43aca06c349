"""The lines of a ranking file, one row number per line."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cleaning import InvalidInput, Ranking
from cleaning.errors import Place, count_of, first_three
from evaluation.files.whole import read_text

# As `fixfirst` writes it.
_PLAIN = re.compile(r"(?:[0-9]{1,18}\n)+")


def read_ranking(path: Path, rows: int) -> Ranking:
    """Reads a ranking. Raises InvalidInput unless the file lists every row 0 … rows-1 exactly once, one per line."""
    text = read_text(path, limit=1_000_000 + 32 * rows)
    if _PLAIN.fullmatch(text):
        values = np.array(text.split("\n")[:-1], dtype=np.int64)
        if values.max() < rows:
            _refuse_repeats(path, values, rows)
            return Ranking(values)
    lines = text.split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise InvalidInput(
            path, "the file is empty", f"write the rows 0 … {rows - 1}, one per line, in the order to fix them"
        )
    values = np.empty(len(lines), dtype=np.int64)
    for number, line in enumerate(lines):
        values[number] = _row(Place(path, line=number + 1), line.strip(), rows, lines)
    _refuse_repeats(path, values, rows)
    return Ranking(values)


def _row(place: Place, text: str, rows: int, lines: Sequence[str]) -> int:
    """Parses the row number on one line. `lines` is the whole file, to count the row numbers out of range."""
    expected = f"write one row number from 0 to {rows - 1}"
    shown = text if len(text) <= 40 else text[:40] + "…"
    if not text:
        raise InvalidInput(place, "the line is blank", expected)
    if re.fullmatch(r"-[0-9]+", text):
        raise InvalidInput(place, f"row {shown} is negative ({_out_of_range(lines, rows)})", expected)
    if not re.fullmatch(r"[0-9]+", text):
        raise InvalidInput(place, f"{shown!r} is not a whole number", expected)
    if _is_too_large(text, rows):
        raise InvalidInput(
            place, f"row {shown} is too large; there are {rows} rows ({_out_of_range(lines, rows)})", expected
        )
    return int(text)


def _is_too_large(digits: str, rows: int) -> bool:
    return len(digits.lstrip("0")) > 18 or int(digits) >= rows


def _out_of_range(lines: Sequence[str], rows: int) -> str:
    texts = [line.strip() for line in lines]
    odd = [
        f"line {number}"
        for number, text in enumerate(texts, start=1)
        if re.fullmatch(r"-[0-9]+", text) or (re.fullmatch(r"[0-9]+", text) and _is_too_large(text, rows))
    ]
    return f"out of range, {first_three(odd)}"


def _refuse_repeats(path: Path, values: np.ndarray[tuple[int], np.dtype[np.int64]], rows: int) -> None:
    count = np.bincount(values, minlength=rows)
    twice = np.flatnonzero(count > 1)
    absent = np.flatnonzero(count == 0)
    if len(twice):
        first, second = np.flatnonzero(values == twice[0])[:2] + 1
        raise InvalidInput(
            Place(path, line=second),
            f"row {twice[0]} already appears on line {first} (repeated rows, {first_three(twice.tolist())})",
            f"list each of the {rows} rows exactly once",
        )
    if len(absent):
        raise InvalidInput(
            path,
            f"{count_of(len(values), 'line')} where {rows} are expected (missing rows, {first_three(absent.tolist())})",
            f"list each of the {rows} rows exactly once",
        )
