"""Ours, recommended: the fixes that should help the retrained model most first, by posterior and expected use."""

import numpy as np

from cleaning import Ranking, Split, inspection_order, label_posterior


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> Ranking:
    """The order of expected use, a Ranking (it looks ahead: no single score sorts into it).

    The posterior of `label_posterior` says what each fix would change, a ridge classifier what that change is worth.
    Works with and without validation rows.
    """
    return inspection_order(label_posterior(train, validation, rng=rng), train, validation)
