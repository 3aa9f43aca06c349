"""decisions.jsonl: what people decided about the labels, one line per verdict. Append-only.

A line counts as saved once it is on the disk. Several processes may append to the same file: each holds a lock while it
writes. A line that a killed process left half-written was never reported as saved, and is removed by the next writer. A
log that cannot be written, as on a read-only disk, is only read.
"""

import fcntl
import getpass
import json
import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_serializer, model_validator

from cleaning.errors import InvalidInput, Place, bounded, printable
from evaluation.files.whole import append, plain_errors

_LARGEST_LINE = 1 << 20
"""The most bytes in one line. No decision needs more."""

_LONGEST_NAME = 100
_Probability = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
_FIX = "correct or remove the line"


class Shown(BaseModel):
    """What the reviewer was shown: the given and the suggested label (None: none), and where the row was in the order.

    probability: that the suggestion is right. suspicion: that the given label is wrong.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    given: str | None = None
    suggested: str | None = None
    probability: _Probability | None = None
    suspicion: _Probability | None = None
    place: Annotated[int, Field(ge=1)] | None = None
    round: Annotated[int, Field(ge=0)] = 0


class _Labelled(Protocol):
    @property
    def verdict(self) -> str: ...
    @property
    def label(self) -> str | None: ...


_L = TypeVar("_L", bound=_Labelled)


def label_where_it_belongs(decision: _L) -> _L:
    """The decision. Raises ValueError for a label without the verdict `label`, and the other way round."""
    if (decision.verdict == "label") != (decision.label is not None):
        raise ValueError("a label belongs to the verdict `label`, and only to it")
    return decision


class Entry(BaseModel):
    """One line of the log: what one person decided about one row.

    hash: of the content that was looked at. label: the right label, for the verdict `label`, and None for all others.
    `undo` takes back the person's last decision about the row. Entries of one person with the same time are one action.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(min_length=1, max_length=10_000)]
    row: Annotated[int, Field(ge=0)]
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]
    verdict: Literal["keep", "label", "drop", "unsure", "undo"]
    label: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None
    by: Annotated[str, Field(min_length=1, max_length=_LONGEST_NAME)]
    at: AwareDatetime
    shown: Shown = Shown()

    @model_validator(mode="after")
    def _label_where_it_belongs(self) -> Self:
        return label_where_it_belongs(self)

    @field_serializer("at")
    def _to_the_millisecond(self, at: datetime) -> str:
        return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    @property
    def opinion(self) -> tuple[str, str | None]:
        """What the entry says about the row. Two people agree if their opinions are equal."""
        return self.verdict, self.label


