"""Several labels per row: the most probable label, how good each annotator is, and whose vote is missing most."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from cleaning.belief.ballots import bits_told, majority, vote_matrix
from cleaning.belief.posterior import Posterior, label_posterior
from cleaning.data import FloatMatrix, FloatVector, IntMatrix, IntVector, Split
from cleaning.errors import whole_from_0

_BLOCK = 4096


@dataclass(frozen=True, eq=False)
class Consensus:
    """What A annotators together say about n rows in K classes. Made by `consensus`.

    Attributes
    ----------
    labels : array of int, shape (n,)
        The most probable label of each row.
    probability : array of shape (n,)
        P(that label is right), in [0, 1].
    annotator_quality : array of shape (A,)
        P(a vote of this annotator is right), in [0, 1], for rows like these.
    noise_matrices : array of shape (A, K, K)
        P(the annotator says g | true label c) at [a, c, g]. With more than two classes, the beliefs about single rows
        use their structure only as far as the votes show it.
    votes : array of int, shape (n, A)
        The votes; -1 where there is none.
    posterior : Posterior
        The beliefs about every row; its `given` labels are those of the majority.
    """

    labels: IntVector
    probability: FloatVector
    annotator_quality: FloatVector
    noise_matrices: FloatMatrix
    votes: IntMatrix
    posterior: Posterior

    @cached_property
    def missing(self) -> FloatMatrix:
        """How much each missing vote should tell, (n, A), in bits about the label of the row; 0 where there is one.

        The expected fall of the entropy of the label, were the annotator asked (the mutual information of both).
        """
        told = np.zeros(self.votes.shape)
        belief = self.posterior.probabilities
        for start in range(0, len(belief), _BLOCK):
            block = slice(start, start + _BLOCK)
            for one, noise in enumerate(self.noise_matrices):
                told[block, one] = bits_told(belief[block], noise)
        return np.where(self.votes < 0, np.maximum(told, 0), 0.0)

    def next_votes(self, count: int = 20) -> list[tuple[int, int]]:
        """Say whose vote is missing most.

        Parameters
        ----------
        count : int
            At most so many votes.

        Returns
        -------
        list of (int, int)
            Row and annotator, the most telling vote first, at most one per row.
        """
        count = whole_from_0("count", count)
        best = self.missing.argmax(axis=1)
        told = self.missing[np.arange(len(best)), best]
        rows = np.argsort(-told, kind="stable")[:count]
        return [(int(row), int(best[row])) for row in rows if told[row] > 0]


def consensus(
    features: ArrayLike,
    votes: ArrayLike,
    trusted: Split | None = None,
    *,
    probabilities: ArrayLike | None = None,
    rng: np.random.Generator | None = None,
) -> Consensus:
    """Find the most probable labels of rows that several annotators have labelled.

    Parameters
    ----------
    features : array-like of shape (n, d)
        Embeddings. If they are the `probabilities`, these are all that is known.
    votes : array-like of int, shape (n, A)
        The class that each annotator gave each row, counted from 0; -1 or NaN where there is none.
    trusted : Split, optional
        Rows whose labels are known to be right.
    probabilities : array-like of shape (n, K), optional
        Out-of-sample predictions of a model of your own, one more voice.
    rng : numpy.random.Generator, optional
        Draws samples if there are more than a few thousand rows. Default: a fixed seed.

    Returns
    -------
    Consensus
        The labels, with their probabilities, and the quality of the annotators.

    Raises
    ------
    InvalidInput
        For data that cannot be used, and for rows without any vote.

    Notes
    -----
    The model is that of `label_posterior`, with a noise matrix per annotator that is estimated from all rows and shrunk
    towards that of the others (Dawid and Skene 1979, with features). One annotator is the plain case.

    Examples
    --------
    >>> import fixfirst
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> X, truth = load_digits(return_X_y=True)
    >>> X, truth = X[:300], truth[:300]
    >>> rng = np.random.default_rng(0)
    >>> votes = np.stack([fixfirst.plant_noise(truth, rate, "symmetric", rng) for rate in (0.1, 0.4)], axis=1)
    >>> found = fixfirst.consensus(X, votes)
    >>> found.annotator_quality.round(1)
    array([0.9, 0.6])
    >>> bool(np.mean(found.labels == truth) > 0.95)
    True
    """
    matrix = np.asarray(features)
    said = vote_matrix(votes, len(matrix), "votes")
    rows = Split.from_arrays(matrix, majority(said))
    return consensus_of(label_posterior(rows, trusted, votes=said, probabilities=probabilities, rng=rng), said)


def consensus_of(found: Posterior, votes: IntMatrix) -> Consensus:
    """What a posterior that was told these votes (n, A) says about labels and annotators."""
    n_classes, classes = found.probabilities.shape[1], found.basis.classes
    matrices = np.tile(np.eye(n_classes), (votes.shape[1], 1, 1))
    each = found.basis.stack.noise.reshape(len(classes), -1, len(classes)).transpose(1, 0, 2)
    matrices[np.ix_(np.arange(len(each)), classes, classes)] = each
    share = found.probabilities.mean(axis=0)
    quality = np.asarray(np.einsum("c,acc->a", share, matrices), dtype=np.float64)
    return Consensus(found.suggestion, found.suggestion_probability, quality, matrices, votes, found)
