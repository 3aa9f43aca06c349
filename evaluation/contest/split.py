"""The public and private parts of a ground truth, chosen by a salted hash of each id or by a given list of ids."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cleaning.errors import InvalidInput, Place, count_of, data_at_fault, first_three, suggest
from evaluation.contract.record import Board
from evaluation.contract.task import Case
from evaluation.files.names import composed
from evaluation.files.whole import read_text


def boards(
    case: Case, groups: Mapping[str, Sequence[str]], measure: Callable[[Sequence[str]], Board]
) -> dict[str, Board]:
    """The public and the private board of a case; empty if it is not split.

    Each group of ids is split separately, so that all have the same public share. measure: computes the metrics and
    denominators of the given ids. Raises BadData for an empty part and for an invalid list of ids.
    """
    setting = case.split
    if setting is None:
        return {}
    folder = case.folders.groundtruth_folder / case.dataset
    everything = [name for names in groups.values() for name in names]
    with data_at_fault():
        public = _public(folder, setting, groups)
    return {
        "public": measure([name for name in everything if name in public]),
        "private": measure([name for name in everything if name not in public]),
    }


def _public(folder: Path, setting: Mapping[str, Any], groups: Mapping[str, Sequence[str]]) -> set[str]:
    """The ids of the public part. Raises InvalidInput if the public or the private part of a group is empty."""
    everything = [name for names in groups.values() for name in names]
    listed = _listed(folder / setting["file"], everything) if "file" in setting else None
    public: set[str] = set()
    for group, names in groups.items():
        chosen = hashed(names, **setting) if listed is None else listed & set(names)
        if not 0 < len(chosen) < len(names):
            part = "private" if chosen else "public"
            raise InvalidInput(
                f"{folder}{group and ', '}{group}",
                f"the {part} part of its {count_of(len(names), 'id')} is empty",
                "change `split:` of the data set in parameters.yaml, or write `split: {enabled: false}`",
            )
        public |= chosen
    return public


def hashed(names: Sequence[str], public: float, salt: str) -> set[str]:
    """A share `public` of the ids, rounded to the nearest whole number: those with the lowest sha256 of "salt:id"."""
    order = sorted(names, key=lambda name: hashlib.sha256(f"{salt}:{name}".encode()).digest())
    return set(order[: int(public * len(order) + 0.5)])


def _listed(path: Path, known: Sequence[str]) -> set[str]:
    names = [composed(line) for line in read_text(path).split("\n") if line]
    expected, seen = set(known), set[str]()
    for number, name in enumerate(names, start=1):
        if name in seen:
            raise InvalidInput(Place(path, line=number), f"{name!r} appears twice", "list each id once")
        seen.add(name)
    unknown = [name for name in names if name not in expected]
    if unknown:
        raise InvalidInput(
            path, f"some ids are not in the ground truth ({first_three(unknown)})", suggest(unknown[0], known[:1000])
        )
    return seen
