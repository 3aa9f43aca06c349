"""KNN-Shapley (K = 1, Euclidean): the neighbour method of DataScope, DataPerf's published baseline."""

import numpy as np

from cleaning.data import FloatVector, Split
from cleaning.errors import Unsuitable
from cleaning.vectors.neighbours import knn_shapley

_NEIGHBOURS = 1


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Mean Shapley value over the validation rows, (n,), on the features as given; lower is more suspicious.

    Source: Karlaš et al. 2022, Data Debugging with Shapley Importance over End-to-End Machine Learning Pipelines.
    Without a pipeline, its one-nearest-neighbour values are those of Jia et al. 2019.
    """
    if validation is None or not len(validation):
        raise Unsuitable("it needs clean validation labels, but this data id has none")
    return knn_shapley(train.features, train.labels, validation.features, validation.labels, _NEIGHBOURS)
