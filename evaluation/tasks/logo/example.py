"""Eight image files: logos of two companies, and other images."""

from collections.abc import Iterable
from pathlib import Path

from evaluation.contract.example import Example
from evaluation.files.whole import write_text

_TRUTH = {
    "1.png": "acme",
    "1.jpg": "acme",
    "2.png": "globex",
    "3.gif": "other",
    "4.svg": "globex",
    "5.png": "acme",
    "6.ico": "other",
    "7.png": "globex",
}


def write(embeddings: Path, data: Path) -> Example:
    """Writes test_labels.csv and labels.txt.

    The broken submission has two rows for one image. In the challenge, converting an animated GIF produced such rows.
    """
    write_text(data / "example" / "test_labels.csv", _text(_TRUTH.items()))
    write_text(data / "example" / "labels.txt", "acme\nglobex\nother\n")
    answers = {**_TRUTH, "3.gif": "acme"}
    split = {"split": {"public": 0.5, "salt": "keep this to yourself"}}
    return Example(".csv", _text(answers.items()), _text([*answers.items(), ("3.gif", "other")]), split)


def _text(rows: Iterable[tuple[str, str]]) -> str:
    return "".join(["file,category\n", *(f"{file},{label}\n" for file, label in rows)])
