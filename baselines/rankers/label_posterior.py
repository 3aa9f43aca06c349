"""Ours, by suspicion: noise-aware posterior of the true labels, from closed-form learners stacked by EM."""

import numpy as np

from cleaning.belief.posterior import label_posterior
from cleaning.data import FloatVector, Split


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """P(the given label is right), (n,) in [0, 1]; works with and without validation rows.

    `cleaning.label_posterior` gives the whole posterior: suggested labels, noise matrix, number of wrong labels.
    """
    return label_posterior(train, validation, rng=rng).quality
