"""Ranked lists of references as one matrix, read from the original's JSON (streamed) or from a compact npz."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.errors import InvalidInput, Place, count_of, first_three
from evaluation.files.json import BLOCK, json_items
from evaluation.files.names import composed
from evaluation.files.npz import read_npz
from evaluation.files.whole import write_whole
from evaluation.submissions.answers import refuse_mismatch

DEPTH = 1000
"""References listed per query; the challenge's number."""
LARGEST_NPZ = 4_000_000_000
"""The most bytes an npz may unpack to."""

_BATCH = 64
_MOST_UNKNOWN = 1000
"""How many unknown queries are read before the file is refused."""
_SHAPE = "write [[0, [query id, [reference ids, best first]]], …]"
_NPZ = "write it with evaluation.submissions.ranked_lists.write_npz"
Ranks = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class RankedLists:
    """Ranked lists of references, one row per query, in the ground truth's order of queries.

    ranks: (queries, depth) reference numbers, best first, −1 after a list's end. answered: (queries,) whether there is
    a list; if not, the row is all −1. cut: (queries,) whether the list was longer than depth. Such a list is checked
    whole and then cut.
    """

    ranks: Ranks
    answered: NDArray[np.bool_]
    cut: NDArray[np.bool_]

    @property
    def n_missing(self) -> int:
        """Queries without a list."""
        return int(np.count_nonzero(~self.answered))

    @property
    def n_cut(self) -> int:
        """Lists that were cut."""
        return int(np.count_nonzero(self.cut))


def read_lists(
    path: Path, queries: Sequence[str], references: Sequence[str], depth: int, *, lenient: bool
) -> RankedLists:
    """Reads and checks a submission, .json or .npz. References are numbered by their position in `references`.

    Raises InvalidInput for an unknown or repeated query or reference, and for missing queries unless lenient.
    """
    number = {name: place for place, name in enumerate(references)}
    row_of = {name: row for row, name in enumerate(queries)}
    ranks = np.full((len(queries), min(depth, len(references))), -1, dtype=np.int32)
    given: dict[str, None] = {}
    answered, cut = np.zeros((2, len(queries)), dtype=np.bool_)
    lists = _npz(path, number, _most_bytes(queries, references)) if path.suffix == ".npz" else _json(path, number)
    for query, found in lists:
        if len(given) > len(queries) + _MOST_UNKNOWN:
            break
        if query in given:
            place = Place(path, key=f"entry {len(given)}")
            raise InvalidInput(place, f"the query {query!r} appears twice", "keep one of them")
        given[query] = None
        if query in row_of:
            row = row_of[query]
            ranks[row, : len(found)] = found[: ranks.shape[1]]
            answered[row], cut[row] = True, len(found) > depth
    refuse_mismatch(path, "queries", given, queries, lenient=lenient)
    return RankedLists(ranks, answered, cut)


def write_npz(path: Path, queries: Sequence[str], references: Sequence[str], ranks: Ranks) -> None:
    """Writes the npz of `as_npz`, whole or not at all."""
    write_whole(path, as_npz(queries, references, ranks))


def as_npz(queries: Sequence[str], references: Sequence[str], ranks: Ranks) -> bytes:
    """An npz of query_ids, reference_ids, ranks and their `digest`. The same arguments give the same bytes.

    ranks: (queries, depth) positions in `references`, best first, −1 after a list's end; stored as int32.
    """
    names, others = np.asarray(queries, dtype=np.str_), np.asarray(references, dtype=np.str_)
    whole = np.ascontiguousarray(ranks, dtype=np.int32)
    sha256 = np.asarray(digest(whole, names, others))
    content = BytesIO()
    np.savez(content, ranks=whole, query_ids=names, reference_ids=others, sha256=sha256)
    return content.getvalue()


