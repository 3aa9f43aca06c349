"""Four images of cats and dogs and four of digits, to be classified from the class names alone."""

import json
from pathlib import Path

from evaluation.contract.example import Example
from evaluation.files.whole import write_text

_CLASSES = {"animals": ("кошка", "собака"), "digits": ("ноль", "один", "два")}
_TRUTH = {
    "animals": {"cat-1": 0, "cat-2": 0, "dog-1": 1, "dog-2": 1},
    "digits": {"a": 0, "b": 1, "c": 2, "d.2": 2},
}


def write(embeddings: Path, data: Path) -> Example:
    """Writes truth.json and the class names.

    One of the eight answers is wrong. The broken submission has a class number in quotes.
    """
    for name, classes in _CLASSES.items():
        write_text(data / "example" / name / "classes.json", json.dumps(classes, ensure_ascii=False) + "\n")
    write_text(data / "example" / "truth.json", json.dumps(_TRUTH) + "\n")
    good = {**_TRUTH, "animals": {**_TRUTH["animals"], "dog-2": 0}}
    broken = {**_TRUTH, "digits": {**_TRUTH["digits"], "c": "2"}}
    split = {"split": {"public": 0.5, "salt": "keep this to yourself"}}
    return Example(".json", json.dumps(good) + "\n", json.dumps(broken) + "\n", split)
