"""`fixfirst retrieve QUERY REFERENCE --output=FILE`: writes the nearest references of every query as a submission."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cleaning.data import FloatMatrix, checked_features
from cleaning.errors import InvalidInput, Place, count_of, first_three
from cleaning.vectors.search import Ranks, comparable, most_similar
from evaluation.embedding.tables import read_embeddings
from evaluation.files.names import checked_name
from evaluation.files.npy import read_npy
from evaluation.files.outputs import refuse_output
from evaluation.files.progress import Reporter
from evaluation.files.whole import read_text, write_whole
from evaluation.submissions.ranked_lists import DEPTH, as_json, as_npz
from evaluation.submissions.time_files import time_of_answer, write_seconds

_FORMS: dict[str, Callable[[Sequence[str], Sequence[str], Ranks], bytes | Iterable[bytes]]] = {
    ".json": as_json,
    ".npz": as_npz,
}


@dataclass(frozen=True)
class Request:
    """The two tables of vectors, the output (.json or .npz), the similarity metric, and the length of each list."""

    queries: Path
    references: Path
    output: Path
    metric: str = "cosine"
    depth: int = DEPTH


def retrieve(request: Request, reporter: Reporter) -> tuple[int, int]:
    """Writes the lists and, beside them, the seconds the search took; returns the number of queries and references.

    Ties are broken by ascending reference id. For NaN, a zero vector, a duplicate id or different widths it raises
    InvalidInput that names the file, row and value, and writes nothing.
    """
    tables = (request.queries, request.references)
    refuse_output(
        request.output, _FORMS, [*tables, *(path.with_suffix(".txt") for path in tables if path.suffix == ".npy")]
    )
    if request.depth < 1:
        raise InvalidInput("--depth", f"it is {request.depth}", "list at least one reference per query")
    query_ids, queries = _read_vectors(request.queries)
    reference_ids, references = _read_vectors(request.references)
    order = sorted(range(len(reference_ids)), key=reference_ids.__getitem__)
    reference_ids = tuple(reference_ids[row] for row in order)
    started = time.perf_counter()
    rows, others = _comparable(request, (query_ids, queries), (reference_ids, references[order]))
    with reporter.track("retrieve", "queries") as progress:
        ranks = most_similar(rows, others, request.depth, progress)[1]
    seconds = time.perf_counter() - started
    write_seconds(time_of_answer(request.output), seconds)
    write_whole(request.output, _FORMS[request.output.suffix](query_ids, reference_ids, ranks))
    return len(query_ids), len(reference_ids)


def _read_vectors(path: Path) -> tuple[tuple[str, ...], FloatMatrix]:
    """The ids and vectors (n, d) of a parquet written by `fixfirst embed`, or of NAME.npy with its ids in NAME.txt.

    NAME.txt has one id per line. The ids of a parquet are its file names without folder and last suffix.
    """
    if path.suffix != ".npy":
        table = read_embeddings(path)
        return table.stems(path), table.features
    names = path.with_suffix(".txt")
    lines = enumerate(read_text(names).removesuffix("\n").split("\n"), start=1)
    ids = [checked_name(Place(names, line=number), line) for number, line in lines]
    try:
        matrix = checked_features(read_npy(path))
    except InvalidInput as error:
        raise error.within(path) from None
    if len(ids) != len(matrix):
        problem = f"it has {count_of(len(ids), 'id')} for {count_of(len(matrix), 'row')}"
        raise InvalidInput(names, problem, "write one id per line")
    if len(set(ids)) < len(ids):
        twice = sorted(name for name, count in Counter(ids).items() if count > 1)
        raise InvalidInput(names, f"ids appear more than once ({first_three(twice)})", "keep one of each")
    return tuple(ids), matrix


def _comparable(
    request: Request, queries: tuple[tuple[str, ...], FloatMatrix], references: tuple[tuple[str, ...], FloatMatrix]
) -> tuple[FloatMatrix, FloatMatrix]:
    """Calls `comparable`, with errors that name the file and the id."""
    try:
        return comparable(queries[1], references[1], request.metric)
    except InvalidInput as error:
        path, ids = (
            (request.queries, queries[0]) if error.place.key == "queries" else (request.references, references[0])
        )
        row = error.place.row
        place = Place(path, row=ids[row] if isinstance(row, int) else None)
        raise InvalidInput(place, error.problem, error.fix) from None
