"""Probabilities of rows that the model was fitted on: they agree with the labels, also with the wrong ones."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from cleaning.belief.basis import Basis
from cleaning.belief.count import Judged
from cleaning.errors import InvalidInput

# The features must show at least this share of the labels to be wrong, and themselves predict the labels this far from
# chance to certainty; weaker ones take the overlap of classes for noise. On clean digits, iris, wine and cancer cells,
# of which two to twelve columns were kept, they then claimed up to 3%.
_SHOWN, _PREDICTED = 0.04, 1 / 3
# Out-of-sample predictions contradict more than this share of the labels that the features show to be wrong.
_CONTRADICTED = 0.2
# Labels are agreed with more often than trusted rows are predicted: by this much, and by so many standard errors.
_AHEAD, _DEVIATIONS = 0.1, 4.0
_FIX = 'give predictions for held-out rows, such as those of cross_val_predict(…, method="predict_proba")'


def contradicted(basis: Basis) -> int:
    """The number of training rows whose label is not the most probable one by the user's model."""
    if basis.model is None:
        return 0
    best = basis.model[0, : len(basis.distinct)].argmax(axis=1)
    return int(np.count_nonzero(best[basis.group] != basis.labels))


def refuse_in_sample(basis: Basis, shown: Callable[[], float]) -> None:
    """Raises InvalidInput for probabilities of rows that the model seems to have been fitted on.

    They agree with the training labels more often than they predict the trusted rows, or they agree with nearly all
    labels that the features, out of sample, show to be wrong. basis: without the probabilities. shown: how many these
    are at least (the low end of the count); only called where it matters.
    """
    if basis.model is None or not basis.model.any():
        return
    n, found = len(basis.labels), contradicted(basis)
    groups, rows = len(basis.distinct), len(basis.evidence) - basis.evidence.checked
    if rows > groups and (basis.told.validation_probabilities is not None or basis.told.alone):
        right = basis.model[0, groups:rows].argmax(axis=1) == basis.evidence.votes[groups:rows].argmax(axis=1)
        refuse_ahead(1 - found / n, groups, right)
    if not basis.told.alone:
        refuse_agreeing(basis.judged(), n, found, shown)


def refuse_agreeing(judged: Judged, n: int, found: int, shown: Callable[[], float]) -> None:
    """Raises InvalidInput if the probabilities agree with nearly all labels that the features show to be wrong.

    judged: by the features, all of n labels or a sample. found: how many of the n labels the probabilities disagree
    with. shown: returns the low end of the number of wrong labels.
    """
    predicted = judged.logits.argmax(axis=1)[judged.group] == judged.given
    expected, _ = judged.wrong(np.asarray(softmax(judged.logits[: judged.noisy], axis=1)), judged.noise)
    chance = 1 / judged.logits.shape[1]
    weak = predicted.mean() < chance + (1 - chance) * _PREDICTED
    if weak or found >= _CONTRADICTED * expected * n / len(judged.given):
        return
    least = shown()
    if least >= _SHOWN * n and found < _CONTRADICTED * least:
        problem = f"they contradict {found} of {n} labels, but the features show that {least:.0f} or more are wrong"
        raise InvalidInput("probabilities", f"{problem}; the model was probably fitted on these rows", _FIX)


def refuse_ahead(agreed: float, n_labels: int, right: NDArray[np.bool_]) -> None:
    """Raises InvalidInput if trusted rows are predicted much worse than noisy labels are agreed with.

    agreed: the share of the `n_labels` noisy labels that the model predicts. right (m,): whether it predicts each
    trusted label.
    """
    ahead = agreed - right.mean()
    error = float(np.sqrt(_variance(agreed, n_labels) + _variance(float(right.mean()), len(right))))
    if ahead > max(_AHEAD, _DEVIATIONS * error):
        problem = f"they agree with {agreed:.0%} of the labels, but with only {right.mean():.0%} of the trusted ones"
        raise InvalidInput("probabilities", f"{problem}; the model was probably fitted on these rows", _FIX)


def _variance(share: float, count: int) -> float:
    """That of a share of `count` rows, with one row more on either side."""
    smoothed = (share * count + 1) / (count + 2)
    return smoothed * (1 - smoothed) / count
