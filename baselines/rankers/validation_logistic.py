"""Logistic regression fitted on the clean validation rows: its probability of the given label."""

import numpy as np

from cleaning.data import FloatVector, Split, class_count
from cleaning.errors import Unsuitable
from cleaning.vectors.folds import class_probabilities
from cleaning.vectors.logistic import span_of_rows


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Label-quality scores p(given label), (n,) in [0, 1]; a class absent from validation gets probability 0."""
    if validation is None or not len(validation):
        raise Unsuitable("it needs clean validation labels, but this data id has none")
    fitted, judged = span_of_rows(validation.features.astype(np.float64), train.features.astype(np.float64))
    probabilities = class_probabilities(fitted, validation.labels, judged, class_count(train, validation), 1.0)
    return np.asarray(probabilities[np.arange(len(train)), train.labels], dtype=np.float64)
