"""What each submission was made from, so that one is made again only if that has changed."""

import json
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from cleaning import InvalidInput
from cleaning.errors import Place
from evaluation.files.json import parse_json
from evaluation.files.whole import append_line, drop_half_line, read_text, sha256_bytes, sha256_file


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


@cache
def code_sha256() -> str:
    """A hash of our own code that rankers and predictors use, and of the versions of the packages that code uses."""
    import baselines
    import cleaning

    sources = [path for room in (baselines, cleaning) for path in Path(str(room.__file__)).parent.rglob("*.py")]
    versions = [version(name) for name in ("numpy", "scipy", "scikit-learn", "cleanlab")]
    return sha256_bytes(repr([*sorted(map(sha256_file, sources)), *versions]).encode())
