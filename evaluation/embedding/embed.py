"""`fixfirst embed FOLDER`: embeds images into one parquet file with these columns:

    filename (path below the folder), encoding (list<float>), sha256, width, height, bytes, format

Rows are in ascending order of filename. Finished batches are kept beside the output until the run is complete, so a
killed run resumes where it stopped. A second run embeds only what has changed.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cleaning.errors import InvalidInput, first_three, suggest
from cleaning.parallel.engine import Engine, map_jobs, thread_pools
from evaluation.contract.registry import encoders
from evaluation.embedding.encoders import efficientnet_lite0
from evaluation.embedding.images import DECODER, Picture, decode
from evaluation.embedding.preparation import Settings
from evaluation.files.lock import only_writer
from evaluation.files.names import is_hidden
from evaluation.files.outputs import refuse_output
from evaluation.files.parquet import list_column, parquet_bytes
from evaluation.files.parquet import vectors as vectors_of
from evaluation.files.progress import Reporter
from evaluation.files.whole import plain_errors, read_bytes, sha256_bytes, sha256_file, write_whole

OnUndecodable = Literal["error", "skip"]

LARGEST_FILE = 256 * 1024**2
BATCH = 64
ALIVE = 8_000_000
"""How many pixels of decoded images may wait for the encoder, besides those of the last image."""

_BUILT_IN = "classical"
"""The encoder that is always there."""
_HINT = (
    f"pictures are embedded by `{_BUILT_IN}`, which was not trained on pictures; "
    "`pip install '.[images]'` brings a network that was"
)

_AS_EXPORTED = Settings()
_IDENTITY = b"fixfirst_encoder"


@dataclass(frozen=True)
class Request:
    """What to embed, with which encoder, and what to do with files that cannot be decoded.

    encoder: a name or the path of an ONNX file; settings: how pixels become the input of that file's network.
    names: the pictures to embed; None: every file in the folder that is not hidden. read: the content of the picture
    with a name, where the pictures are not files in the folder; it must be picklable.
    """

    folder: Path
    output: Path
    encoder: str = _BUILT_IN
    jobs: int = 1
    on_undecodable: OnUndecodable = "error"
    names: tuple[str, ...] | None = None
    read: Callable[[str], bytes] | None = None
    settings: Settings = _AS_EXPORTED


@dataclass(frozen=True)
class _Batch:
    """The result of a worker: rows, warnings, and the reasons why files have no row."""

    rows: list[dict[str, Any]]
    warnings: list[str]
    failures: list[str]


def default_encoder(reporter: Reporter) -> str:
    """`efficientnet_lite0` where the extra `images` is installed; else `classical`, with a hint that is told once."""
    if efficientnet_lite0.is_installed():
        return "efficientnet_lite0"
    reporter.hint(_HINT)
    return _BUILT_IN


@lru_cache(maxsize=2)
def make_encoder(name: str, settings: Settings = _AS_EXPORTED) -> Any:
    """The encoder with this name, or the ONNX model at this path.

    Raises InvalidInput for settings of an encoder that is not an ONNX file.
    """
    if name.endswith(".onnx"):
        return encoders()["onnx"].member(Path(name), settings)
    if settings != _AS_EXPORTED:
        raise InvalidInput(
            f"encoder {name!r}", "it takes no size, mean, std or output", "leave them out, or pass --encoder=PATH.onnx"
        )
    if name not in encoders():
        raise InvalidInput(
            f"encoder {name!r}", "there is no such encoder", f"{suggest(name, encoders())}, or PATH.onnx"
        )
    return encoders()[name].member(None)


def _identity(encoder: Any) -> str:
    """Changes with anything that changes the vectors, so that the rows of an earlier run are not reused then."""
    return f"{DECODER} {encoder.identity}"


def embed(request: Request, reporter: Reporter) -> int:
    """Writes the parquet and returns the number of images in it.

    A file that cannot be decoded raises InvalidInput with its name and the reason, and nothing is written; with
    `on_undecodable="skip"` it is skipped with a warning. Hidden files are ignored.
    """
    refuse_output(request.output, [".parquet"], [request.folder, Path(request.encoder)])
    names = picture_names(request.folder) if request.names is None else sorted(request.names)
    parts = request.output.with_name(f".{request.output.name}.parts")
    with only_writer(request.output.parent, reporter.warn, request.output.name):
        count = _embed(request, names, parts, reporter)
        shutil.rmtree(parts, ignore_errors=True)
    return count


def _embed(request: Request, names: list[str], parts: Path, reporter: Reporter) -> int:
    identity = _identity(make_encoder(request.encoder, request.settings))
    known = _known_rows(request.output, parts, identity)
    rows: dict[str, dict[str, Any]] = {}
    warnings: list[str] = []
    failures: list[str] = []
    with reporter.track("embed", "images") as progress:
        for number, batch in enumerate(_worked(request, names, known)):
            rows.update((row["filename"], row) for row in batch.rows)
            # names of pictures that are not files have no suffix that could be wrong
            warnings += batch.warnings if request.read is None else []
            failures += batch.failures
            fresh = [row for row in batch.rows if row["filename"] not in known]
            if fresh and len(names) > BATCH:
                write_whole(parts / f"{len(known)}-{number:06d}.parquet", _table_bytes(fresh, identity))
            progress(min((number + 1) * BATCH, len(names)), len(names))
    for line in warnings:
        reporter.warn(line)
    _judge(request, failures, len(names), reporter)
    content = _table_bytes([rows[name] for name in sorted(rows)], identity)
    if not request.output.is_file() or sha256_file(request.output) != sha256_bytes(content):
        write_whole(request.output, content)
    return len(rows)


def write_embeddings(contents: Mapping[str, bytes], output: Path) -> None:
    """Writes the parquet that `embed` would write with the built-in encoder, for image files in memory (name: content).

    Raises InvalidInput for a file that cannot be decoded.
    """
    batch = _embedded(
        ((name, partial(bytes, content)) for name, content in contents.items()), {}, make_encoder(_BUILT_IN)
    )
    if batch.failures:
        raise InvalidInput(output, f"some images cannot be decoded ({first_three(batch.failures)})")
    rows = sorted(batch.rows, key=lambda row: str(row["filename"]))
    write_whole(output, _table_bytes(rows, _identity(make_encoder(_BUILT_IN))))


def picture_names(folder: Path) -> list[str]:
    """The sorted relative paths of all files in the folder that are not hidden. Raises InvalidInput if there are none.

    Names that are not printable text are refused too.
    """
    if not folder.is_dir():
        raise InvalidInput(folder, "there is no such folder", "give the folder that contains the images")
    with plain_errors(folder, "list the folder"):
        found = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    names = sorted(path.as_posix() for path in found if not is_hidden(path))
    odd = [name for name in names if not name.isprintable() or not _is_text(name)]
    if odd:
        raise InvalidInput(
            folder, f"some file names are not text ({first_three([ascii(n) for n in odd])})", "rename them"
        )
    if not names:
        raise InvalidInput(folder, "there are no files in it", "give the folder that contains the images")
    return names


def _worked(request: Request, names: list[str], known: dict[str, dict[str, Any]]) -> Iterator[_Batch]:
    batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
    work = [(batch, {name: known[name] for name in batch if name in known}) for batch in batches]
    return map_jobs(_embed_batch, (request,), work, Engine(request.jobs))


def _embed_batch(request: Request, work: tuple[Sequence[str], dict[str, dict[str, Any]]], _step: object) -> _Batch:
    names, known = work
    files = ((name, partial(request.read or partial(_read_below, request.folder), name)) for name in names)
    return _embedded(files, known, make_encoder(request.encoder, request.settings))


def _read_below(folder: Path, name: str) -> bytes:
    return read_bytes(folder / name, LARGEST_FILE)


def _embedded(
    files: Iterable[tuple[str, Callable[[], bytes]]], known: Mapping[str, dict[str, Any]], encoder: Any
) -> _Batch:
    """The rows of some images, taken from `known` if the content is the same.

    files: the name of each, and what reads it. An image is read, decoded, encoded and dropped before ALIVE pixels of
    others are decoded, so the memory needed does not depend on the number of images.
    """
    batch, waiting, alive = _Batch([], [], []), list[Picture](), 0
    for name, read in files:
        try:
            content = read()
            digest = sha256_bytes(content)
            if name in known and known[name]["sha256"] == digest:
                batch.rows.append(known[name])
                continue
            picture = decode(content, name)
        except InvalidInput as error:
            batch.failures.append(f"{name}: {error.problem}")
            continue
        size = {"width": picture.width, "height": picture.height, "bytes": len(content), "format": picture.format}
        batch.rows.append({"filename": name, "sha256": digest, **size})
        batch.warnings.extend([picture.warning] if picture.warning else [])
        waiting.append(picture)
        alive += picture.width * picture.height
        if alive > ALIVE:
            _encode(batch, waiting, encoder)
            alive = 0
    _encode(batch, waiting, encoder)
    return batch


def _encode(batch: _Batch, waiting: list[Picture], encoder: Any) -> None:
    """Adds the vectors of the waiting images to their rows, which are those without a vector, and drops the images."""
    if not waiting:
        return
    with thread_pools().limit(limits=1):
        vectors = encoder.encode([picture.pixels for picture in waiting])
    if not np.isfinite(vectors).all():
        raise InvalidInput(f"encoder {encoder.identity.split()[0]}", "it returns NaN or infinity", "check the model")
    for row, vector in zip([row for row in batch.rows if "encoding" not in row], vectors, strict=True):
        row["encoding"] = vector
    waiting.clear()


def _judge(request: Request, failures: list[str], total: int, reporter: Reporter) -> None:
    if failures and request.on_undecodable == "error":
        raise InvalidInput(
            request.folder,
            f"some files cannot be decoded ({first_three(failures)})",
            "repair or remove them, or pass --on-undecodable=skip",
        )
    for line in failures:
        reporter.warn(f"skipped: {line}")
    if len(failures) == total:
        raise InvalidInput(request.folder, "no file in it can be decoded", "give the folder that contains the images")


def _known_rows(output: Path, parts: Path, identity: str) -> dict[str, dict[str, Any]]:
    """The rows of an earlier run, complete or not, with the same encoder."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows: dict[str, dict[str, Any]] = {}
    for path in [output, *sorted(parts.glob("*.parquet"))]:
        try:
            table = pq.read_table(path) if path.exists() else None
        except (OSError, UnicodeDecodeError, pa.ArrowException):
            continue
        if table is not None and (table.schema.metadata or {}).get(_IDENTITY) == identity.encode():
            vectors = vectors_of(path, table, "encoding")
            named = table.drop_columns(["encoding"]).to_pylist()
            rows.update(
                (row["filename"], {**row, "encoding": vector}) for row, vector in zip(named, vectors, strict=True)
            )
    return rows


def _table_bytes(rows: Sequence[dict[str, Any]], identity: str) -> bytes:
    import pyarrow as pa

    types = {
        "filename": pa.string(),
        "encoding": None,
        "sha256": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "bytes": pa.int64(),
        "format": pa.string(),
    }
    matrix = np.stack([np.asarray(row["encoding"], dtype=np.float32) for row in rows])
    columns = {
        name: list_column(matrix) if kind is None else pa.array([row[name] for row in rows], kind)
        for name, kind in types.items()
    }
    return parquet_bytes(columns, {_IDENTITY: identity.encode()})


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
