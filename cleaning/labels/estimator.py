"""The ranking as a scikit-learn estimator."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from cleaning.data import Split
from cleaning.labels.ranked import rank_rows


class LabelRanker(BaseEstimator):  # type: ignore[misc]
    """Label quality in scikit-learn's style: `LabelRanker().fit(X, y).ranking_`.

    Parameters
    ----------
    seed : int
        Fixes everything that is random.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        The different labels in y, sorted.
    label_quality_ : array of shape (n,)
        P(the label is right), from 0 to 1.
    suggestion_ : array of shape (n,)
        The most probable label of each row.
    ranking_ : array of int, shape (n,)
        Row numbers, the label to fix first in front.
    n_features_in_ : int
        The number of columns of X.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, X: ArrayLike, y: ArrayLike, trusted: tuple[Any, Any] | None = None) -> "LabelRanker":
        """Rank the labels.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Embeddings, or columns that have been scaled.
        y : array-like of shape (n,)
            Classes of any type.
        trusted : tuple of (X, y), optional
            Further rows whose labels are known to be right.

        Returns
        -------
        LabelRanker
            This object.

        Raises
        ------
        ValueError
            For data that scikit-learn does not take, and for a y that is not classes.
        """
        matrix, given = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(given)
        parts = [given]
        split = None
        if trusted is not None:
            further, right = validate_data(self, *trusted, reset=False, dtype=[np.float64, np.float32])
            parts.append(right)
        self.classes_, codes = np.unique(np.concatenate(parts), return_inverse=True)
        n = len(given)
        if trusted is not None:
            split = Split.from_arrays(further, codes[n:])
        ranked = rank_rows(matrix, codes[:n], [str(row) for row in range(n)], split, seed=self.seed)
        self.ranking_ = ranked.order
        self.label_quality_ = 1.0 - ranked.suspicion
        self.suggestion_ = self.classes_[ranked.suggestion]
        return self

    def __sklearn_tags__(self) -> Tags:
        """What scikit-learn's checks may expect."""
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags
