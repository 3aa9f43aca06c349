"""JSON files, read whole, line by line, or as a list one item at a time.

Reading item by item holds one item and one block of the file in memory, whatever the size of the file.
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from cleaning.errors import InvalidInput, Place
from evaluation.files.names import composed
from evaluation.files.whole import open_file, plain_errors, read_text

BLOCK = 1 << 20
LARGEST_ITEM = 1 << 28
"""The most characters in one item. No answer to any task needs a longer one."""

_LONGEST_TOKEN = 16
_BLANK = re.compile(r"[ \t\r\n]*")


def read_json(path: Path, limit: int = 2_000_000_000) -> Any:
    """The content of a JSON file. Raises InvalidInput as `parse_json` does, with the line number if it is known."""
    return parse_json(read_text(path, limit), Place(path))


def parse_json(text: str, place: Place) -> Any:
    """Parses a JSON text. Raises InvalidInput for invalid JSON, NaN, infinities, and a repeated key in an object.

    Keys are names, in composed form.

    place: where the text is from. If it has no line number, the line within the text is added.
    """
    try:
        return json.loads(text, object_pairs_hook=partial(_once, place), parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        here = place if place.line else replace(place, line=error.lineno)
        raise InvalidInput(here, f"this is not JSON ({error.msg})", "write valid JSON") from error
    except _Constant as error:
        raise InvalidInput(place, f"{error} is not a finite number", "write finite numbers") from None
    except RecursionError as error:
        raise InvalidInput(place, "it is nested too deeply", "write what the task asks for") from error
    except ValueError as error:
        raise InvalidInput(place, f"this is not JSON ({error})", "write valid JSON") from error


def json_items(path: Path, no_list: InvalidInput, largest: int = 1 << 40) -> Iterator[Any]:
    """Yields the items of the list in a file, as the standard library parses them. Skips a byte-order mark.

    largest: the most characters that an item can need.

    Raises `no_list` if the file holds anything else. Raises InvalidInput with the line number for text that is not
    JSON, is cut off or continues after the list, with the byte offset for text that is not UTF-8, and for NaN and
    infinities.
    """
    with open_file(path) as file, plain_errors(path, "read the file"):
        text = _Window(path, file, min(largest, LARGEST_ITEM))
        if text.mark() not in ("[", ""):
            raise no_list
        text.at += text.mark() == "["
        closed = text.mark() == "]"
        text.at += closed
        while not closed:
            yield text.item()
            closed = text.mark() == "]"
            if not closed and text.mark() != ",":
                raise text.wrong("Expecting ',' delimiter", text.at)
            text.at += 1
        if text.mark():
            raise text.wrong("Extra data", text.at)


class _Constant(Exception):
    """Carries NaN and the infinities out of the decoder."""


class _Window:
    """The part of the file in memory. `at` is the position in it up to which it has been parsed."""

    def __init__(self, path: Path, file: BinaryIO, largest: int) -> None:
        self.at = 0
        self._largest = largest
        self._path, self._file = path, file
        marked = file.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
        self._taken = file.seek(len(codecs.BOM_UTF8) if marked else 0)
        self._text, self._line, self._take = "", 1, BLOCK
        self._decode = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder(parse_constant=_refuse_constant)

    def mark(self) -> str:
        """Moves `at` to the next non-blank character and returns it; an empty string at the end of the file."""
        while True:
            blank = _BLANK.match(self._text, self.at)
            self.at = blank.end() if blank else self.at
            if self.at < len(self._text):
                return self._text[self.at]
            if not self._more():
                return ""

    def item(self) -> Any:
        """Parses the item that starts here, reading on until its end is in memory."""
        self.mark()
        while True:
            try:
                item, end = self._json.raw_decode(self._text, self.at)
            except json.JSONDecodeError as error:
                # the decoder cannot tell invalid from truncated text: more text helps only for an error near the end
                cut = error.pos >= len(self._text) - _LONGEST_TOKEN or error.msg.startswith("Unterminated string")
                if not cut or not self._more():
                    raise self.wrong(error.msg, error.pos) from None
            except _Constant as error:
                raise InvalidInput(self._path, f"{error} is not a finite number", "write finite numbers") from None
            except RecursionError:
                raise InvalidInput(self._path, "it is nested too deeply", "write what the task asks for") from None
            except ValueError as error:
                raise self.wrong(str(error), self.at) from None
            else:
                # a truncated number parses as a shorter number
                if end + _LONGEST_TOKEN < len(self._text) or not isinstance(item, int | float) or not self._more():
                    self.at, self._take = end, BLOCK
                    return item

    def wrong(self, what: str, place: int) -> InvalidInput:
        """The error that the file is not JSON at this position of the text in memory."""
        line = self._line + self._text.count("\n", 0, place)
        return InvalidInput(Place(self._path, line=line), f"this is not JSON ({what})", "write valid JSON")

    def _more(self) -> bool:
        """Drops the parsed text and reads the next block, twice as large if the last one did not complete an item."""
        block = self._file.read(self._take)
        if not block:
            self._decoded(block)
            return False
        fresh = self._decoded(block)
        self._taken += len(block)
        self._line += self._text.count("\n", 0, self.at)
        self._text = self._text[self.at :] + fresh
        self.at = 0
        self._take *= 2
        if len(self._text) > self._largest:
            raise self.wrong(f"one entry of more than {self._largest} characters", 0)
        return True

    def _decoded(self, block: bytes) -> str:
        kept = len(self._decode.getstate()[0])
        try:
            return self._decode.decode(block, final=not block)
        except UnicodeDecodeError as error:
            place = self._taken - kept + error.start
            raise InvalidInput(self._path, f"byte {place} is not UTF-8 text", "save it as plain UTF-8 text") from None


def _refuse_constant(name: str) -> float:
    raise _Constant(name)


def _once(place: Place, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        key = composed(name)
        if key in found:
            raise InvalidInput(place, f"the key {key!r} appears twice in one object", "keep one of them")
        found[key] = value
    return found
