"""The ranking as a scikit-learn estimator."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from cleaning.data import IntVector, Split
from cleaning.errors import InvalidInput, count_of
from cleaning.labels.crowd import crowd_of
from cleaning.labels.frames import votes_in
from cleaning.labels.ranked import Ranked, rank_rows
from cleaning.labels.votes import Votes
from cleaning.vectors.scaling import centre_of

_FLOATS = [np.float64, np.float32]


class LabelRanker(BaseEstimator):  # type: ignore[misc]
    """Label quality in scikit-learn's style: `LabelRanker().fit(X, y).ranking_`.

    Parameters
    ----------
    seed : int
        Fixes everything that is random.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        The different labels, sorted.
    given_ : array of shape (n,)
        The labels that are judged: y, or what most annotators said (None: nobody said anything).
    label_quality_ : array of shape (n,)
        P(the given label is right), from 0 to 1; NaN without one.
    suggestion_ : array of shape (n,)
        The most probable label of each row.
    ranking_ : array of int, shape (n,)
        Row numbers, the label to fix first in front.
    annotators_ : tuple of str, length A
        With votes only: the names of the annotators, if the votes are a DataFrame.
    annotator_quality_ : array of shape (A,)
        With votes only: P(a vote is right), from 0 to 1; NaN where the data cannot tell.
    n_features_in_ : int
        The number of columns of X.

    Examples
    --------
    >>> import fixfirst
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> X, y = load_digits(return_X_y=True)
    >>> X, y = X[:300], y[:300]
    >>> y[3] = 8  # a wrong label
    >>> ranker = make_pipeline(StandardScaler(), fixfirst.LabelRanker()).fit(X, y)[-1]
    >>> int(ranker.ranking_[0]), int(ranker.suggestion_[3])
    (3, 3)
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, trusted: tuple[Any, Any] | None = None, votes: Any = None
    ) -> "LabelRanker":
        """Rank the labels.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Embeddings, or columns that have been scaled.
        y : array-like of shape (n,)
            Classes of any type. None with votes.
        trusted : tuple of (X, y), optional
            Further rows whose labels are known to be right.
        votes : array-like of shape (n, A), or DataFrame, optional
            In place of y, what each of A annotators said of each row; None, NaN, empty text and -1 for nothing.

        Returns
        -------
        LabelRanker
            This object.

        Raises
        ------
        ValueError
            For data that scikit-learn does not take, and for a y that is not classes.
        InvalidInput
            For votes that cannot be used, with the column and the row.
        """
        if votes is not None and y is not None:
            raise InvalidInput("votes", "labels are given as well", "give one of them: fit(X, votes=V)")
        said = None if votes is None else votes_in(votes, classes=True)
        if said is None:
            matrix, given = validate_data(self, X, y, dtype=_FLOATS)
            check_classification_targets(given)
        else:
            matrix, given = validate_data(self, X, dtype=_FLOATS), np.array(said.values)
            if len(said.codes) != len(matrix):
                problem = f"{count_of(len(said.codes), 'row')} of votes for {count_of(len(matrix), 'row')} of data"
                raise InvalidInput("votes", problem, "give one for every row")
        parts, split = [given], None
        if trusted is not None:
            further, right = validate_data(self, *trusted, reset=False, dtype=_FLOATS)
            parts.append(right)
        centre = centre_of(matrix)
        if centre is not None:
            matrix = matrix - centre
        self.classes_, numbers = np.unique(np.concatenate(parts), return_inverse=True)
        if trusted is not None:
            split = Split.from_arrays(further if centre is None else further - centre, numbers[len(given) :])
        codes = numbers[: len(given)]
        if said is not None:
            said = replace(said, codes=np.append(codes, -1)[said.codes])
            codes = said.given.codes
        self._keep(_ranked(matrix, codes, split, said, self.seed), codes, said)
        return self

    def _keep(self, ranked: Ranked, codes: IntVector, said: Votes | None) -> None:
        self.ranking_ = ranked.order
        self.given_ = self.classes_[codes]
        if (codes < 0).any():
            self.given_ = self.given_.astype(object)
            self.given_[codes < 0] = None
        self.label_quality_ = 1.0 - ranked.suspicion
        self.suggestion_ = self.classes_[ranked.suggestion]
        if said is not None:
            self.annotators_, self.annotator_quality_ = said.annotators, crowd_of(ranked, said).quality

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn's checks may expect."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def _ranked(matrix: Any, codes: IntVector, trusted: Split | None, said: Votes | None, seed: int) -> Ranked:
    ids = [str(row) for row in range(len(matrix))]
    return rank_rows(matrix, codes, ids, trusted, seed=seed, votes=None if said is None else said.codes)
