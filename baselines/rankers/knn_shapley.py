"""KNN-Shapley (K = 10, cosine): exact Shapley value of each training row for nearest-neighbour validation accuracy."""

import numpy as np

from cleaning.data import FloatVector, Split
from cleaning.errors import Unsuitable
from cleaning.vectors.neighbours import knn_shapley, unit_rows

_NEIGHBOURS = 10


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Mean Shapley value over the validation rows, (n,), low for rows that hurt their neighbourhood."""
    if validation is None or not len(validation):
        raise Unsuitable("it needs clean validation labels, but this data id has none")
    features, queries = (unit_rows(split.features.astype(np.float64)) for split in (train, validation))
    return knn_shapley(features, train.labels, queries, validation.labels, _NEIGHBOURS)
