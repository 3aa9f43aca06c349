"""How many labels are wrong: an expected number, and an interval that does not rely on the noise model alone."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.special import betaincinv, gammaincinv, log_softmax, logsumexp, softmax

from cleaning.belief.ballots import voted_on
from cleaning.belief.stacking import LEAST_NOISE, Votes, given_votes, logits_without_noise
from cleaning.data import FloatMatrix, FloatVector, IntVector
from cleaning.intervals import DEVIATIONS_90

# Of the upper limit for the share of trusted rows that are not predicted.
_QUANTILE = 0.95
# A likelihood lower by this much is outside a 90% interval: 1.645² / 2.
_DROP = 1.353
# Deviations, in logits, of a misjudgement that all rows share: towards too much suspicion, and towards too much trust.
# True: with _ENOUGH_TRUSTED trusted rows per class; False: without any. Chosen on the study's data sets.
_COMMON = {True: (0.5, 1.5), False: (1.0, 2.5)}
_ENOUGH_TRUSTED = 50
# How far the high end goes from the number expected with gold correction towards the bound that needs no noise model.
# Chosen so that nine of ten intervals contain the true number, for each of the study's kinds of noise.
_TOWARDS_CEILING = 0.67
# Up to so many trusted rows, the high end is no higher than without any.
_FEW_TRUSTED = 29
# Without trusted rows: the most wrong labels per row that the other rows contradict, up to half of the rows of a class,
# and how much more per row beyond a half and beyond nine tenths. If 60% of a class were called another, 40% would be
# contradicted: factor 1.5. If 90% were, nearly all of the others would be: factor 9.
_PER_CONTRADICTION, _BEYOND = 1.5, ((0.5, 5.0), (0.9, 60.0))
_NOISE_SCALES = np.linspace(0.0, 2.2, 23)
_SHARPNESSES = np.exp(np.linspace(-1.0, 1.2, 12))
_SHARPNESS_DEVIATION = 0.5
# Above this many rows, the likelihood narrows faster than the model deserves.
_LIKELIHOOD_ROWS = 400
# Some labels are wrong if the likelihood ratio against labels without noise is beyond this quantile. True: with trusted
# rows; False: without any, where noise that is the same everywhere looks much like an overlap that is.
_NOISE_SEEN = {True: 0.9, False: 0.5}
# The likelihood is that of a sample of up to this many groups of copies.
_SAMPLED_GROUPS = 2000


class Count(NamedTuple):
    """How many of n labels are wrong.

    Attributes
    ----------
    expected : float
        The expected number; NaN where the data cannot tell.
    low, high : float
        A 90% interval, in whole rows; 0 and n where the data cannot tell.
    """

    expected: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Judged:
    """What a stack says of groups of copies, and then of trusted rows, by the scores (learners, m, K) of its learners.

    logits (m, K) and votes (m, K): of `noisy` groups and of the trusted rows. noise (K, K). group (n,): the group of
    each training row; given (n,): its label. ballots (noisy, A·K): what each annotator said, if there are several; then
    noise is (K, A·K).
    """

    scores: FloatMatrix
    logits: FloatMatrix
    votes: FloatMatrix
    noisy: int
    noise: FloatMatrix
    group: IntVector
    given: IntVector
    ballots: csr_array | None = None

    @property
    def said(self) -> Votes:
        """The votes that the noise is about."""
        return self.votes[: self.noisy] if self.ballots is None else self.ballots

    def sample(self, count: int) -> "Judged":
        """The same about up to `count` of the groups, evenly spaced, and about all trusted rows."""
        if self.noisy <= count:
            return self
        chosen = np.unique(np.linspace(0, self.noisy - 1, count).round().astype(np.int64))
        number = np.full(self.noisy, -1)
        number[chosen] = np.arange(len(chosen))
        inside = number[self.group] >= 0
        rows = np.concatenate([chosen, np.arange(self.noisy, len(self.votes))])
        group = number[self.group[inside]]
        ballots = None if self.ballots is None else self.ballots[chosen]
        parts = self.scores[:, rows], self.logits[rows], self.votes[rows]
        return Judged(*parts, len(chosen), self.noise, group, self.given[inside], ballots)

    @property
    def trusted(self) -> int:
        """The number of trusted rows."""
        return len(self.votes) - self.noisy

    def wrong(self, before: FloatMatrix, noise: FloatMatrix) -> tuple[float, float]:
        """The expected number of wrong labels, Σ q, and its variance: Σ over the groups of (Σ √(q(1 - q)))².

        Copies in a group are right or wrong together. before (noisy, K): the belief before the labels.
        """
        return self._summed(np.asarray(1 - given_votes(before, noise, self.said)[self.group, self.given]))

    def seen(self, before: FloatMatrix, noise: FloatMatrix) -> tuple[float, float, float]:
        """The log-likelihood of what the groups are called, and what `wrong` says."""
        if self._single is None:
            heard = csr_array(self.said) @ np.log(noise).T
            return float(logsumexp(np.log(before + 1e-300) + heard, axis=1).sum()), *self.wrong(before, noise)
        each, called = np.arange(self.noisy), self._single
        likely = (before @ noise)[each, called]
        right = before[each, called] * noise[called, called] / likely
        return float(np.log(likely).sum()), *self._summed(1 - right[self.group])

    @cached_property
    def _single(self) -> IntVector | None:
        """What each group is called, if it has one label; then all is known without a logarithm per class."""
        votes = self.votes[: self.noisy]
        alone = self.ballots is None and bool((votes.max(axis=1, initial=0) == 1).all())
        return np.asarray(votes.argmax(axis=1)) if alone else None

    def _summed(self, q: FloatVector) -> tuple[float, float]:
        together = np.bincount(self.group, np.sqrt(np.maximum(q * (1 - q), 0)), minlength=self.noisy)
        return float(q.sum()), float((together**2).sum())


def count_wrong(plain: Judged, gold: Judged | None) -> Count:
    """The interval from the beliefs about the rows, widened by other views of the same data.

    Without trusted rows (gold: None) the high end is at least that of `_high_alone`. With them, the interval also
    covers the range of the profile likelihood, and its high end goes _TOWARDS_CEILING of the way from the number that a
    stack with gold correction expects to the bound of `_triangle_high`, which needs no noise model. Few trusted rows
    tell little of that bound, so the high end is then no higher than without any. The low end is 0 where no label has
    to be wrong; see `_noise_is_seen`.
    """
    expected, low, high = _of_belief(plain)
    low = low if low and _noise_is_seen(plain) else 0.0
    alone = max(high, _high_alone(plain))
    if gold is None:
        return _whole(expected, low, alone, len(plain.given))
    likely_low, likely_high = _likely(plain)
    ceiling = _triangle_high(plain)
    gold_expected, _, gold_high = _of_belief(gold)
    reach = min(ceiling, max(gold_high, (1 - _TOWARDS_CEILING) * gold_expected + _TOWARDS_CEILING * ceiling))
    high = max(likely_high, reach, expected)
    if plain.trusted <= _FEW_TRUSTED:
        high = min(high, alone)
    return _whole(expected, min(low, likely_low), high, len(plain.given))


def _whole(expected: float, low: float, high: float, n: int) -> Count:
    """The interval in whole rows among n, rounded outwards.

    A low end below the share of wrong labels that the prior assumes is not evidence of any wrong label, so it is 0.
    """
    sure = low if low >= LEAST_NOISE * n else 0.0
    return Count(expected, float(np.floor(sure)), float(np.ceil(min(high, float(n)))))


def misjudged(trusted: int, n_classes: int) -> tuple[float, float]:
    """Deviations, in logits, of a misjudgement that all rows share: towards suspicion, and towards trust.

    trusted: the number of groups of trusted rows.
    """
    few = float(np.sqrt(max(_ENOUGH_TRUSTED * n_classes / max(trusted, 1), 1.0)))
    below, above = (min(few * a, b) for a, b in zip(_COMMON[True], _COMMON[False], strict=True))
    return below, above


def _of_belief(judged: Judged) -> tuple[float, float, float]:
    """Expected number, low and high end by the belief about each row.

    The variance on either side is the sum of two terms: that of independent rows (see `Judged.wrong`), and that of a
    misjudgement common to all logits, (deviation · Σ q(1 - q))².
    """
    expected, spread = judged.wrong(softmax(judged.logits[: judged.noisy], axis=1), judged.noise)
    known = misjudged(judged.trusted, judged.logits.shape[1])
    below, above = (DEVIATIONS_90 * float(np.sqrt(spread + (each * spread) ** 2)) for each in known)
    return expected, max(expected - below, 0.0), min(expected + above, float(len(judged.given)))


def _likely(judged: Judged) -> tuple[float, float]:
    """The range of counts under all noise scales λ and sharpnesses s whose penalised likelihood is near the best.

    ℓ(λ, s) = Σ_noisy log Σ_c softmax(s·logit)_c Π_g [I + λ(T - I)]_{c, g}^votes[g]
    + Σ_trusted log softmax(s·logit)_true - (log s / 0.5)² / 2. Above 400 rows, both sums count as those of 400.
    """
    n = len(judged.given)
    judged = judged.sample(_SAMPLED_GROUPS)
    noisy, n_classes = judged.noisy, judged.logits.shape[1]
    right_away = np.tile(np.eye(n_classes), judged.said.shape[1] // n_classes)
    scaled = n / len(judged.given)
    temper = min(1.0, _LIKELIHOOD_ROWS / noisy)
    found = []
    for sharpness in _SHARPNESSES:
        logs = log_softmax(sharpness * judged.logits, axis=1)
        right = float((logs[noisy:] * judged.votes[noisy:]).sum())
        prior = (np.log(sharpness) / _SHARPNESS_DEVIATION) ** 2 / 2
        before = np.exp(logs[:noisy])
        for scale in _NOISE_SCALES:
            noise = np.clip(right_away + scale * (judged.noise - right_away), 1e-6, None)
            noise /= noise.reshape(n_classes, -1, n_classes).sum(axis=2).repeat(n_classes, axis=1)
            seen, *counted = judged.seen(before, noise)
            found.append((temper * (seen + right) - prior, *counted))
    best = max(value for value, _, _ in found)
    near = [(count, DEVIATIONS_90 * float(np.sqrt(spread))) for value, count, spread in found if value > best - _DROP]
    return scaled * min(count - half for count, half in near), scaled * max(count + half for count, half in near)


def _noise_is_seen(judged: Judged) -> bool:
    """Whether the labels are less likely if none is wrong: a likelihood ratio, where the overlap of classes may explain
    as much as noise does. Several annotators who do not agree cannot all be right.

    Without noise, the weights of the learners are others, so they are fitted anew. The noise matrix counts as K - 1
    degrees of freedom, since it is shrunk strongly. Above 400 rows, the likelihood is that of 400.
    """
    noisy, n_classes = judged.noisy, judged.logits.shape[1]
    if judged.ballots is not None:
        several = voted_on(judged.ballots, n_classes).sum(axis=1) > 1
        if (several & (judged.votes[:noisy].max(axis=1) < 1)).any():
            return True
    judged = judged.sample(_SAMPLED_GROUPS)
    noisy, votes = judged.noisy, judged.votes
    clean = log_softmax(logits_without_noise(judged.scores, votes, noisy), axis=1)
    seen = judged.seen(softmax(judged.logits[:noisy], axis=1), judged.noise)[0]
    seen += float((log_softmax(judged.logits[noisy:], axis=1) * votes[noisy:]).sum())
    more = min(1.0, _LIKELIHOOD_ROWS / noisy) * (seen - float((clean * votes).sum()))
    return more > float(gammaincinv((n_classes - 1) / 2, _NOISE_SEEN[judged.trusted > 0]))


def _triangle_high(judged: Judged) -> float:
    """The bound n (d + e + h) on the number of wrong labels, whatever the noise.

    d: the share of training rows whose given label is not the predicted one. e: the upper 95% limit (Clopper-Pearson)
    for the share of rows whose true label is not the predicted one, from trusted rows drawn like the training rows. If
    given ≠ true, then given ≠ predicted or predicted ≠ true. h: how much more there may be among n rows.
    """
    predicted, n = judged.logits.argmax(axis=1), len(judged.given)
    apart = float((predicted[judged.group] != judged.given).mean())
    missed = int((predicted[judged.noisy :] != judged.votes[judged.noisy :].argmax(axis=1)).sum())
    error = float(betaincinv(missed + 1, judged.trusted - missed, _QUANTILE)) if missed < judged.trusted else 1.0
    return n * (apart + error) + DEVIATIONS_90 * float(np.sqrt(error * (1 - error) * n))


def _high_alone(judged: Judged) -> float:
    """A high end without trusted rows, for one-directional noise: Σ_c n_c f(d_c) + sampling error.

    d_c: the share of the n_c rows with given label c that are predicted to be of another class. Where part of a class
    is called another, the rows that kept their label are the ones that look wrong: f(d) = 1.5 d, and more beyond .5 and
    .9; no more than have another label.
    """
    predicted, n = judged.logits.argmax(axis=1)[judged.group], len(judged.given)
    rows = np.bincount(judged.given, minlength=judged.logits.shape[1])
    apart = np.bincount(judged.given, predicted != judged.given, minlength=len(rows)) / np.maximum(rows, 1)
    per_row = _PER_CONTRADICTION * apart + sum(more * np.maximum(apart - share, 0) for share, more in _BEYOND)
    ceiling = float(np.minimum(rows * per_row, np.maximum(_PER_CONTRADICTION * rows * apart, n - rows)).sum())
    share = float((predicted != judged.given).mean())
    return ceiling + _PER_CONTRADICTION * DEVIATIONS_90 * float(np.sqrt(share * (1 - share) * n))
