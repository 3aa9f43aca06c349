"""Four query photographs, and six reference photographs of the same three products."""

import json
from pathlib import Path

from evaluation.contract.example import Example
from evaluation.files.whole import write_text

_TRUTH = {
    "query": {"q1": "cup", "q2": "lamp", "q3": "chair", "q4": "cup"},
    "reference": {"r1": "cup", "r2": "cup", "r3": "lamp", "r4": "lamp", "r5": "chair", "r6": "chair"},
}
_LISTS = {
    "q1": ["r1", "r2", "r3", "r4", "r5", "r6"],
    "q2": ["r3", "r1", "r4", "r2", "r5", "r6"],
    "q3": ["r2", "r5", "r6", "r1", "r3", "r4"],
    "q4": ["r2", "r1", "r6", "r5", "r4", "r3"],
}


def write(embeddings: Path, data: Path) -> Example:
    """Writes truth.json. The broken submission lists a reference twice; the challenge disqualified teams for this."""
    write_text(data / "example" / "truth.json", json.dumps(_TRUTH) + "\n")
    broken = {**_LISTS, "q3": ["r5", "r5", "r6", "r1", "r3", "r4"]}
    split = {"split": {"public": 0.5, "salt": "keep this to yourself"}}
    return Example(".json", _text(_LISTS), _text(broken), split)


def _text(lists: dict[str, list[str]]) -> str:
    return json.dumps([[number, [query, names]] for number, (query, names) in enumerate(lists.items())]) + "\n"
