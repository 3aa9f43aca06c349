"""Probabilities of rows that the model was fitted on: they agree with the labels, also with the wrong ones."""

from collections.abc import Callable

import numpy as np

from cleaning.belief.basis import Basis
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
    _refuse_ahead(basis, 1 - found / n)
    judged = basis.judged()
    predicted = judged.logits.argmax(axis=1)[judged.group] == judged.given
    expected, _ = judged.wrong(basis.stack.before_label(basis.scores[:, : judged.noisy]), judged.noise)
    chance = 1 / len(basis.classes)
    weak = predicted.mean() < chance + (1 - chance) * _PREDICTED
    if basis.told.alone or weak or found >= _CONTRADICTED * expected:
        return
    least = shown()
    if least >= _SHOWN * n and found < _CONTRADICTED * least:
        problem = f"they contradict {found} of {n} labels, but the features show that {least:.0f} or more are wrong"
        raise InvalidInput("probabilities", f"{problem}; the model was probably fitted on these rows", _FIX)


def _refuse_ahead(basis: Basis, agreed: float) -> None:
    """Raises InvalidInput if trusted rows are predicted much worse than noisy labels are agreed with."""
    groups, rows = len(basis.distinct), len(basis.evidence) - basis.evidence.checked
    if basis.model is None or rows == groups or (basis.told.validation_probabilities is None and not basis.told.alone):
        return
    right = basis.model[0, groups:rows].argmax(axis=1) == basis.evidence.votes[groups:rows].argmax(axis=1)
    ahead = agreed - right.mean()
    error = float(np.sqrt(_variance(agreed, groups) + _variance(float(right.mean()), len(right))))
    if ahead > max(_AHEAD, _DEVIATIONS * error):
        problem = f"they agree with {agreed:.0%} of the labels, but with only {right.mean():.0%} of the trusted ones"
        raise InvalidInput("probabilities", f"{problem}; the model was probably fitted on these rows", _FIX)


def _variance(share: float, count: int) -> float:
    """That of a share of `count` rows, with one row more on either side."""
    smoothed = (share * count + 1) / (count + 2)
    return smoothed * (1 - smoothed) / count
