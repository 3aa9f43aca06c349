"""The class names of a data set, DATASET/classes.json; predictors and scoring read them with the same code."""

from pathlib import Path

from cleaning.errors import InvalidInput
from evaluation.files.json import read_json
from evaluation.files.names import composed


def read_classes(path: Path) -> tuple[str, ...]:
    """The class names; the position of a name is its class number. Raises InvalidInput if it is not a list of names."""
    classes = read_json(path)
    if not isinstance(classes, list) or not classes:
        raise InvalidInput(path, "this is not a list of names", 'write ["first class", "second class"]')
    odd = [number for number, name in enumerate(classes) if not isinstance(name, str)]
    if odd:
        raise InvalidInput(path, f"class {odd[0]} is {classes[odd[0]]!r}, not a name", "write every name in quotes")
    return tuple(map(composed, classes))
