"""Errors whose text is written for the user, and the parts that such texts are built from."""

import difflib
import operator
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from warnings import WarningMessage

_ADDRESS = re.compile(r"<([\w.]+)(?: object)? at 0x[0-9a-fA-F]+>")
_BREAK = re.compile(r"\s*[\r\n]\s*")
_LONGEST = 1500
"""The most characters of a problem or a fix; no sentence of ours needs as many."""
_MANY, _LISTED = 20, 10
"""Up to so many names are all listed; of more, so many."""
_COMPARED = 255
"""The most characters of a name that is compared with others; no file name is longer."""


def printable(text: str) -> str:
    """The text on one line, with control and other non-printable characters escaped, for example as `\\x1b`.

    Names and cells from untrusted files pass through here before they reach terminals, records and pages.
    """
    if text.isprintable():
        return text
    return "".join(one if _is_harmless(one) else one.encode("unicode_escape").decode() for one in text)


def bounded(text: str, most: int = 100) -> str:
    """The text, cut after `most` characters, with its length if it was cut: one value cannot fill a message."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def foreign_reason(error: BaseException | str) -> str:
    """What another library says about a failure, fit for our messages: on one line, bounded, without memory addresses.

    The name of the error's type if it says nothing.
    """
    return printable(bounded(_plain(str(error)), 300)) or type(error).__name__


def foreign_warning(warning: WarningMessage) -> str:
    """What another library warns about, as `Category: reason`."""
    return f"{warning.category.__name__}: {foreign_reason(str(warning.message))}"


def _plain(text: str) -> str:
    """The text on one line and without memory addresses."""
    return _ADDRESS.sub(r"\1", _BREAK.sub(" ", text.strip()))


def _is_harmless(one: str) -> bool:
    return one.isprintable() or unicodedata.category(one) == "Zs"


@dataclass(frozen=True)
class Place:
    """Where something is wrong, as far as it is known. `str` gives the text shown to users.

    Parameters
    ----------
    path : Path, optional
        The file or folder.
    line : int, optional
        Counted from 1.
    key : str, optional
        A key path, an option, or the name of an array or argument.
    column : str, optional
        The name of the column.
    row : int or str, optional
        The number of the row, counted from 0, or its name.
    """

    path: Path | None = None
    line: int | None = None
    key: str | None = None
    column: str | None = None
    row: int | str | None = None

    def __str__(self) -> str:
        row = None if self.row is None else f"row {bounded(repr(self.row))}"
        parts = [
            None if self.path is None else str(self.path),
            None if self.line is None else f"line {self.line}" + (f" ({row})" if row else ""),
            None if self.key is None else bounded(self.key, 300),
            None if self.column is None else f"column {bounded(self.column)}",
            row if self.line is None else None,
        ]
        return ", ".join(part for part in parts if part)


class FixfirstError(Exception):
    """A problem the user can act on; the command line prints its text and nothing else."""


class InvalidInput(FixfirstError):
    """A file, value or array that violates its contract. The text reads `place: problem. Fix: fix.`

    Parameters
    ----------
    place : Place, Path or str
        Where the problem is. A path is taken as a file, a string as a key.
    problem : str
        What was found, and what was expected.
    fix : str, optional
        What to do about it.
    """

    def __init__(self, place: Place | Path | str, problem: str, fix: str = "") -> None:
        self.place = _as_place(place)
        self.problem, self.fix = bounded(_plain(problem), _LONGEST), bounded(fix, _LONGEST)
        super().__init__(printable(f"{self.place}: {self.problem}." + (f" Fix: {self.fix}." if fix else "")))

    def __reduce__(self) -> tuple[type["InvalidInput"], tuple[Place, str, str]]:
        return type(self), (self.place, self.problem, self.fix)

    def within(self, path: Path) -> "InvalidInput":
        """Add the file to an error about an array that was read from it.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        InvalidInput
            The same error with the file added, or this error if it already names a file.
        """
        return self if self.place.path else self.moved(path)

    def moved(self, path: Path) -> "InvalidInput":
        """Name another file.

        Parameters
        ----------
        path : Path
            The file.

        Returns
        -------
        InvalidInput
            The same error about this file.
        """
        return InvalidInput(replace(self.place, path=path), self.problem, self.fix)


class BadData(FixfirstError):
    """The data are at fault (truth, embeddings, a list of public ids), not a submission."""


@contextmanager
def data_at_fault(kind: type[FixfirstError] = FixfirstError) -> Iterator[None]:
    """Re-raises errors of this kind as BadData with the same text, for blocks in which they are about the data."""
    try:
        yield
    except BadData:
        raise
    except kind as error:
        raise BadData(str(error)) from error


class Unsuitable(FixfirstError):
    """A ranker or learner cannot work on these data, for the reason given. The run continues without it."""


def whole_from_0(name: str, value: Any) -> int:
    """The value of an argument that is a whole number from 0. Raises InvalidInput for any other."""
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if number < 0:
        raise InvalidInput(name, f"it is {bounded(repr(value))}", "use a whole number from 0")
    return number


def sentence(error: Exception) -> str:
    """The text shown to the user for an error, expected or not."""
    if isinstance(error, FixfirstError):
        return str(error)
    if isinstance(error, MemoryError):
        return "there is not enough memory for this. Fix: lower `jobs:` in parameters.yaml, or use a larger machine."
    shown = f"{type(error).__name__}: {foreign_reason(error)}"
    return f"fixfirst itself failed ({shown}). Fix: run again with FIXFIRST_DEBUG=1 and report the output."


def count_of(count: int, noun: str) -> str:
    """The count with its noun: `1 row`, `2 rows`, `3 classes`, `4 queries`."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return f"{count} {noun[:-1]}ies"
    return f"{count} {noun}{'es' if noun.endswith(('s', 'x', 'ch', 'sh')) else 's'}"