def as_json(queries: Sequence[str], references: Sequence[str], ranks: Ranks) -> Iterator[bytes]:
    """Yields [[number, [query id, [reference ids, best first]]], …], one line per query. Arguments as for `as_npz`."""
    names = np.asarray(references, dtype=object)
    for number, (query, row) in enumerate(zip(queries, ranks, strict=True)):
        entry = [number, [query, names[row[row >= 0]].tolist()]]
        text = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
        yield f"{',' if number else '['}\n{text}".encode()
    yield b"\n]\n" if len(queries) else b"[]\n"


def digest(ranks: Ranks, query_ids: NDArray[np.str_], reference_ids: NDArray[np.str_]) -> str:
    """The sha256 of the JSON list [shape of ranks, query ids, reference ids] and then ranks as little-endian int32."""
    head = json.dumps([list(ranks.shape), query_ids.tolist(), reference_ids.tolist()])
    found = hashlib.sha256(head.encode())
    found.update(np.ascontiguousarray(ranks, dtype="<i4").data)
    return found.hexdigest()


def _json(path: Path, number: Mapping[str, int]) -> Iterator[tuple[str, Ranks]]:
    last = np.empty(len(number), dtype=np.int64)
    no_list = InvalidInput(path, "this is not a list of queries", _SHAPE)
    # any layout, every character escaped, and every reference listed; twice, to tell what repeats
    largest = 4 * BLOCK + 2 * sum(12 * len(name) + 32 for name in number)
    entries = enumerate(json_items(path, no_list, largest))
    find = _finder(number)
    while batch := list(islice(entries, _BATCH)):
        pairs = []
        for place, entry in batch:
            match entry:
                case [_, [query, list(names)]]:
                    pairs.append((place, query, names))
                case _:
                    raise InvalidInput(
                        Place(path, key=f"entry {place}"), "this is not [number, [query, references]]", _SHAPE
                    )
        rows = find([names for _, _, names in pairs])
        for (place, query, names), found in zip(pairs, rows, strict=True):
            if type(query) is not str or (found < 0).any() or _repeats(found, last):
                raise _wrong_list(Place(path, key=f"entry {place}"), query, names, number)
            yield composed(query), found


