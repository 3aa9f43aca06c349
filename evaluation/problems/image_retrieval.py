"""Retrieval: train_data.parquet (optional), query.parquet and reference.parquet; ids are names without last suffix."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from cleaning import Split
from cleaning.problems import RetrievalProblem
from evaluation.embeddings import read_embeddings
from evaluation.problem import Loaded, ProblemFiles

DEPTH = 1000
"""References listed for each query."""


def load(folder: Path) -> Loaded:
    """The problem, and (query ids, reference ids), the latter in ascending order."""
    queries, references = (read_embeddings(folder / f"{part}.parquet") for part in ("query", "reference"))
    query_ids = queries.stems(folder / "query.parquet")
    reference_ids = references.stems(folder / "reference.parquet")
    order = sorted(range(len(reference_ids)), key=reference_ids.__getitem__)
    train = folder / "train_data.parquet"
    problem = RetrievalProblem(
        queries.features, references.features[order], DEPTH, _products(train) if train.exists() else None
    )
    return Loaded(problem, (query_ids, tuple(reference_ids[row] for row in order)))


def content(ranks: Any, loaded: Loaded) -> bytes:
    """[[number, [query id, [reference ids, best first]]], …] as JSON, a line a query."""
    query_ids, reference_ids = loaded.names
    names = np.asarray(reference_ids, dtype=object)
    lines = [
        json.dumps([number, [query, names[row].tolist()]], ensure_ascii=False, separators=(",", ":"))
        for number, (query, row) in enumerate(zip(query_ids, ranks, strict=True))
    ]
    return ("[" + ",\n".join(lines) + "]\n").encode()


def _products(path: Path) -> Split:
    pictures = read_embeddings(path)
    products, labels = np.unique(np.asarray(pictures.folders(), dtype=str), return_inverse=True)
    return Split(pictures.features, labels.astype(np.int64) if len(products) else labels, pictures.names)


PROBLEM = ProblemFiles(".json", load, content)