def first_three(examples: Sequence[object]) -> str:
    """The count and the first three examples, as all error messages show them: `2 in all: a, b`."""
    shown = ", ".join(printable(bounded(str(example))) for example in examples[:3])
    return f"{len(examples)} in all: {shown}" + (", …" if len(examples) > 3 else "")


def suggest(name: str, known: Iterable[str]) -> str:
    """`did you mean …? known: …`, for an unknown name. Of many known names only the first ones are listed."""
    names = sorted(known)
    short = [other for other in names if len(other) <= _COMPARED]
    close = difflib.get_close_matches(name, short, n=3, cutoff=0.5) if len(name) <= _COMPARED else []
    hint = f"did you mean {' or '.join(bounded(one) + _difference(name, one) for one in close)}? " if close else ""
    return f"{hint}known: {listed(names)}"


def listed(names: Collection[str], between: str = ", ") -> str:
    """All names in one line; of many, the first ones and the count of the others."""
    shown = list(names)[: len(names) if len(names) <= _MANY else _LISTED]
    more = f"{between}… and {len(names) - len(shown)} more" if len(shown) < len(names) else ""
    return (between.join(bounded(name) or "(no name)" for name in shown) or "none") + more


def _difference(name: str, other: str) -> str:
    """Where two names differ, if that can be hard to see: in blanks, accents, invisible or look-alike characters."""
    if name.isascii() and other.isascii() and name.split() == [name] and other.split() == [other]:
        return ""
    place = next((at for at, pair in enumerate(zip(name, other, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(name), len(other)) if place is None else place
    return f" (character {at + 1} is {_code(name, at)}, not {_code(other, at)})"


def _code(name: str, at: int) -> str:
    return f"U+{ord(name[at]):04X}" if at < len(name) else "missing"


def _as_place(place: Place | Path | str) -> Place:
    if isinstance(place, Place):
        return place
    return Place(path=place) if isinstance(place, Path) else Place(key=place)