def _finder(number: Mapping[str, int]) -> Callable[[Sequence[Sequence[Any]]], Sequence[Ranks]]:
    """Returns a function that looks up the names of several lists; anything that is not a known name becomes -1.

    pyarrow takes half the time of a dict, because its keys are contiguous in memory.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    known = pa.array(list(number), pa.string())

    def find(lists: Sequence[Sequence[Any]]) -> Sequence[Ranks]:
        try:
            flat = pa.array(list(chain.from_iterable(lists)), pa.string())
        except (pa.ArrowException, UnicodeError):
            return [np.array([_number(name, number) for name in names], np.int32) for names in lists]
        found = pc.fill_null(pc.index_in(flat, value_set=known), -1).to_numpy()
        if (found < 0).any():
            names = pc.utf8_normalize(flat, form="NFC")
            found = pc.fill_null(pc.index_in(names, value_set=known), -1).to_numpy()
        return np.split(found, np.cumsum([len(names) for names in lists])[:-1])

    return find


def _number(name: Any, number: Mapping[str, int]) -> int:
    return number.get(composed(name), -1) if type(name) is str else -1


def _most_bytes(queries: Sequence[str], references: Sequence[str]) -> int:
    """The most bytes that an npz of lists for these queries and references can need.

    numpy pads names to the longest one, with 4 bytes per character; a decomposed name is up to 4 times as long.
    """
    names = sum(16 * len(one) * max(map(len, one), default=0) for one in (queries, references))
    return min(LARGEST_NPZ, 4 * len(queries) * len(references) + names + 100_000)


def _npz(path: Path, number: Mapping[str, int], limit: int) -> Iterator[tuple[str, Ranks]]:
    ranks, query_ids, reference_ids = _arrays(path, limit)
    names, queries = ([composed(name) for name in ids.tolist()] for ids in (reference_ids, query_ids))
    for what in (names, queries):
        twice = [name for name, count in Counter(what).items() if count > 1]
        if twice:
            raise InvalidInput(path, f"some ids appear more than once ({first_three(twice)})", "keep one of each")
    unknown = [name for name in names if name not in number]
    if unknown:
        raise InvalidInput(
            Place(path, key="reference_ids"), f"unknown references ({first_three(unknown)})", "check the ids"
        )
    own = np.array([number[name] for name in names], dtype=np.int32)
    last = np.empty(len(number), dtype=np.int64)
    for place, (query, row) in enumerate(zip(queries, ranks, strict=True)):
        listed = row >= 0
        length = int(np.count_nonzero(listed))
        if not listed[:length].all():
            where = Place(path, key=f"entry {place}, query {query}")
            raise InvalidInput(where, "-1 appears before the end of the list", "pad the list at the end only")
        found = own[row[:length]]
        if _repeats(found, last):
            raise _wrong_list(Place(path, key=f"entry {place}"), query, [names[one] for one in row[:length]], number)
        yield query, found


def _arrays(path: Path, limit: int) -> tuple[Ranks, NDArray[np.str_], NDArray[np.str_]]:
    """The arrays that `write_npz` writes, with types, ranges and hash checked. Pickles are never loaded."""
    wanted = ("ranks", "query_ids", "reference_ids", "sha256")
    found = read_npz(path, wanted, limit, "ranked lists", _NPZ)
    ranks, query_ids, reference_ids = found["ranks"], found["query_ids"], found["reference_ids"]
    if ranks.dtype != np.int32 or ranks.ndim != 2:
        raise InvalidInput(
            Place(path, key="ranks"), f"{ranks.dtype} of shape {ranks.shape}", "write int32, one row per query"
        )
    for name in ("query_ids", "reference_ids"):
        if found[name].dtype.kind != "U" or found[name].ndim != 1:
            raise InvalidInput(Place(path, key=name), f"{found[name].dtype} where names are expected", "store text")
        try:
            found[name].tolist()
        except (ValueError, SystemError):
            raise InvalidInput(Place(path, key=name), "a name is not valid Unicode text", "store text") from None
    if len(ranks) != len(query_ids):
        problem = f"{count_of(len(ranks), 'list')} for {count_of(len(query_ids), 'query')}"
        raise InvalidInput(path, problem, "write one row per query")
    if found["sha256"].shape or str(found["sha256"]) != digest(ranks, query_ids, reference_ids):
        raise InvalidInput(path, "the sha256 does not match the content", _NPZ)
    if ranks.size and (ranks.min() < -1 or ranks.max() >= len(reference_ids)):
        raise InvalidInput(
            Place(path, key="ranks"), "numbers outside reference_ids", "write positions in reference_ids, or -1"
        )
    return ranks, query_ids, reference_ids


def _repeats(found: Ranks, last: NDArray[np.int64]) -> bool:
    """Whether a list repeats a reference: only then does a position differ from the reference's last position.

    last: scratch space, one cell per reference.
    """
    places = np.arange(len(found))
    last[found] = places
    return not np.array_equal(last[found], places)


def _wrong_list(place: Place, query: Any, names: Sequence[Any], number: Mapping[str, int]) -> InvalidInput:
    """The first fault of one list: entries that are not names, then a repeated reference, then unknown references."""
    if type(query) is not str or any(type(name) is not str for name in names):
        return InvalidInput(place, "the query and its references must be names", _SHAPE)
    named = replace(place, key=f"{place.key}, query {query}")
    names = [composed(name) for name in names]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        ranks = [rank for rank, name in enumerate(names, start=1) if name == twice[0]]
        return InvalidInput(
            named,
            f"the reference {twice[0]!r} appears at ranks {ranks[0]} and {ranks[1]} "
            f"(repeated references, {first_three(twice)})",
            "list each reference once",
        )
    unknown = [name for name in names if name not in number]
    return InvalidInput(named, f"unknown references ({first_three(unknown)})", "check the ids")
