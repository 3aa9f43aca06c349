"""Ours, recommended: first the fixes that should help the retrained model most, by posterior and expected use."""

from collections.abc import Mapping

import numpy as np

from cleaning import Ranking, Split, inspection_order, label_posterior
from cleaning.review import beliefs_after


def rank(
    train: Split,
    validation: Split | None,
    *,
    rng: np.random.Generator,
    checked: Mapping[int, int] | None = None,
) -> Ranking:
    """The order of expected use. It is a Ranking because it looks ahead, so no single score sorts into it.

    `label_posterior` estimates what each fix would change, and a ridge classifier what that change is worth.
    Works with and without validation rows. Checked rows teach, and come last.
    """
    if not checked:
        return inspection_order(label_posterior(train, validation, rng=rng), train, validation)
    fixed = np.array(sorted(checked), dtype=np.int64)
    if len(fixed) == len(train):
        return Ranking(fixed)
    still, posterior = beliefs_after(train, validation, checked)
    order = inspection_order(posterior, train.take(still), validation).order
    return Ranking(np.append(still[order], fixed))
