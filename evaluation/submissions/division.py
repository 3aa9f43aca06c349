"""The division of a submission file: `.{name}.division` beside it, if its algorithm was handed in and run here."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from cleaning.errors import FixfirstError, Place
from evaluation.files.json import parse_json
from evaluation.files.whole import read_text, write_text

_LARGEST = 10_000
_FIELDS = ("engine", "code_sha256")


def write_division(path: Path, engine: str, code_sha256: str) -> None:
    """Notes that a submission file was made in a sandbox, by which engine, and the hash of the code."""
    write_text(division_path(path), json.dumps({"engine": engine, "code_sha256": code_sha256}) + "\n")


def read_division(path: Path) -> dict[str, Any]:
    """The fields of a record that tell the division of a submission file; none for the open division."""
    note = division_path(path)
    with suppress(FixfirstError):
        found = parse_json(read_text(note, _LARGEST), Place(note)) if note.is_file() else None
        if isinstance(found, dict) and all(isinstance(found.get(name), str) for name in _FIELDS):
            return {"division": "closed", **{name: found[name] for name in _FIELDS}}
    return {}


def division_path(path: Path) -> Path:
    """Where the note about a submission file is."""
    return path.with_name(f".{path.name}.division")
