"""Which options say something about which kind of source. One that would have no effect is refused."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

from cleaning.errors import InvalidInput
from evaluation.labels.forms.found import Found, Options

Kind = Literal[
    "class folders",
    "folder with a table",
    "npy",
    "npz",
    "columns",
    "embedding",
    "picture",
    "text",
    "folder names",
    "labels inside",
    "labels in a table",
    "labels in an npy",
]
"""What the rows are (for a table: what they are judged by), and where their labels are."""

_IS: dict[Kind, str] = {
    "class folders": "holds pictures",
    "folder with a table": "holds pictures",
    "npy": "is an npy",
    "npz": "is an npz",
    "columns": "is a table whose rows are judged by their columns",
    "embedding": "is a table whose rows are judged by an embedding",
    "picture": "is a table whose rows are judged by pictures",
    "text": "is a table whose rows are judged by texts",
    "folder names": "has the names of its folders as labels",
    "labels inside": "has its labels inside",
    "labels in a table": "has its labels in another table",
    "labels in an npy": "has its labels in an npy",
}
_FORMS: tuple[Kind, ...] = ("class folders", "folder with a table", "npy", "npz")
_TABLES: dict[str, Kind] = {
    "features": "columns",
    "embedding_column": "embedding",
    "image_column": "picture",
    "text_column": "text",
}
_LABELS: tuple[Kind, ...] = ("folder names", "labels inside", "labels in a table", "labels in an npy")


@dataclass(frozen=True)
class _Use:
    """What an option is for, the kinds of sources that it says something about, and what to do about any other."""

    what: str
    kinds: frozenset[Kind]
    fix: str = "leave it out"


_TABLE = frozenset(_TABLES.values())
_PICTURES = frozenset[Kind](("class folders", "folder with a table", "picture"))
_NO_PICTURES = "leave it out, or name the pictures of a table with --image-column"
_NETWORK = _Use("for pictures", _PICTURES, _NO_PICTURES)
USES: dict[str, _Use] = {
    "label_column": _Use(
        "the name of labels in a table or an npz",
        frozenset(("labels inside", "labels in a table")),
        "leave it out, or name the table with --labels",
    ),
    "annotator_column": _Use(
        "a column of the table that --labels names",
        frozenset(("labels in a table",)),
        "leave it out, or name the table with --labels",
    ),
    "id_column": _Use("a column of a table", _TABLE | {"folder with a table", "labels in a table"}, "leave it out"),
    "number_rows": _Use("for rows that may have ids of their own", _TABLE | {"npy", "npz"}),
    "features": _Use("for columns of numbers in a table", frozenset(("columns",))),
    "embedding_column": _Use("for a column of a table, or an array of an npz", frozenset(("embedding", "npz"))),
    "image_column": _Use(
        "for pictures that a table names or holds",
        frozenset(("folder with a table", "picture")),
        "leave it out, or name the table with --labels",
    ),
    "text_column": _Use("for texts in a table", frozenset(("text",))),
    "scaling": _Use("for numbers", frozenset(("columns", "embedding", "npy", "npz"))),
    "classes": _Use("for labels that may be numbers", frozenset(_LABELS[1:])),
    "encoder": _NETWORK,
    "encoder_size": _NETWORK,
    "encoder_mean": _NETWORK,
    "encoder_std": _NETWORK,
    "encoder_output": _NETWORK,
    "on_undecodable": _Use("for files in folders of classes", frozenset(("class folders",))),
}
"""Options that are not here say something about every source."""


def possible_kinds(form: str, labels: Path | None) -> set[Kind]:
    """What a source of this form may turn out to be. labels: the file of its labels, if one was named."""
    rows: set[Kind] = {one for one in _FORMS if one == form} or set(_TABLE)
    if labels is not None or form == "folder with a table":
        return rows | {_of_file(labels)}
    if form == "class folders":
        return rows | {"folder names"}
    return rows | ({"labels in a table", "labels in an npy"} if form == "npy" else {"folder names", "labels inside"})


def kinds_of(found: Found) -> set[Kind]:
    """What a source that was read is."""
    options = found.options
    judged = (kind for option, kind in _TABLES.items() if getattr(options, option) is not None)
    rows = next(chain((one for one in _FORMS if one == found.form), judged))
    if options.labels is not None:
        return {rows, _of_file(options.labels)}
    named = options.label_column is not None or options.annotators is not None
    return {rows, "labels inside" if named and rows != "class folders" else "folder names"}


def refuse_useless(path: Path, options: Options, source: Collection[Kind], trusted: Collection[Kind] | None) -> None:
    """Raises InvalidInput for an option that says nothing about a source, nor about the trusted rows."""
    plain = Options()
    for name, use in USES.items():
        if getattr(options, name) == getattr(plain, name) or use.kinds & {*source, *(trusted or ())}:
            continue
        about_labels = not use.kinds - set(_LABELS)
        kinds = [kind for kind in _IS if kind in source and (kind in _LABELS) == about_labels]
        is_what = "is a table" if len(_TABLE & {*kinds}) > 1 else " or ".join(_IS[kind] for kind in kinds)
        problem = f"it is {use.what}, and {path.name or path} {is_what}"
        raise InvalidInput(f"--{name.replace('_', '-')}", problem, use.fix)


def _of_file(labels: Path | None) -> Kind:
    return "labels in an npy" if labels is not None and labels.suffix.lower() == ".npy" else "labels in a table"
