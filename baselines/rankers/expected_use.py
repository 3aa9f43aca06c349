"""Ours, recommended: the fixes that should help the retrained model most first, by posterior and expected use."""

import numpy as np

from cleaning.belief.order_of_use import Beliefs, order_by_use
from cleaning.belief.posterior import Posterior, label_posterior
from cleaning.data import IntVector, Split
from cleaning.ranking import Ranking

_TRUST = 0.5


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> Ranking:
    """The order of expected use, a Ranking (it looks ahead: no single score sorts into it).

    The posterior of `label_posterior` says what each fix would change, a ridge classifier what that change is worth.
    Works with and without validation rows.
    """
    return Ranking(order_of(label_posterior(train, validation, rng=rng), train, validation))


def order_of(posterior: Posterior, train: Split, validation: Split | None) -> IntVector:
    """Row numbers (n,) in the order of expected use under a posterior of just these rows that is known already."""
    checked = posterior.validation
    if validation is not None and len(validation):
        # half the label, half the belief: hard examples of the few clean rows should not steer the order alone
        checked = _TRUST * np.eye(checked.shape[1])[validation.labels] + (1 - _TRUST) * checked
    return order_by_use(train, validation, Beliefs(posterior.probabilities, posterior.before_label, checked))
