"""The names of classes that are stored as numbers, in the metadata that Hugging Face's datasets write."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from cleaning.errors import FixfirstError, Place
from evaluation.files.json import parse_json


def class_names_in(path: Path, columns: Iterable[str], metadata: Mapping[bytes, bytes]) -> dict[str, list[str]]:
    """The names of the classes of columns; whatever else is in the metadata is ignored."""
    try:
        content = parse_json(metadata.get(b"huggingface", b"{}").decode(), Place(path))
        features = content["info"]["features"]
        found = {name: features[name].get("names") for name in columns if isinstance(features.get(name), dict)}
    except (FixfirstError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return {}
    return {name: list(names or ()) for name, names in found.items() if _are_names(names)}


def _are_names(names: object) -> bool:
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        return False
    return len(set(names)) == len(names)
