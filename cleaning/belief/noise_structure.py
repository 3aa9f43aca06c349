"""How much of a noise matrix's structure the labels show: beyond that, it is made symmetric."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.sparse import csr_array
from scipy.special import log_softmax, logsumexp
from scipy.stats import poisson

from cleaning.belief.shortlist import Shortlist
from cleaning.data import FloatMatrix, FloatVector

# The structure is dropped where it explains this share or less of what it could explain at most, and kept whole from
# the second share on. Chosen with 20 kinds of noise on 300 to 20,000 pictures of clothes in 3, 5 and 10 classes; with
# 100 classes of 5 rows, hardly any structure is shown.
_DROPPED, _KEPT = 0.09, 0.17
# With so many wrong labels per pair of classes, half as much has to be shown, since the matrix is shrunk.
_FEW = 0.4
_LEAST, _MOST_ERRORS = 1e-12, 0.95
# The logarithms of the largest change of scale that is looked for, and of one that is too small to matter.
_FACTOR, _NEAR = 2.0, 1e-6


def as_far_as_shown(
    rows: Shortlist, parameters: FloatVector, ballot: csr_array, noise: FloatMatrix, strength: float
) -> FloatMatrix:
    """The noise matrices (K, A·K), between what was fitted and symmetric noise, with as many wrong labels expected.

    rows, parameters: the noisy rows of a stack, and its weights and offset; ballot (m, A·K): what they were called.
    strength: the pseudo-counts of symmetric noise per class in the fit.

    Where classes overlap, or people err on ambiguous rows, a fit takes the confusions of the classes for habits of
    those who labelled, and rows of classes that are easily confused get too suspicious. What is real shows in the
    likelihood. The gain of the fitted matrix over a symmetric one, per wrong label, less the gain that would be
    expected if the noise were symmetric, is compared with the largest one possible: log(K (K - 1)), where all errors
    are of one kind. The matrix of two classes stays as it is: it has no structure but the error rates of the classes.
    """
    n_classes = len(noise)
    if n_classes == 2:
        return noise
    before = log_softmax(rows.logits(parameters), axis=0)
    share = rows.by_class(np.exp(before)) / before.shape[1]
    voted = ballot.sum(axis=0).reshape(-1, n_classes).sum(axis=1)
    rates = share @ (1 - np.einsum("cac->ca", noise.reshape(n_classes, -1, n_classes)))
    wrong, votes = float(voted @ rates), float(voted.sum())
    plain = np.hstack([np.full_like(noise[:, :n_classes], rate / (n_classes - 1)) for rate in rates])
    plain[np.tile(np.eye(n_classes, dtype=bool), len(rates))] = np.tile(1 - rates, n_classes)
    fitted = _Heard.of(rows, before, ballot, noise)
    gain = fitted.likelihood - _Heard.of(rows, before, ballot, plain).likelihood
    gain -= _by_chance(votes * share, wrong / votes, strength)
    pairs = n_classes * (n_classes - 1)
    shown = gain / wrong / np.log(pairs) * (1 + _FEW * pairs / wrong)
    power = float(np.clip((shown - _DROPPED) / (_KEPT - _DROPPED), 0, 1))
    if power == 1:
        return noise

    def more(scale: float) -> float:
        return _Heard.of(rows, before, ballot, tempered(noise, share, power, np.exp(scale))).right - fitted.right

    low, high = -_FACTOR, _FACTOR
    scale = brentq(more, low, high, xtol=_NEAR) if more(low) > 0 > more(high) else 0.0
    return tempered(noise, share, power, float(np.exp(scale)))


class _Heard(NamedTuple):
    """What the votes say under a noise matrix: their log-likelihood, and how many labels are expected to be right."""

    likelihood: float
    right: float

    @classmethod
    def of(cls, rows: Shortlist, before: FloatMatrix, ballot: csr_array, noise: FloatMatrix) -> "_Heard":
        joint = before + rows.heard(ballot, noise)
        whole = logsumexp(joint, axis=0)
        counts = rows.counted(np.exp(joint - whole), ballot).reshape(len(noise), -1, len(noise))
        return cls(float(whole.sum()), float(np.einsum("cac->", counts)))


def tempered(noise: FloatMatrix, share: FloatVector, power: float, scale: float = 1.0) -> FloatMatrix:
    """Each annotator's errors noise[c, g] to this power, `scale` times as many in all; share (K,): of the classes.
    No class is called another more often than in 95% of its rows.

    Power 1 is the matrix itself; 0 a symmetric one, but for the error rates of the classes, whose power is at least
    2 / K: with few classes they are most of the structure, and where overlap hides the noise, its only trace.
    """
    n_classes = len(noise)
    each = noise.reshape(n_classes, -1, n_classes).transpose(1, 0, 2)
    wrong = ~np.eye(n_classes, dtype=bool)
    fitted = np.where(wrong, np.maximum(each, _LEAST), 0.0)
    errors = np.where(wrong, np.maximum(each, _LEAST) ** power, 0.0)
    rates = fitted.sum(axis=2, keepdims=True)
    errors *= rates ** max(power, 2 / n_classes) / errors.sum(axis=2, keepdims=True)
    in_all, now = (np.einsum("c,acg->a", share, each) for each in (fitted, errors))
    errors *= (scale * in_all / now)[:, None, None]
    errors *= np.minimum(1, _MOST_ERRORS / errors.sum(axis=2, keepdims=True))
    found = np.where(wrong, errors, 1 - errors.sum(axis=2, keepdims=True))
    return np.asarray(found.transpose(1, 0, 2).reshape(n_classes, -1))


def _by_chance(rows: FloatVector, rate: float, strength: float) -> float:
    """The gain in likelihood expected from fitting symmetric noise, in nats.

    rows (K,): of each class, of which a share `rate` is wrong. Each kind of error is seen k times, k Poisson with mean
    λ; the fitted matrix has (k + s) / (λ + s) times the probability of the symmetric one for it.
    """
    others = len(rows) - 1
    mean, prior = rows * rate / others, strength * rate / others
    most = float(mean.max())
    seen = np.arange(1, int(most + 10 * np.sqrt(most)) + 12)
    each = poisson.pmf(seen, mean[:, None]) * seen * np.log((seen + prior) / (mean[:, None] + prior))
    return others * float(each.sum())
