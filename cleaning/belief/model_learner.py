"""A base learner that is not ours: out-of-sample probabilities of the user's own model."""

import numpy as np

from cleaning.belief.base_learners import standardised
from cleaning.data import FloatMatrix

# Networks are too sure: below this, a smaller probability says little more.
_FLOOR = 1e-4
# Differences in logits up to this are rounding.
ROUNDING = 1e-6


def log_scores(probabilities: FloatMatrix) -> FloatMatrix:
    """(1, m, K) standardised log-probabilities; all 0 if every row has the same probability for every class."""
    logs = log_probabilities(probabilities)
    told = np.ptp(logs, axis=1).max(initial=0.0) > ROUNDING
    return standardised(logs[None]) if told else np.zeros((1, *logs.shape))


def log_probabilities(probabilities: FloatMatrix) -> FloatMatrix:
    """The logarithms of (m, K) probabilities, with a floor."""
    shares = np.maximum(probabilities.astype(np.float64), 0) + 1e-300
    return np.asarray(np.log(np.maximum(shares / shares.sum(axis=1, keepdims=True), _FLOOR)))
