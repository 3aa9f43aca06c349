"""Which rows to look at first where no row is trusted: a drawn sample, which counts wrong labels without a noise model.

Whatever the noise is, rows that were drawn at random show how many labels are wrong. Fewer looks are needed if more
rows are drawn where the belief is undecided. The belief chooses the strata and their shares of the sample; the count
rests on the draw, so it also holds where the belief is wrong.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from cleaning.belief.count import Count
from cleaning.belief.posterior import Posterior
from cleaning.data import FloatVector, IntVector
from cleaning.errors import InvalidInput

# Chosen on the study's cases, for the width of the interval where at least nine of ten contain the true number; with
# four and more strata, or no trust in the belief, fewer did.
_STRATA = 3
# Added to the deviation of each row, so that rows about which the belief is sure have their share.
_UNSURE = 0.1
# The least deviation of a stratum for its share of the looks, and the fewest looks in each.
_LEAST, _FEWEST = 0.15, 2
# The prior of a stratum's share of wrong labels: pseudo-looks that find what the belief expects, and of either kind.
_BELIEVED, _OTHER = 0.5, 0.25
# What is left on either side of a 90% interval, chosen like the number of strata.
_TAIL = 0.04
# So many possible numbers make an interval, and so many made-up outcomes of the looks the width that it should have.
_DRAWS, _TRIALS = 4000, 20


@dataclass(frozen=True, eq=False)
class FirstLooks:
    """Rows to look at first, drawn from strata of n rows. Made by `first_looks`.

    Attributes
    ----------
    rows : array of int, shape (m,)
        The drawn rows, in random order.
    stratum : array of int, shape (m,)
        The stratum of each, from 0.
    sizes : array of int, shape (strata,)
        How many rows each stratum has.
    believed : array of shape (strata,)
        The mean suspicion of its rows.
    """

    rows: IntVector
    stratum: IntVector
    sizes: IntVector
    believed: FloatVector

    @property
    def probability(self) -> FloatVector:
        """The probability with which each row was drawn, shape (m,)."""
        return np.asarray((np.bincount(self.stratum, minlength=len(self.sizes)) / self.sizes)[self.stratum])

    @property
    def width(self) -> float:
        """The width that the interval of `count` should have, by what is believed before the looks."""
        rng = np.random.default_rng(0)
        looks = np.bincount(self.stratum, minlength=len(self.sizes))
        found = [summed_up(_possible(self, looks, rng.binomial(looks, self.believed))) for _ in range(_TRIALS)]
        return float(np.mean([one.high - one.low for one in found]))

    def count(self, wrong: Mapping[int, bool], left_out: Collection[int] = ()) -> Count | None:
        """Say how many of the n labels are wrong, by the drawn rows alone.

        Parameters
        ----------
        wrong : mapping of int to bool
            Whether the label of each row that was looked at is wrong. Other rows than the drawn ones do not count.
        left_out : collection of int, optional
            Rows about which nobody could tell. They count like the others of their stratum.

        Returns
        -------
        Count or None
            The expected number with a 90% interval; None until all drawn rows have been looked at.

        Notes
        -----
        The share of wrong labels of each stratum has a beta distribution, with 1 pseudo-look of which half goes by the
        belief; the rows that were not drawn are binomial.
        """
        possible = possible_numbers(self, wrong, left_out)
        return None if possible is None else summed_up(possible)


def possible_numbers(drawn: FirstLooks, wrong: Mapping[int, bool], left_out: Collection[int]) -> FloatVector | None:
    """Numbers of wrong labels, drawn by what `FirstLooks.count` knows, (draws,); None where it says nothing."""
    rows = drawn.rows.tolist()
    if not all(row in wrong or row in left_out for row in rows):
        return None
    seen = np.array([row in wrong for row in rows])
    bad = np.array([wrong.get(row, False) for row in rows])
    looks, found = (np.bincount(drawn.stratum[part], minlength=len(drawn.sizes)) for part in (seen, bad))
    return _possible(drawn, looks, found)


def summed_up(possible: FloatVector, tail: float = _TAIL) -> Count:
    """The mean of possible numbers, and the quantiles that leave this share on either side."""
    low, high = np.quantile(possible, [tail, 1 - tail], method="inverted_cdf")
    return Count(float(possible.mean()), float(low), float(high))


def _possible(drawn: FirstLooks, looks: IntVector, found: IntVector) -> FloatVector:
    rng, shape = np.random.default_rng(0), (_DRAWS, len(looks))
    right = looks - found + _BELIEVED * (1 - drawn.believed) + _OTHER
    share = rng.beta(found + _BELIEVED * drawn.believed + _OTHER, right, shape)
    return np.asarray(found.sum() + rng.binomial(drawn.sizes - looks, share).sum(axis=1))


def first_looks(posterior: Posterior, looks: int = 30, *, rng: np.random.Generator | None = None) -> FirstLooks:
    """Draw the rows to look at first, so that wrong labels can be counted without trusted rows.

    Parameters
    ----------
    posterior : Posterior
        The beliefs about n rows, from `label_posterior`.
    looks : int
        How many rows to draw, at least 6 and at most n.
    rng : numpy.random.Generator, optional
        Draws the rows. Default: a fixed seed, so that the same posterior gives the same rows.

    Returns
    -------
    FirstLooks
        The rows. Once you have looked at all of them, hand them to `next_round`.

    Raises
    ------
    InvalidInput
        For a number of looks outside these limits.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    return drawn(posterior.suspicion, posterior.basis.told.train.order_by_id(), looks, rng)


def drawn(suspicion: FloatVector, order: IntVector, looks: int, rng: np.random.Generator) -> FirstLooks:
    """The first looks at rows with this suspicion (n,). order: of the rows, so that their numbers do not matter."""
    n = len(suspicion)
    if not _STRATA * _FEWEST <= looks <= n:
        raise InvalidInput("looks", f"it is {looks}", f"use a number from {_STRATA * _FEWEST} to the {n} rows")
    order = order[np.argsort(suspicion[order], kind="stable")]
    deviation = np.sqrt(suspicion * (1 - suspicion))[order] + _UNSURE
    reached = np.cumsum(deviation)
    ends = np.searchsorted(reached, reached[-1] * np.arange(1, _STRATA) / _STRATA)
    least = _FEWEST * np.arange(1, _STRATA)  # so that every stratum has that many rows
    ends = least + np.maximum.accumulate(np.clip(ends - least, 0, n - _FEWEST * _STRATA))
    strata = np.split(order, ends)
    sizes = np.array([len(one) for one in strata])
    believed = np.array([suspicion[one].mean() for one in strata])
    shares = sizes * np.sqrt(np.maximum(believed * (1 - believed), _LEAST**2))
    many = _shared_out(looks, shares, sizes)
    rows = np.concatenate([rng.choice(one, count, replace=False) for one, count in zip(strata, many, strict=True)])
    mixed = rng.permutation(looks)
    return FirstLooks(rows[mixed], np.repeat(np.arange(_STRATA), many)[mixed], sizes, believed)


def _shared_out(looks: int, shares: FloatVector, sizes: IntVector) -> IntVector:
    """Looks in proportion to the shares, at least _FEWEST of each stratum and no more than it has."""
    many = np.full(len(sizes), _FEWEST)
    wanted = looks * shares / shares.sum()
    while many.sum() < looks:
        many[np.where(many < sizes, wanted - many, -np.inf).argmax()] += 1
    return many