class DecisionLog:
    """The log at a path. `entries` holds its lines; it grows as the file is read or written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self._read = 0
        self._ended = True

    def read(self) -> Self:
        """Reads the lines added since the last call, by anybody. Ignores a last line that is cut off.

        Raises InvalidInput with the line number for a line that is not a decision, and for a file that lost lines.
        """
        if self.path.exists():
            self._read_on()
        return self

    def mended(self, warn: Callable[[str], None]) -> Self:
        """Reads the log after removing what a killed process left of its last line, and says so.

        A log that this process may not write to stays as it is.
        """
        if not self.path.exists():
            return self
        if os.access(self.path, os.W_OK):
            with self._locked() as file:
                rest = self._mend(file)
                self._catch_up(file)
        else:
            rest = self._read_on()
        if rest:
            start = printable(bounded(rest.decode(errors="replace")))
            warn(f"{self.path}: its last line is cut off, so this decision does not count: {start}")
        return self

    def append(self, make: Callable[[], Sequence[Entry]]) -> list[Entry]:
        """Appends the entries that `make` returns and returns them once they are on the disk.

        make: called while nobody else can write, with all lines read. If writing fails, the file is left as it was.
        Raises InvalidInput if the folder of the log is gone, or the log after it was read.
        """
        if not (self.path.exists() or (self.path.parent.is_dir() and not self._read)):
            raise InvalidInput(self.path, "it is no longer there", "put the review folder back")
        with self._locked() as file:
            self._mend(file)
            self._catch_up(file)
            entries = list(make())
            content = "".join(entry.model_dump_json() + "\n" for entry in entries).encode()
            with plain_errors(self.path, "append to the file"):
                append(file, content)
            self._catch_up(file)
        return entries

    def _read_on(self) -> bytes:
        """Reads the lines added since while nobody writes. Returns the last one if it is cut off."""
        with plain_errors(self.path, "read the file"), self.path.open("rb", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return self._catch_up(file)

    @contextmanager
    def _locked(self) -> Iterator[Any]:
        """The file, while nobody else can write to it."""
        with plain_errors(self.path, "open the file"):
            file = self.path.open("a+b", buffering=0)
        with file:
            with plain_errors(self.path, "lock the file"):
                fcntl.flock(file, fcntl.LOCK_EX)
            yield file

    def _mend(self, file: Any) -> bytes:
        with plain_errors(self.path, "end the file with a whole line"):
            return _mend(file)

    def _catch_up(self, file: Any) -> bytes:
        if os.fstat(file.fileno()).st_size < self._read:
            problem = "it is shorter than when it was last read; this file is only ever appended to"
            raise InvalidInput(self.path, problem, "restore it, and start the command again")
        file.seek(self._read)
        return self._take(file.read())

    def _take(self, content: bytes) -> bytes:
        """Follows more of the file. A last line that lacks only its newline counts; one that is cut off is returned."""
        if content and not self._ended:
            self._read += content.startswith(b"\n")
            content, self._ended = content.removeprefix(b"\n"), True
        whole, rest = content[: content.rfind(b"\n") + 1], content[content.rfind(b"\n") + 1 :]
        found = [
            _parsed(line, Place(self.path, line=number))
            for number, line in enumerate(whole.split(b"\n")[:-1], start=len(self.entries) + 1)
        ]
        self.entries += found
        self._read += len(whole)
        if rest:
            with suppress(InvalidInput):
                self.entries.append(_parsed(rest, Place()))
                self._read, self._ended, rest = self._read + len(rest), False, b""
        return rest


def _parsed(line: bytes, place: Place) -> Entry:
    """The entry in a line. Raises InvalidInput for anything else.

    place: the file and the line's number, for the error.
    """
    if len(line) > _LARGEST_LINE:
        raise InvalidInput(place, f"the line has {len(line)} bytes, a decision has at most {_LARGEST_LINE}", _FIX)
    try:
        entry = Entry.model_validate_json(line)
    except ValidationError as failure:
        error = failure.errors(include_url=False)[0]
        key = ".".join(map(str, error["loc"])) or None
        where = Place(place.path, line=place.line, key=key)
        raise InvalidInput(where, f"this is not a decision ({error['msg'][:200]})", _FIX) from None
    if repeated := _repeated_key(line):
        raise InvalidInput(place, f"the key {repeated!r} appears twice", _FIX)
    return entry


def read_entries(path: Path) -> dict[int, Entry]:
    """The entries of a file of decisions that somebody handed in, by line. Its last one need not end in a newline.

    Raises InvalidInput with the line number for a line that is not a decision.
    """
    with plain_errors(path, "read the file"):
        content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    lines = content.replace(b"\r\n", b"\n").split(b"\n")
    return {
        number: _parsed(line, Place(path, line=number)) for number, line in enumerate(lines, start=1) if line.strip()
    }


def now() -> datetime:
    """The current time in UTC, to the millisecond as in the log."""
    found = datetime.now(UTC)
    return found.replace(microsecond=found.microsecond // 1000 * 1000)


def reviewer(name: str | None) -> str:
    """A reviewer's name as it is written to the log; None: the login name.

    Raises InvalidInput for a name that cannot be shown.
    """
    name = _login() if name is None else name
    shown = unicodedata.normalize("NFC", name).strip()
    if not shown or not shown.isprintable():
        raise InvalidInput("--as", f"{name!r} is not a name", "use letters that can be printed")
    if len(shown) > _LONGEST_NAME:
        raise InvalidInput("--as", f"the name has {len(shown)} characters", f"use at most {_LONGEST_NAME}")
    return shown


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "me"


def _mend(file: Any) -> bytes:
    """Ends the file with a whole line: a last line that lacks only its newline gets one, any other rest is removed.

    Returns what was removed.
    """
    size = file.seek(0, os.SEEK_END)
    start = max(size - _LARGEST_LINE - 1, 0)
    file.seek(start)
    tail = file.read()
    rest: bytes = tail[tail.rfind(b"\n") + 1 :]
    if not rest:
        return rest
    with suppress(InvalidInput):
        _parsed(rest, Place())
        append(file, b"\n")
        return b""
    file.truncate(size - len(rest))
    os.fsync(file.fileno())
    return rest


def _repeated_key(line: bytes) -> str | None:
    found: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in pairs]
        found.extend(name for number, name in enumerate(names) if name in names[:number])

    json.loads(line, object_pairs_hook=once)
    return found[0] if found else None
