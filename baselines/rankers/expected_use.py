"""Ours, recommended: first the fixes that should help the retrained model most, by posterior and expected use."""

from collections.abc import Mapping

import numpy as np

from cleaning import Ranking, Split, inspection_order, label_posterior, next_round


def rank(
    train: Split,
    validation: Split | None,
    *,
    rng: np.random.Generator,
    checked: Mapping[int, int] | None = None,
) -> Ranking:
    """The order of expected use. It is a Ranking because it looks ahead, so no single score sorts into it.

    `label_posterior` estimates what each fix would change, and a ridge classifier what that change is worth.
    Works with and without validation rows. Checked rows teach, and stand at the end.
    """
    posterior = label_posterior(train, validation, rng=rng)
    if not checked:
        return inspection_order(posterior, train, validation)
    return Ranking(np.append(next_round(posterior, checked).order, sorted(checked)))
