"""Ours, recommended: first the fixes that should help the retrained model most, by posterior and expected use."""

import numpy as np

from cleaning import Ranking, Split, inspection_order, label_posterior


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> Ranking:
    """The order of expected use. It is a Ranking because it looks ahead, so no single score sorts into it.

    `label_posterior` estimates what each fix would change, and a ridge classifier what that change is worth.
    Works with and without validation rows.
    """
    return inspection_order(label_posterior(train, validation, rng=rng), train, validation)
