"""Rows in the order to look at them: labelled ones by what a fix is worth, then those without a label."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cleaning.belief.posterior import Posterior, label_posterior
from cleaning.data import FloatMatrix, FloatVector, IntMatrix, IntVector, Split
from cleaning.errors import InvalidInput, Place, whole_from_0
from cleaning.looks import FirstLooks, first_looks
from cleaning.progress import Progress, silent
from cleaning.review import Round, next_round
from cleaning.vectors.folds import class_probabilities
from cleaning.vectors.lengths import centred_alike

# Inverse penalty of the logistic regression that suggests labels for unlabelled rows (unit rows).
_STRENGTH = 10.0
_STEPS = 3
# Where no row is trusted, and so many have a label, a drawn sample of the second number is offered.
WORTH_DRAWING, FIRST_LOOKS = 100, 30


@dataclass(frozen=True, eq=False)
class Listed:
    """n rows, of which some have no label, in the order to look at them.

    order (n,): the rows to look at, the label to fix first in front; rows without a label come last, those with the
    surest suggestion first. labelled (k,): the rows with a label, in increasing order. suspicion (n,): P(the label is
    wrong), NaN without a label. suggestion (n,), probability (n,): the most probable class, and P(it is right).
    near_duplicate_of (n,): the first of the labelled rows that are nearly the same, or -1. outlier (n,): whether a
    labelled row is far from all others. round: the order and beliefs of the labelled rows now, numbered from 0.
    first_looks: the rows drawn from them to count wrong labels by, with the same numbers; None where there are trusted
    rows, or few others.
    """

    order: IntVector
    labelled: IntVector
    suspicion: FloatVector
    suggestion: IntVector
    probability: FloatVector
    near_duplicate_of: IntVector
    outlier: NDArray[np.bool_]
    round: Round
    first_looks: FirstLooks | None

    @property
    def drawn(self) -> IntVector:
        """The rows to look at first, (m,); none where there is no such sample."""
        return self.labelled[:0] if self.first_looks is None else self.labelled[self.first_looks.rows]


@dataclass(frozen=True, eq=False)
class Ranked(Listed):
    """The same, with the posterior of the labelled rows before any of them was looked at."""

    posterior: Posterior


def rank_rows(
    features: FloatMatrix,
    labels: IntVector,
    ids: Sequence[str],
    trusted: Split | None,
    *,
    seed: int = 0,
    progress: Progress = silent,
    probabilities: FloatMatrix | None = None,
    trusted_probabilities: FloatMatrix | None = None,
    votes: IntMatrix | None = None,
) -> Ranked:
    """Ranks rows (n, d) with labels (n,), where a negative label is none.

    probabilities (n, K) and trusted_probabilities (m, K): of the user's own model; see `label_posterior`. votes (n, A):
    those of annotators, of which the labels are what most said; negative for none. Raises InvalidInput if no row has a
    label.
    """
    labelled = np.flatnonzero(labels >= 0)
    if not len(labelled):
        raise InvalidInput(Place(key="labels"), "no row has a label", "name the column or the file with the labels")
    progress(0, _STEPS, "beliefs about the labels")
    every = len(labelled) == len(labels)
    train = Split(
        features if every else features[labelled], labels[labelled], tuple(ids[row] for row in labelled.tolist())
    )
    own = probabilities if probabilities is None or every else probabilities[labelled]
    posterior = label_posterior(
        train,
        trusted,
        probabilities=own,
        validation_probabilities=trusted_probabilities,
        votes=None if votes is None else votes[labelled],
        rng=np.random.default_rng(whole_from_0("seed", seed)),
    )
    progress(1, _STEPS, "the order to look at them")
    first = next_round(posterior, {})
    progress(2, _STEPS, "duplicates and outliers")
    bare = np.flatnonzero(labels < 0)
    found = _suggested(train, posterior, trusted, features[bare]) if len(bare) else None
    ranked = _of_all_rows(labelled, bare, first, posterior, found)
    if trusted is not None or len(labelled) < WORTH_DRAWING:
        return ranked
    return replace(ranked, first_looks=first_looks(posterior, FIRST_LOOKS))


def _of_all_rows(
    labelled: IntVector, bare: IntVector, first: Round, posterior: Posterior, found: FloatMatrix | None
) -> Ranked:
    """Labelled and bare rows together. found: the class probabilities of the bare rows, if there are any."""
    n = len(labelled) + len(bare)
    suspicion, suggestion, probability = np.full(n, np.nan), np.full(n, -1), np.zeros(n)
    suspicion[labelled] = posterior.suspicion
    suggestion[labelled] = posterior.suggestion
    probability[labelled] = posterior.suggestion_probability
    if found is not None:
        suggestion[bare], probability[bare] = found.argmax(axis=1), found.max(axis=1)
        bare = bare[np.argsort(-probability[bare], kind="stable")]
    near, outlier = np.full(n, -1), np.zeros(n, dtype=bool)
    near[labelled] = np.where(posterior.near_duplicate_of < 0, -1, labelled[posterior.near_duplicate_of])
    outlier[labelled] = posterior.outlier
    return Ranked(
        order=np.concatenate([labelled[first.order], bare]),
        labelled=labelled,
        suspicion=suspicion,
        suggestion=suggestion,
        probability=probability,
        near_duplicate_of=near,
        outlier=outlier,
        posterior=posterior,
        round=first,
        first_looks=None,
    )


def _suggested(train: Split, posterior: Posterior, trusted: Split | None, rows: FloatMatrix) -> FloatMatrix:
    """Class probabilities of rows without a label, by a logistic regression on the most probable labels."""
    features, labels = train.features, posterior.suggestion
    if trusted is not None:
        features, labels = np.vstack([features, trusted.features]), np.concatenate([labels, trusted.labels])
    known, new = centred_alike(features, rows)
    return class_probabilities(known, labels, new, int(labels.max()) + 1, _STRENGTH)
