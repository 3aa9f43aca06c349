"""Labels from the names of folders: one folder per class."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from cleaning.errors import InvalidInput, Place, first_three
from cleaning.labels.classes import Labels, encode_labels
from evaluation.labels.forms.tables import SUFFIXES

_PARTS = {"train", "training", "val", "valid", "validation", "test", "testing", "dev"}


def labels_of_names(names: Sequence[str], path: Path) -> Labels:
    """The first folder in each name, as the label. Raises InvalidInput if there is none, or if it names a split."""
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    bare = [name for name, parts in zip(names, folders, strict=True) if not parts]
    if len(bare) == len(names):
        raise InvalidInput(
            path, "there is no column of labels, and no folders whose names could be labels", "pass --labels=FILE"
        )
    if bare:
        tables = [name for name in bare if PurePosixPath(name).suffix.lower() in SUFFIXES]
        fix = "move or remove them" + (f", or pass --labels={path / tables[0]}" if tables else "")
        raise InvalidInput(path, f"some files are in no folder of a class ({first_three(bare)})", fix)
    first = {parts[0] for parts in folders}
    if len(first) == 1 and all(len(parts) > 1 for parts in folders) and len({parts[1] for parts in folders}) > 1:
        only = path / first.pop()
        raise InvalidInput(path, "its only folder holds folders, which may be those of the classes", f"rank {only}")
    if {name.casefold() for name in first} <= _PARTS:
        raise InvalidInput(
            path,
            f"its folders are parts, not classes ({', '.join(sorted(first))})",
            f"rank one of them, for example {path / sorted(first)[0]}",
        )
    return encode_labels([parts[0] for parts in folders], Place(path, key="folders"), classes=True)
