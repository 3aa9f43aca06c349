"""What checked rows show of the beliefs: how far off these were, for all rows together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from cleaning.belief.basis import Basis
from cleaning.belief.count import Count
from cleaning.belief.stacking import given_votes, guessed_share
from cleaning.data import FloatMatrix, FloatVector
from cleaning.intervals import DEVIATIONS_90

# No suspicion is nearer to 0 or 1 than this where its logit is needed.
_SURE = 1e-6
# The prior deviation of the shift, in logits, and of a slope beside it.
_PRIOR, _SLOPE = 1.0, 0.2
# So many steps of Newton's method, in which no coefficient moves by more than this.
_STEPS, _LONGEST = 30, 1.0


@dataclass(frozen=True, eq=False)
class Shift:
    """What has to be added to the logit of every suspicion, and its standard deviation.

    line (2,): intercept and slope of the right logit by the believed one, where the slope need not be 1; covariance
    (2, 2): of these.
    """

    by: float
    deviation: float
    line: FloatVector
    covariance: FloatMatrix

    def of(self, suspicion: FloatVector, more: float = 0.0) -> FloatVector:
        """The suspicion, shifted, and by so many deviations more."""
        q = np.clip(suspicion, _SURE, 1 - _SURE)
        return np.asarray(expit(logit(q) + self.by + more * self.deviation))

    def counted(self, suspicion: FloatVector, count: Count, weights: FloatVector | None = None) -> Count:
        """The number of wrong labels among rows that are not checked, by their shifted suspicion (n,).

        weights (n,): how many rows each stands for; default: 1. The interval is that of `count`, or wider. Where rows
        were checked by their suspicion, they tell of the suspicious ones; that the others are off by the same shift is
        an assumption. So the interval also covers logits that are off by a line.
        """
        weights = np.ones(len(suspicion)) if weights is None else weights
        sides = 0.0, -DEVIATIONS_90, DEVIATIONS_90
        expected, less, more = (_weighted(weights, self.of(suspicion, side)) for side in sides)
        rest = _points(suspicion)
        spread = np.sqrt(np.einsum("ij,jk,ik->i", rest, self.covariance, rest))
        ends = [_weighted(weights, expit(rest @ self.line + side * spread)) for side in sides[1:]]
        low, high = min(count.low, less, ends[0]), min(max(count.high, more, ends[1]), float(weights.sum()))
        return Count(expected, float(np.floor(low)), float(np.ceil(high)))


def _weighted(weights: FloatVector, shares: FloatVector) -> float:
    return float(np.sort(weights * shares).sum())  # sorted, so that the order of the rows does not change the rounding


def shift_of(basis: Basis) -> Shift | None:
    """The shift that is shown by the rows that were checked; None without any.

    Each of them was suspicious by the features and labels of the other rows, and by its own label before the check.
    """
    evidence, stack = basis.evidence, basis.stack
    if not evidence.checked or evidence.n_classes == 1:
        return None
    said, n_classes = evidence.before, evidence.n_classes
    first = len(evidence) - evidence.checked
    before = stack.before_label(basis.scores[:, first:])
    belief = given_votes(before, stack.row_noise, said, guessed_share(n_classes))
    given = said.reshape(len(said), -1, n_classes).sum(axis=1).argmax(axis=1)
    return shown_by(1 - belief[np.arange(len(said)), given], evidence.votes[first:].argmax(axis=1) != given)


def shown_by(suspicion: FloatVector, wrong: NDArray[np.bool_]) -> Shift:
    """The most probable shift, given what was found.

    suspicion (c,): P(the label is wrong) of each checked row before its check. wrong (c,): whether it was.

    If more of them are wrong than these suspicions say, then labels are wrong more often than the noise model thinks,
    as where annotators err on ambiguous rows. The prior of the shift is normal, with mean 0 and deviation 1; that of
    the line has mean (0, 1) and deviations 1 and 0.2.
    """
    points = _points(suspicion)
    one, variance = _fitted(np.ones((len(points), 1)), points[:, 1], wrong, np.zeros(1), np.array([_PRIOR]))
    line, covariance = _fitted(points, np.zeros(len(points)), wrong, np.array([0.0, 1.0]), np.array([_PRIOR, _SLOPE]))
    return Shift(float(one[0]), float(np.sqrt(variance[0, 0])), line, covariance)


def _fitted(
    points: FloatMatrix, offset: FloatVector, wrong: NDArray[np.bool_], mean: FloatVector, deviation: FloatVector
) -> tuple[FloatVector, FloatMatrix]:
    """The most probable coefficients (p,) of a logistic regression with a normal prior, and their covariance (p, p)."""
    prior, found = np.diag(deviation**-2.0), mean
    precision = prior
    for _ in range(_STEPS):
        expected = expit(offset + points @ found)
        precision = (points * (expected * (1 - expected))[:, None]).T @ points + prior
        step = np.linalg.solve(precision, points.T @ (wrong - expected) - prior @ (found - mean))
        found = found + step * min(1.0, _LONGEST / max(float(np.abs(step).max()), 1e-12))
    return found, np.linalg.inv(precision)


def _points(suspicion: FloatVector) -> NDArray[np.float64]:
    logits = logit(np.clip(suspicion, _SURE, 1 - _SURE))
    return np.stack([np.ones(len(logits)), logits], axis=1)
