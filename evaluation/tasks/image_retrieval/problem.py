"""Retrieval: query.parquet, reference.parquet and an optional train_data.parquet.

Ids are file names without the last suffix.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cleaning import Split
from cleaning.problems import RetrievalProblem
from evaluation.contract.problem import Loaded, ProblemFiles
from evaluation.embedding.tables import read_embeddings
from evaluation.submissions.ranked_lists import DEPTH, as_json, as_npz


def load(folder: Path) -> Loaded:
    """The problem, and (query ids, reference ids), with the reference ids in ascending order."""
    queries, references = (read_embeddings(folder / f"{part}.parquet") for part in ("query", "reference"))
    query_ids = queries.stems(folder / "query.parquet")
    reference_ids = references.stems(folder / "reference.parquet")
    order = sorted(range(len(reference_ids)), key=reference_ids.__getitem__)
    train = folder / "train_data.parquet"
    problem = RetrievalProblem(
        queries.features, references.features[order], DEPTH, _products(train) if train.exists() else None
    )
    return Loaded(problem, (query_ids, tuple(reference_ids[row] for row in order)))


def content(ranks: Any, loaded: Loaded) -> Iterator[bytes]:
    """The lists in the challenge's JSON format, in chunks."""
    queries, references = loaded.names
    return as_json(queries, references, ranks)


def _compact(ranks: Any, loaded: Loaded) -> bytes:
    """The lists as an npz file."""
    queries, references = loaded.names
    return as_npz(queries, references, ranks)


def _products(path: Path) -> Split:
    pictures = read_embeddings(path)
    products, labels = np.unique(np.asarray(pictures.folders(), dtype=str), return_inverse=True)
    return Split(pictures.features, labels.astype(np.int64) if len(products) else labels, pictures.names)


PROBLEM = ProblemFiles(".json", load, content, others={".npz": _compact})
