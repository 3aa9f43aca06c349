"""Labels from the names of folders: one folder per class."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from cleaning.errors import InvalidInput, Place, first_three
from cleaning.labels.classes import Labels, encode_labels

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
        raise InvalidInput(
            path, f"some pictures are in no folder of a class ({first_three(bare)})", "move or remove them"
        )
    first = {parts[0] for parts in folders}
    if {name.casefold() for name in first} <= _PARTS:
        raise InvalidInput(
            path,
            f"its folders are parts, not classes ({', '.join(sorted(first))})",
            f"rank one of them, for example {path / sorted(first)[0]}",
        )
    return encode_labels([parts[0] for parts in folders], Place(path, key="folders"), classes=True)
