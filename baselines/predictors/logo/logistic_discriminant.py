"""Logo classes by the mean of logistic regression and shrinkage LDA, with a prior shift tuned out of fold for F2."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from baselines.predictors._linear import Scale, fit_discriminant, fit_linear, softmax
from cleaning.data import IntVector, Single
from cleaning.problems import LogoProblem
from cleaning.progress import Progress, silent
from cleaning.vectors.folds import stratified_folds

_SHIFTS = np.linspace(0.0, 1.5, 16)
_TOLERANCE = 0.01
_STEPS = 200


@dataclass(frozen=True)
class _Bar:
    """Progress over several consecutive fits."""

    progress: Progress
    fits: int

    def at(self, fit: int, steps: int) -> None:
        """Reports the number of steps done in a fit."""
        self.progress(fit + min(steps / _STEPS, 1.0), self.fits, "fits")


def predict(
    problem: LogoProblem,
    *,
    rng: np.random.Generator,
    progress: Progress = silent,
    strength: float = 1.0,
    folds: int = 5,
) -> NDArray[np.float64]:
    """Probabilities (m, n_classes), rows summing to 1.

    Each model is fitted `folds` times, on all folds but one. The out-of-fold mean probability p is divided by
    prior^shift, where the shift is the middle one of those whose macro F2 is within 0.01 of the best. For the test
    images, the folds' probabilities are averaged and shifted in the same way.
    """
    train, n_classes = problem.train, problem.n_classes
    scale = Scale.of(train.features)
    rows, test = scale.apply(train.features), scale.apply(problem.test)
    fold = stratified_folds(train, min(folds, len(train)), rng)
    numbers = np.unique(fold)
    held_out = np.zeros((len(rows), n_classes))
    unseen = np.zeros((len(test), n_classes))
    bar = _Bar(progress, len(numbers))
    for place, number in enumerate(numbers):
        seen = fold != number if len(numbers) > 1 else fold == number
        judged = fold == number
        both = np.vstack([rows[judged], test])
        mean = _mean_probability(rows[seen], train.labels[seen], both, n_classes, strength, bar, place)
        held_out[judged] = mean[: judged.sum()]
        unseen += mean[judged.sum() :] / len(numbers)
    prior = np.bincount(train.labels, minlength=n_classes) / len(train)
    return shifted(unseen, prior, best_shift(held_out, train.labels, prior))


def _mean_probability(
    rows: Single, labels: IntVector, judged: Single, n_classes: int, strength: float, bar: _Bar, place: int
) -> NDArray[np.float64]:
    targets = np.zeros((len(rows), n_classes), dtype=np.float32)
    targets[np.arange(len(rows)), labels] = 1
    logistic = fit_linear(
        rows, targets, "softmax", strength=strength, steps=_STEPS, report=lambda done: bar.at(place, done)
    )
    discriminant = fit_discriminant(rows, labels, n_classes)
    return (softmax(logistic.scores(judged)) + softmax(discriminant.scores(judged))) / 2


def shifted(probabilities: NDArray[np.float64], prior: NDArray[np.float64], shift: float) -> NDArray[np.float64]:
    """Probabilities / prior^shift, rows summing to 1; shift 1 cancels the class frequencies; prior 0 gives 0."""
    weight = np.where(prior > 0, np.maximum(prior, 1e-12) ** -shift, 0.0)
    moved = probabilities * weight
    return np.asarray(moved / moved.sum(axis=1, keepdims=True))


def best_shift(probabilities: NDArray[np.float64], labels: IntVector, prior: NDArray[np.float64]) -> float:
    """The middle one of the shifts whose macro F2 on these rows is near the best.

    The best shift itself is unstable, because rare classes make F2 jump.
    """
    scores = [macro_f2(shifted(probabilities, prior, shift).argmax(axis=1), labels, len(prior)) for shift in _SHIFTS]
    near = np.flatnonzero(np.asarray(scores) >= max(scores) - _TOLERANCE)
    return float(_SHIFTS[near[len(near) // 2]])


def macro_f2(predicted: IntVector, labels: IntVector, n_classes: int) -> float:
    """Mean over all classes of 5 TP / (5 TP + 4 FN + FP), 0 where that is 0 / 0."""
    hits = np.bincount(labels[predicted == labels], minlength=n_classes)
    truth, given = np.bincount(labels, minlength=n_classes), np.bincount(predicted, minlength=n_classes)
    below = 4 * truth + given
    return float(np.mean(5 * hits / np.where(below == 0, 1, below)))
