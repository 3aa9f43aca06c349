"""cleanlab Datalab on features: the share of the 10 nearest neighbours that have the row's own label."""

import numpy as np

from cleaning.data import FloatVector, Split
from cleaning.vectors.neighbours import nearest

_NEIGHBOURS = 10


def rank(train: Split, validation: Split | None, *, rng: np.random.Generator) -> FloatVector:
    """Label-quality scores (n,) in [0, 1]: self-confidence of a Euclidean neighbour vote; validation is not used.

    Like Datalab's label issues from features: K + 1 neighbours including the row itself, whose vote is then removed.
    Most scores are tied, as in Datalab. Source: cleanlab 2.9, LabelIssueManager.find_issues.
    """
    count = min(_NEIGHBOURS + 1, len(train))
    features = train.features.astype(np.float64)
    _, index = nearest(features, features, count)
    agree = (train.labels[index] == train.labels[:, None]).sum(axis=1)
    return np.asarray((agree - 1) / max(count - 1, 1), dtype=np.float64)
