"""Retrieval by centred cosine after database augmentation (10 neighbours) and α-query expansion (10, α = 3)."""

import numpy as np

from cleaning.data import Single
from cleaning.problems import RetrievalProblem
from cleaning.progress import Progress, silent
from cleaning.vectors.search import Ranks, column_means, most_similar, unit_directions

_BLOCK = 4096


def predict(
    problem: RetrievalProblem,
    *,
    rng: np.random.Generator,
    progress: Progress = silent,
    augmented_by: int = 10,
    expanded_by: int = 10,
    alpha: float = 3.0,
) -> Ranks:
    """Reference rows (q, depth), the most similar first.

    Augmentation replaces a reference by the sum of itself and its neighbours, weighted 10^(-1.5 i / 10) at rank i;
    expansion replaces a query by itself plus its nearest references, weighted by similarity^α.
    Sources: Turcot and Lowe 2009 (augmentation); Radenović, Tolias and Chum 2018, Fine-tuning CNN Image Retrieval with
    No Human Annotation, section 3 (α-query expansion). The exponent of the weights was chosen on the digits.
    """
    mean = column_means(problem.references)
    queries, references = unit_directions(problem.queries, mean), unit_directions(problem.references, mean)
    total = len(references) + 2 * len(queries)

    def after(before: int, note: str) -> Progress:
        return lambda done, _part, _note="": progress(before + done, total, note)

    references = _augmented(references, augmented_by, after(0, "references augmented"))
    queries = _expanded(queries, references, expanded_by, alpha)
    return most_similar(queries, references, problem.depth, after(total - len(queries), "queries"))[1]


def _augmented(references: Single, neighbours: int, progress: Progress = silent) -> Single:
    """Unit rows (r, d): each reference plus its neighbours, weighted by rank; the reference itself has rank 0."""
    _, rows = most_similar(references, references, neighbours + 1, progress)
    weights = np.logspace(0, -1.5, neighbours + 1)[: rows.shape[1]].astype(np.float32)
    return unit_directions(_weighted(references, rows, np.broadcast_to(weights, rows.shape)))


def _expanded(queries: Single, references: Single, neighbours: int, alpha: float) -> Single:
    """Unit rows (q, d): each query plus its nearest references, weighted by their similarity to the power α."""
    values, rows = most_similar(queries, references, neighbours)
    weights = np.maximum(values, 0) ** np.float32(alpha)
    return unit_directions(queries + _weighted(references, rows, weights))


def _weighted(references: Single, rows: Ranks, weights: Single) -> Single:
    """Σ weightᵢ · reference(rowᵢ) for each row of neighbours."""
    total = np.empty((len(rows), references.shape[1]), dtype=np.float32)
    for start in range(0, len(rows), _BLOCK):
        part = slice(start, start + _BLOCK)
        total[part] = np.einsum("nk,nkd->nd", weights[part], references[rows[part]], optimize=True)
    return total
