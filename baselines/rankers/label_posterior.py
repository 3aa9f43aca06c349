"""Ours, by suspicion: noise-aware posterior of the true labels, from closed-form learners stacked by EM."""

from collections.abc import Mapping

import numpy as np

from cleaning.belief.posterior import label_posterior
from cleaning.data import FloatVector, Split
from cleaning.review import beliefs_after


def rank(
    train: Split,
    validation: Split | None,
    *,
    rng: np.random.Generator,
    checked: Mapping[int, int] | None = None,
) -> FloatVector:
    """P(the given label is right), (n,) in [0, 1]; works with and without validation rows.

    `cleaning.label_posterior` gives the whole posterior: suggested labels, noise matrix, number of wrong labels.
    """
    if not checked:
        return label_posterior(train, validation, rng=rng).quality
    quality = np.array([float(checked.get(row) == given) for row, given in enumerate(train.labels.tolist())])
    if len(checked) < len(train):
        still, posterior = beliefs_after(train, validation, checked)
        quality[still] = posterior.quality
    return quality
