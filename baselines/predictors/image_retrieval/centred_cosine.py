"""Retrieval by cosine similarity after subtracting the mean of the references."""

import numpy as np

from cleaning.problems import RetrievalProblem
from cleaning.progress import Progress, silent
from cleaning.vectors.search import Ranks, column_means, most_similar, unit_directions


def predict(problem: RetrievalProblem, *, rng: np.random.Generator, progress: Progress = silent) -> Ranks:
    """Reference rows (q, depth), the most similar first."""
    mean = column_means(problem.references)
    queries, references = unit_directions(problem.queries, mean), unit_directions(problem.references, mean)
    return most_similar(queries, references, problem.depth, progress)[1]
