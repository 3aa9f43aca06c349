"""The one loop that makes submissions, each again only if what it was made from has changed."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar

from cleaning import InvalidInput
from cleaning.errors import Place
from cleaning.progress import Progress
from evaluation.files.json import parse_json
from evaluation.files.whole import append_line, drop_half_line, read_text, sha256_bytes, sha256_file

Outcome = Literal["written", "unchanged", "left out", "failed"]


class Unit(Protocol):
    """One submission to make."""

    @property
    def data_id(self) -> str:
        """What it answers."""
        ...

    @property
    def path(self) -> Path:
        """Where it is written."""
        ...

    @property
    def title(self) -> str:
        """What its progress is called."""
        ...


_Unit = TypeVar("_Unit", bound=Unit)
_Loaded = TypeVar("_Loaded")


@dataclass(frozen=True, eq=False)
class Batch(Generic[_Unit, _Loaded]):
    """How the submissions of one data id are made.

    recipes: a hash of everything that each depends on. read: what all are made from; None if it cannot be read, which
    it reports. make: makes and writes one.
    """

    recipes: Mapping[_Unit, str]
    read: Callable[[], _Loaded | None]
    make: Callable[[_Unit, _Loaded, Progress], Outcome]


class Made:
    """What each submission was made from: one line per written submission, with its recipe and its file's hash."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, object] = {}
        drop_half_line(path)
        for line in read_text(path).splitlines() if path.exists() else ():
            with suppress(InvalidInput, TypeError, ValueError):  # a line that cannot be read: make the submission again
                name, *made_of = parse_json(line, Place(path))
                self._known[name] = made_of

    def is_current(self, path: Path, recipe: str) -> bool:
        """Whether the file exists exactly as this recipe made it."""
        return path.is_file() and self._known.get(self._name(path)) == [recipe, sha256_file(path)]

    def note(self, path: Path, recipe: str) -> None:
        """Records the recipe that made a file."""
        line = [self._name(path), recipe, sha256_file(path)]
        append_line(self._path, json.dumps(line))
        self._known[line[0]] = line[1:]

    def _name(self, path: Path) -> str:
        return path.relative_to(self._path.parent).as_posix()


def outcomes(
    units: Sequence[_Unit], batch_of: Callable[[list[_Unit]], Batch[_Unit, _Loaded]], made: Made, progress: Progress
) -> Iterator[Outcome]:
    """Makes what is missing or out of date, and yields the outcome of each unit, in the order of `units`.

    The units of a data id must be consecutive; its data is read once, and only if any of them has to be made.
    """
    number = 0
    for _, group in groupby(units, key=lambda unit: unit.data_id):
        own = list(group)
        batch = batch_of(own)
        todo = [unit for unit in own if not made.is_current(unit.path, batch.recipes[unit])]
        loaded = batch.read() if todo else None
        for unit in own:
            if unit not in todo:
                yield "unchanged"
            elif loaded is None:
                yield "failed"
            else:
                outcome = batch.make(unit, loaded, _within(progress, number, len(units), unit.title))
                if outcome == "written":
                    made.note(unit.path, batch.recipes[unit])
                yield outcome
            number += 1


def _within(progress: Progress, number: int, total: int, title: str) -> Progress:
    """The progress of one unit, as a part of the total."""

    def within(part: float, whole: float, note: str = "", /) -> None:
        share = min(part / whole, 1.0) if whole else 0.0
        progress(number + share, total, f"{title}: {note}" if note else title)

    return within


@cache
def code_sha256() -> str:
    """A hash of our own code that rankers and predictors use, and of the versions of the packages that code uses."""
    import baselines
    import cleaning

    sources = [path for room in (baselines, cleaning) for path in Path(str(room.__file__)).parent.rglob("*.py")]
    versions = [version(name) for name in ("numpy", "scipy", "scikit-learn", "cleanlab")]
    return sha256_bytes(repr([*sorted(map(sha256_file, sources)), *versions]).encode())
