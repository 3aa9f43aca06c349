"""The one rule for names: of files, classes, labels, methods, columns and ids, wherever they are read.

Names are compared in Unicode's composed form (NFC), so that é is one name whether it was typed as one character or as e
with an accent. Case and everything else counts. A name is not empty and has no blanks at its ends. Files and folders
that systems leave behind are not data: those that start with a dot, `__MACOSX`, `Thumbs.db` and `desktop.ini`.
"""

import unicodedata
from collections.abc import Iterable
from pathlib import Path, PurePath

from cleaning.errors import InvalidInput, Place

_LEFT_BEHIND = ("__macosx", "thumbs.db", "desktop.ini")


def composed(name: str) -> str:
    """The name in the form in which names are compared."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def checked_name(place: Place, name: str) -> str:
    """The name in composed form. Raises InvalidInput if it is empty, or starts or ends with whitespace."""
    if not name.strip():
        raise InvalidInput(place, "a name is empty", "fill it in")
    if name != name.strip():
        raise InvalidInput(place, f"{name!r} starts or ends with whitespace", "remove the whitespace")
    return composed(name)


def is_hidden(path: PurePath | str) -> bool:
    """Whether a part of this relative path is the name of a file or folder that is not data."""
    return any(part.startswith(".") or part.lower() in _LEFT_BEHIND for part in PurePath(path).parts)


def not_hidden(paths: Iterable[Path], folder: Path) -> list[Path]:
    """The paths that are not hidden below the folder, sorted."""
    return sorted(path for path in paths if not is_hidden(path.relative_to(folder)))
