"""A source: the rows of whatever form people have, as ids, labels and numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cleaning.belief.blocks.judge import too_large
from cleaning.belief.blocks.stored import Stored
from cleaning.data import IntVector
from cleaning.errors import InvalidInput, Place, bounded, count_of, printable
from cleaning.labels.classes import joined, refuse_broken_text, spelled_alike
from cleaning.labels.evidence import Columns, Encoder, Vectors, as_encoded, encoder_of
from cleaning.labels.votes import Votes
from evaluation.files.names import composed
from evaluation.files.progress import Reporter
from evaluation.files.whole import plain_errors, sha256_file
from evaluation.labels.forms.fitting import kinds_of, possible_kinds, refuse_useless
from evaluation.labels.forms.found import Found, Options, Views, hashes_of
from evaluation.labels.forms.from_arrays import read_array, read_arrays
from evaluation.labels.forms.from_folder import read_folder, table_inside
from evaluation.labels.forms.from_table import read_table
from evaluation.labels.forms.lines import naming_lines
from evaluation.labels.forms.pictures import Surroundings
from evaluation.labels.forms.probabilities import probabilities_in_file, probabilities_stored
from evaluation.labels.forms.tables import SUFFIXES

_MAGIC = ((b"PAR1", "parquet"), (b"ARROW1", "feather"), (b"\x93NUMPY", "npy"), (b"PK\x03\x04", "npz"))
_PICKLE = "a pickle, which is never loaded", "save numbers with numpy.savez, tables as parquet"
_PICTURE = "a single picture", "give the folder that holds it"
_ARCHIVE = "an archive", "unpack it, and give what is in it"
_TABLE = "save it as csv or parquet"
_NOT_READ = {
    ".json": ("json", _TABLE),
    ".jsonl": ("json lines", _TABLE),
    ".xlsx": ("a spreadsheet", _TABLE),
    ".xls": ("a spreadsheet", _TABLE),
    **dict.fromkeys((".pkl", ".pickle", ".pt", ".pth"), _PICKLE),
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".svg"), _PICTURE),
    **dict.fromkeys((".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z"), _ARCHIVE),
}
KNOWN_SUFFIXES = frozenset((*SUFFIXES, ".npy", ".npz", *_NOT_READ))
"""The suffixes of files that hold data, whether they are read or not."""


@dataclass(frozen=True, eq=False)
class Source:
    """The n rows of a source.

    path: what the user named. form: one word for how it is stored. options: every option and guess that is needed to
    read it in the same way again. ids: unique, one per row. labels (n,): indices into classes, -1 for none. classes:
    names as the user writes them, in natural order. features (n, d): float32; of large data, numbers as they are in the
    file. stored: where these are, if the data are so large that they are ranked by blocks; else None. probabilities
    (n, K): those of the user's own model, or None; predicted: where they are stored, if the rows are. votes: those of
    annotators (indices into classes), if the labels are what most of them said, or None. said: what was taken from
    where. hashes: of each row's content, without its label. files: the sha256 of each file that was read whole, by its
    path. doubtful: columns that the rows are judged by, but that may be other labels of them.
    """

    path: Path
    form: str
    options: Mapping[str, object]
    ids: tuple[str, ...]
    labels: IntVector
    classes: tuple[str, ...]
    features: NDArray[np.floating]
    said: str
    hashes: tuple[str, ...]
    files: Mapping[str, str]
    views: Views = field(default_factory=Views, repr=False)
    probabilities: NDArray[np.float32] | None = None
    votes: Votes | None = None
    stored: Stored | None = None
    predicted: Stored | None = None
    doubtful: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def given(self) -> list[str | None]:
        """The label of each row by name; None for a row without one."""
        return [None if code < 0 else self.classes[code] for code in self.labels.tolist()]

    def picture(self, row: int) -> bytes | None:
        """The encoded picture (the bytes of a png, jpg, …) of a row, or None."""
        return self.views.picture(row)

    def text(self, row: int) -> str | None:
        """The text of a row, or None."""
        return self.views.text(row)

    def columns(self, row: int) -> Mapping[str, str]:
        """The columns of numbers, texts and dates of a row of a table, as text; empty otherwise."""
        return self.views.columns(row)


@dataclass(frozen=True)
class Request:
    """A source to open.

    trusted_options: how the trusted rows were read before; None: by the choices made for the source where these fit.
    cache and trusted_cache: where the embeddings of pictures are kept; None: nowhere.
    """

    path: Path
    options: Options = field(default_factory=Options)
    trusted: Path | None = None
    trusted_labels: Path | None = None
    trusted_probabilities: Path | None = None
    trusted_options: Options | None = None
    cache: Path | None = None
    trusted_cache: Path | None = None


@naming_lines()
def open_source(request: Request, reporter: Reporter) -> tuple[Source, Source | None]:
    """The rows to rank, and the trusted rows, if any; both with the same classes, and features encoded alike.

    Raises InvalidInput that names the file, the column and the row for whatever cannot be used.
    """
    path, options, known = request.path, request.options, request.trusted
    known_kinds = (
        None if known is None else possible_kinds(_form(known, request.trusted_labels), request.trusted_labels)
    )
    refuse_useless(path, options, possible_kinds(_form(path, options.labels), options.labels), known_kinds)
    found = _read(path, options, Surroundings(request.cache, reporter))
    trusted = None if known is None else _read_trusted(request, known, found, reporter)
    refuse_useless(path, options, kinds_of(found), None if trusted is None else kinds_of(trusted))
    names = found.labels.names
    if trusted is not None:
        names = joined(found.labels, trusted.labels, trusted.evidence.place)
    for where, one in ((path, found), (known, trusted)):
        if where is not None and one is not None and not one.labels.names:
            raise InvalidInput(where, "no row has a label", "name the column or the file with the labels")
    pa.default_memory_pool().release_unused()
    encode = encoder_of(found.evidence)
    stored = _stored(found, encode, request.cache)
    source = _source(path, found, names, encode, stored, cache=request.cache)
    return source, None if trusted is None or known is None else _source(known, trusted, names, encode)


def _read_trusted(request: Request, path: Path, found: Found, reporter: Reporter) -> Found:
    """The trusted rows, read as before, or by the choices made for the rows to rank where these fit.

    That their labels are classes is seen from the names that they share with the others.
    """
    chosen, votes = found.options, found.votes is not None
    by_columns = isinstance(found.evidence, Columns) or votes or bool(found.left_out)
    options = request.trusted_options or replace(
        request.options,
        labels=request.trusted_labels,
        label_column=None if votes else request.options.label_column,
        annotators=() if votes else None,
        annotator_column=None,
        probabilities=request.trusted_probabilities,
        features=chosen.features if by_columns else request.options.features,
        text_column=chosen.text_column,
        classes=True,
        scaling=chosen.scaling,
    )
    trusted = _read(path, options, Surroundings(request.trusted_cache, reporter))
    if trusted.votes is not None:
        problem = "the trusted labels would be the votes of several annotators, which may be wrong"
        raise InvalidInput(path, problem, "give rows with one column of labels that are known to be right")
    return replace(trusted, labels=spelled_alike(trusted.labels, found.labels))


def _read(path: Path, options: Options, around: Surroundings) -> Found:
    form = _form(path, options.labels)
    if path.is_dir():
        return read_folder(path, options, around)
    if form == "npy":
        return read_array(path, options, around)
    return read_arrays(path, options) if form == "npz" else read_table(path, form, options, around)


def _form(path: Path, labels: Path | None) -> str:
    """The form of a file, by its content where that is telling, else by its suffix; or the form of a folder.

    labels: the file with its labels, if one is named.
    """
    if path.is_dir():
        return "class folders" if labels is None and table_inside(path) is None else "folder with a table"
    if not path.is_file():
        known = f"a folder of pictures, or a file: {', '.join(SUFFIXES)}, .npy, .npz"
        raise InvalidInput(path, "there is no such file", f"give {known}")
    with plain_errors(path, "read the file"), path.open("rb") as file:
        head = file.read(8)
    if not head:
        raise InvalidInput(path, "the file is empty", "get the file again")
    suffix = path.suffix.lower()
    if suffix in _NOT_READ:
        kind, fix = _NOT_READ[suffix]
        raise InvalidInput(path, f"this is {kind}", fix)
    found = next((form for magic, form in _MAGIC if head.startswith(magic)), None) or SUFFIXES.get(suffix)
    if found is None:
        known = f"{', '.join(SUFFIXES)}, .npy or .npz"
        raise InvalidInput(path, f"this is of no known form ({suffix or 'no suffix'})", f"{_TABLE}, or give {known}")
    return found


def _stored(found: Found, encode: Encoder, cache: Path | None) -> Stored | None:
    """Where the rows are stored, if there are so many that they are ranked by blocks.

    That takes a cache if there is a table of probabilities, which is copied there.
    """
    evidence, own = found.evidence, found.options.probabilities
    if not isinstance(evidence, Vectors):
        return None
    if own is not None and own.resolve() in {one.resolve() for one in found.files}:
        return None
    if own is not None and own.suffix.lower() != ".npy" and (cache is None or own.suffix.lower() not in SUFFIXES):
        return None
    rows, width = evidence.matrix.shape
    stored = Stored.of(evidence.matrix, evidence.place)
    if stored is None or not too_large(rows, width, len(found.labels.names)):
        return None
    return as_encoded(stored, encode)


def _source(
    path: Path,
    found: Found,
    names: tuple[str, ...],
    encode: Encoder,
    stored: Stored | None = None,
    *,
    cache: Path | None = None,
) -> Source:
    evidence = found.evidence
    features = evidence.matrix if stored is not None and isinstance(evidence, Vectors) else encode(evidence)
    hashes = found.hashes or hashes_of(found.evidence)
    labels = found.labels.renumbered(names)
    for row, name in enumerate(found.ids):
        refuse_broken_text(name, Place(path, key="ids", row=row))
    ids = tuple(map(printable, found.ids))
    _refuse_alike(path, ids)
    rows, own = count_of(len(labels), "row"), found.options.probabilities
    by_blocks, at_once = own if stored is not None else None, own if stored is None else None
    return Source(
        path=path,
        form=found.form,
        options={key: _json(value) for key, value in asdict(found.options).items()},
        ids=ids,
        labels=labels,
        classes=names,
        features=features,
        said=printable("; ".join([rows, *found.said, *([] if own is None else [f"probabilities from {own.name}"])])),
        hashes=hashes,
        files={str(one): sha256_file(one) for one in [*found.files, *([] if own is None else [own])]},
        views=found.views,
        probabilities=None if at_once is None else probabilities_in_file(at_once, names, len(labels)),
        votes=None if found.votes is None else found.votes.renumbered(names),
        stored=stored,
        predicted=None if by_blocks is None else probabilities_stored(by_blocks, names, len(labels), cache),
        doubtful=found.doubtful,
    )


def _refuse_alike(path: Path, ids: Sequence[str]) -> None:
    """Raises InvalidInput for ids that a decision could not tell apart."""
    first: dict[str, int] = {}
    for row, name in enumerate(map(composed, ids)):
        if first.setdefault(name, row) != row:
            problem = f"the id {bounded(name)!r} is that of row {first[name]} too, but for how it is typed"
            fix = "rename one of them: accents typed in two ways and characters that cannot be shown do not count"
            raise InvalidInput(Place(path, key="ids", row=row), problem, fix)


def _json(value: Any) -> object:
    return list(value) if isinstance(value, tuple) else str(value) if isinstance(value, Path) else value
