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

_SURE = 1e-6
# The prior deviation of the shift, in logits, and of a slope beside it.
_PRIOR, _SLOPE = 1.0, 0.2
_STEPS, _LONGEST = 30, 1.0


@dataclass(frozen=True)
class Shift:
    """What has to be added to the logit of every suspicion, and its standard deviation."""

    by: float
    deviation: float

    def of(self, suspicion: FloatVector, more: float = 0.0) -> FloatVector:
        """The suspicion, shifted, and by so many deviations more."""
        q = np.clip(suspicion, _SURE, 1 - _SURE)
        return np.asarray(expit(logit(q) + self.by + more * self.deviation))

    def counted(self, suspicion: FloatVector, count: Count) -> Count:
        """The number of wrong labels by the shifted suspicion (n,); the interval is that of `count`, or wider."""
        # sorted, so that the order of the rows does not change the rounding
        expected, less, more = (float(np.sort(self.of(suspicion, side * DEVIATIONS_90)).sum()) for side in (0, -1, 1))
        low, high = min(count.low, less), min(max(count.high, more), float(len(suspicion)))
        return Count(expected, float(np.floor(low)), float(np.ceil(high)))


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
    belief = given_votes(before, stack.noise, said, guessed_share(n_classes))
    given = said.reshape(len(said), -1, n_classes).sum(axis=1).argmax(axis=1)
    return shown_by(1 - belief[np.arange(len(said)), given], evidence.votes[first:].argmax(axis=1) != given)


def shown_by(suspicion: FloatVector, wrong: NDArray[np.bool_]) -> Shift:
    """The most probable shift, given what was found.

    suspicion (c,): P(the label is wrong) of each checked row before its check. wrong (c,): whether it was.

    If more of them are wrong than these suspicions say, then labels are wrong more often than the noise model thinks,
    as where annotators err on ambiguous rows. The prior of the shift is normal, with mean 0 and deviation 1.
    """
    q = np.clip(suspicion, _SURE, 1 - _SURE)
    by, precision = 0.0, 1.0
    for _ in range(_STEPS):
        expected = expit(logit(q) + by)
        precision = float((expected * (1 - expected)).sum()) + _PRIOR**-2
        step = (float(wrong.sum() - expected.sum()) - by * _PRIOR**-2) / precision
        by += float(np.clip(step, -_LONGEST, _LONGEST))
    return Shift(by, precision**-0.5)


def between(
    suspicion: FloatVector, wrong: NDArray[np.bool_], others: FloatVector, weights: FloatVector
) -> tuple[float, float]:
    """A 90% interval of the number of wrong labels among others, given what was found.

    suspicion (c,) and wrong (c,): as for `shown_by`. others (n,): P(the label is wrong) of rows that are not checked;
    weights (n,): how many rows each stands for.

    Where rows were checked by their suspicion, they tell of the suspicious ones. That the others are off by the same
    shift is an assumption, so here the logits may also have a slope: a + b · logit, with a prior of mean (0, 1).
    """
    each, rest = (_line(one) for one in (suspicion, others))
    prior, mean = np.diag([_PRIOR**-2, _SLOPE**-2]), np.array([0.0, 1.0])
    found, precision = mean, prior
    for _ in range(_STEPS):
        expected = expit(each @ found)
        precision = (each * (expected * (1 - expected))[:, None]).T @ each + prior
        step = np.linalg.solve(precision, each.T @ (wrong - expected) - prior @ (found - mean))
        found = found + step * min(1.0, _LONGEST / max(float(np.abs(step).max()), 1e-12))
    spread = DEVIATIONS_90 * np.sqrt(np.einsum("ij,jk,ik->i", rest, np.linalg.inv(precision), rest))
    # sorted, so that the order of the rows does not change the rounding
    less, more = (float(np.sort(weights * expit(rest @ found + side * spread)).sum()) for side in (-1, 1))
    return less, more


def _line(suspicion: FloatVector) -> FloatMatrix:
    logits = logit(np.clip(suspicion, _SURE, 1 - _SURE))
    return np.stack([np.ones(len(logits)), logits], axis=1)
