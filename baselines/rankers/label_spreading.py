"""Label spreading: noisy and clean labels diffuse over a neighbour graph; scores are the given label's share."""

import numpy as np

from cleaning.data import FloatVector, Split, class_count
from cleaning.vectors.neighbours import unit_rows

_NEIGHBOURS = 10
_CLAMPING = 0.9


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Label-quality scores (n,) in [0, 1]: the given label's share after spreading over cosine neighbours.

    Source: Zhou et al. 2004, Learning with Local and Global Consistency; computed by scikit-learn. alpha = 0.9 lets
    neighbours overrule a row's own label.
    """
    from sklearn.semi_supervised import LabelSpreading

    features, labels = unit_rows(train.features.astype(np.float64)), train.labels
    if validation is not None and len(validation):
        features = np.vstack([features, unit_rows(validation.features.astype(np.float64))])
        labels = np.concatenate([labels, validation.labels])
    if len(np.unique(labels)) < 2:
        return np.ones(len(train))
    model = LabelSpreading(
        kernel="knn", n_neighbors=min(_NEIGHBOURS, len(labels) - 1), alpha=_CLAMPING, max_iter=1000, tol=1e-4
    )
    model.fit(features, labels)
    shares = np.zeros((len(train), class_count(train, validation)))
    shares[:, model.classes_] = model.label_distributions_[: len(train)]
    return np.asarray(shares[np.arange(len(train)), train.labels], dtype=np.float64)
