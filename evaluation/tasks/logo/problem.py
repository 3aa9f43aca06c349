"""Logo: train.parquet, with names like <label>/<name>.<ext>, and test.parquet, with names like <name>.<ext>.

The labels are those of the training rows.
"""

from pathlib import Path
from typing import Any

import numpy as np

from cleaning import InvalidInput, Split
from cleaning.errors import first_three
from cleaning.problems import LogoProblem
from evaluation.contract.problem import Loaded, ProblemFiles
from evaluation.embedding.tables import read_embeddings
from evaluation.files.csv import csv_text


def load(folder: Path) -> Loaded:
    """The problem, and (test file names, labels), with the labels in ascending order."""
    train, test = read_embeddings(folder / "train.parquet"), read_embeddings(folder / "test.parquet")
    given = train.folders()
    loose = [name for name, label in zip(train.names, given, strict=True) if not label]
    if loose:
        raise InvalidInput(
            folder / "train.parquet",
            f"some names have no label ({first_three(loose)})",
            "embed a folder laid out as <label>/<name>",
        )
    labels = tuple(sorted(set(given)))
    number = {label: place for place, label in enumerate(labels)}
    classes = np.array([number[label] for label in given], dtype=np.int64)
    return Loaded(
        LogoProblem(Split(train.features, classes, train.names), len(labels), test.features), (test.names, labels)
    )


def content(answer: Any, loaded: Loaded) -> bytes:
    """The csv `file,category`, one row per test file with its most likely label (the first one if tied)."""
    names, labels = loaded.names
    rows = zip(names, (labels[place] for place in np.argmax(answer, axis=1)), strict=True)
    return csv_text(("file", "category"), rows).encode()


def probabilities(answer: Any, loaded: Loaded) -> bytes:
    """The csv with `file` and one column per label, at full precision."""
    names, labels = loaded.names
    rows = ((name, *row) for name, row in zip(names, np.asarray(answer).tolist(), strict=True))
    return csv_text(("file", *labels), rows).encode()


PROBLEM = ProblemFiles(".csv", load, content, probabilities)
