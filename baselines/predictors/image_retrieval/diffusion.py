"""Retrieval by diffusion on the neighbour graph of the references, for up to 10,000 references."""

import numpy as np
import scipy.sparse as sp

from cleaning.data import Single
from cleaning.errors import Unsuitable
from cleaning.problems import RetrievalProblem
from cleaning.progress import Progress, silent
from cleaning.vectors.search import Ranks, column_means, largest, most_similar, unit_directions

# The size up to which the task description recommends diffusion.
LARGEST = 10_000
_BLOCK = 256
# Of the residual, relative to the right side.
_TOLERANCE, _MOST_STEPS = 1e-6, 500


def predict(
    problem: RetrievalProblem,
    *,
    rng: np.random.Generator,
    progress: Progress = silent,
    neighbours: int = 20,
    entries: int = 10,
    decay: float = 0.99,
    power: float = 3.0,
    mutual: bool = True,
) -> Ranks:
    """Reference rows (q, depth) by (I - decay · S)⁻¹ y, the largest first.

    S is the symmetrically normalised graph between each reference and its nearest `neighbours`, weighted by positive
    centred cosines to the power `power`. With `mutual`, only mutual neighbours are kept. y holds the query's `entries`
    nearest references. Source: Iscen et al. 2017, Efficient Diffusion on Region Manifolds, equations 1 to 6. Raises
    Unsuitable for more than 10,000 references.
    """
    if len(problem.references) > LARGEST:
        raise Unsuitable(f"diffusion is for up to {LARGEST} references, but there are {len(problem.references)}")
    mean = column_means(problem.references)
    queries, references = unit_directions(problem.queries, mean), unit_directions(problem.references, mean)
    system = _system(references, neighbours, decay, power, mutual=mutual)
    values, rows = most_similar(queries, references, entries)
    weights = np.maximum(values, 0).astype(np.float64) ** power
    depth = min(problem.depth, len(references))
    ranks = np.empty((len(queries), depth), dtype=np.int32)
    for start in range(0, len(queries), _BLOCK):
        part = slice(start, start + _BLOCK)
        state = np.zeros((len(rows[part]), len(references)))
        np.put_along_axis(state, rows[part].astype(np.int64), weights[part], axis=1)
        ranks[part] = largest(_solved(system, state.T).T.astype(np.float32), depth)[1]
        progress(min(start + _BLOCK, len(queries)), len(queries), "queries")
    return ranks


def _system(references: Single, neighbours: int, decay: float, power: float, *, mutual: bool) -> sp.csr_array:
    """I - decay · D^(-1/2) W D^(-1/2), (r, r) sparse."""
    count = len(references)
    values, rows = most_similar(references, references, neighbours + 1)
    source = np.repeat(np.arange(count), rows.shape[1])
    weight = np.maximum(values, 0).astype(np.float64).ravel() ** power
    weight[rows.ravel() == source] = 0.0
    graph = sp.csr_array((weight, (source, rows.ravel().astype(np.int64))), shape=(count, count))
    graph = graph.minimum(graph.T) if mutual else graph.maximum(graph.T)
    degree: np.ndarray = np.asarray(graph.sum(axis=1)).ravel()
    scale = sp.diags_array(1.0 / np.sqrt(np.where(degree > 0, degree, 1.0)))
    return sp.csr_array(sp.eye_array(count) - decay * (scale @ graph @ scale))


def _solved(system: sp.csr_array, right: np.ndarray) -> np.ndarray:
    """system⁻¹ right, (r, b), by conjugate gradients on all columns at once; the system is positive definite."""
    solution = np.zeros_like(right)
    residual = right.copy()
    direction = residual.copy()
    energy = np.einsum("ij,ij->j", residual, residual)
    goal = _TOLERANCE**2 * energy
    for _ in range(_MOST_STEPS):
        if (energy <= goal).all():
            break
        image = system @ direction
        curvature = np.einsum("ij,ij->j", direction, image)
        length = energy / np.where(curvature > 0, curvature, 1.0)
        solution += length * direction
        residual -= length * image
        renewed = np.einsum("ij,ij->j", residual, residual)
        direction = residual + (renewed / np.where(energy > 0, energy, 1.0)) * direction
        energy = renewed
    return solution
