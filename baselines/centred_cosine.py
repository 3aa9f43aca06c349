"""Retrieval by cosine similarity after subtracting the mean of the references."""

import numpy as np

from cleaning.problems import Progress, RetrievalProblem, silent
from cleaning.search import Ranks, column_means, nearest, unit_rows

TASK = "image_retrieval"


def predict(problem: RetrievalProblem, *, rng: np.random.Generator, progress: Progress = silent) -> Ranks:
    """Reference rows (q, depth), the most similar first."""
    mean = column_means(problem.references)
    queries, references = unit_rows(problem.queries, mean), unit_rows(problem.references, mean)
    total = len(queries)
    return nearest(queries, references, problem.depth, lambda done: progress(done, total, "queries"))[1]
