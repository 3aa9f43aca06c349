"""Camera-trap classes from pooled frames and metadata, stacked out of fold, with probabilities clipped per class."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from baselines.predictors._linear import Scale, fit_linear
from baselines.predictors.camera_trap._clips import all_pools, mean_pool, metadata_columns, pool_bases
from cleaning.data import IntVector, Single
from cleaning.errors import Unsuitable
from cleaning.problems import CameraTrapProblem
from cleaning.progress import Progress, silent

# Principal directions per pool.
_WIDTH = 256
# The grid of clipping bounds, as distances from 0 and from 1.
_FLOORS = np.concatenate(([1e-7], np.logspace(-5, -1, 25)))
# First-layer logits are clipped to ± this.
_LARGEST_LOGIT = 12.0


@dataclass(frozen=True, eq=False)
class _View:
    """One representation of the clips: training rows (n, k), test rows (m, k), and the inverse penalty for them."""

    train: Single
    test: Single
    strength: float


def predict(
    problem: CameraTrapProblem,
    *,
    rng: np.random.Generator,
    progress: Progress = silent,
    folds: int = 5,
    pseudo_labels: bool = False,
) -> NDArray[np.float64]:
    """Probabilities (m, classes).

    First layer: multi-label logistic regressions on the mean pool, on all pools, and on binned metadata, each fitted
    once per fold of a multi-label stratification (Sechidis, Tsoumakas and Vlahavas 2011). Second layer: another one on
    their out-of-fold logits. Finally, the probabilities of each class are clipped to the bounds that minimise its
    out-of-fold log loss. `pseudo_labels` then adds the test clips, labelled with their own probabilities, to every
    first-layer fit and repeats both layers. Raises Unsuitable for fewer than two clips.
    """
    labels = problem.labels.astype(np.float32)
    if len(labels) < 2:
        raise Unsuitable("it needs at least two training clips to make folds")
    rounds = 2 if pseudo_labels else 1
    views = _views(problem, rng)
    fold = stratified(labels, min(folds, len(labels)), rng)
    soft: Single | None = None
    probabilities = np.empty((0, labels.shape[1]))
    for round_number in range(rounds):
        held_out, unseen = [], []
        for number, view in enumerate(views):
            inside, outside = _first_layer(view, labels, fold, soft)
            held_out.append(inside)
            unseen.append(outside)
            progress(round_number * len(views) + number + 1, rounds * len(views), "first-layer models")
        probabilities = _second_layer(np.hstack(held_out), np.hstack(unseen), labels, fold)
        soft = probabilities.astype(np.float32)
    return probabilities


def stratified(labels: Single, folds: int, rng: np.random.Generator) -> IntVector:
    """A fold number for each clip, (n,), with the positives of every class spread evenly; a fold may lack a class."""
    from iterstrat.ml_stratifiers import MultilabelStratifiedKFold  # takes a second, which few commands need

    splitter = MultilabelStratifiedKFold(n_splits=folds, shuffle=True, random_state=int(rng.integers(2**31)))
    fold = np.empty(len(labels), dtype=np.int64)
    for number, (_, members) in enumerate(splitter.split(np.zeros(len(labels)), labels)):
        fold[members] = number
    return fold


def best_bounds(probabilities: NDArray[np.float64], truth: Single) -> tuple[float, float]:
    """The lower and upper clipping bound with the least log loss for one class, each from a fixed grid."""
    low = min(_FLOORS, key=lambda floor: _log_loss(np.maximum(probabilities, floor), truth))
    high = min(_FLOORS, key=lambda floor: _log_loss(np.minimum(probabilities, 1 - floor), truth))
    return (float(low), float(1 - high)) if low < 1 - high else (1e-7, 1 - 1e-7)


def _views(problem: CameraTrapProblem, rng: np.random.Generator) -> list[_View]:
    bases = pool_bases(problem.train.frames, _WIDTH, rng)
    tables = [
        (mean_pool(problem.train.frames), mean_pool(problem.test.frames), 0.01),
        (all_pools(problem.train.frames, bases), all_pools(problem.test.frames, bases), 0.002),
        (*metadata_columns(problem.train.metadata, problem.test.metadata), 1.0),
    ]
    views = []
    for train, test, strength in tables:
        if train.shape[1]:
            scale = Scale.of(train)
            views.append(_View(scale.apply(train), scale.apply(test), strength))
    return views


def _first_layer(
    view: _View, labels: Single, fold: IntVector, soft: Single | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Out-of-fold logits (n, classes) and the folds' mean logits of the test clips (m, classes)."""
    numbers = np.unique(fold)
    held_out = np.zeros(labels.shape)
    unseen = np.zeros((len(view.test), labels.shape[1]))
    for number in numbers:
        seen = fold != number
        rows = view.train[seen] if soft is None else np.vstack([view.train[seen], view.test])
        goal = labels[seen] if soft is None else np.vstack([labels[seen], soft])
        model = fit_linear(rows, goal, "sigmoid", strength=view.strength)
        held_out[~seen] = model.scores(view.train[~seen])
        unseen += model.scores(view.test) / len(numbers)
    return np.clip(held_out, -_LARGEST_LOGIT, _LARGEST_LOGIT), np.clip(unseen, -_LARGEST_LOGIT, _LARGEST_LOGIT)


def _second_layer(
    held_out: NDArray[np.float64], unseen: NDArray[np.float64], labels: Single, fold: IntVector
) -> NDArray[np.float64]:
    """Test probabilities of the second layer, clipped to the bounds that were best for each class out of fold."""
    scale = Scale.of(held_out)
    view = _View(scale.apply(held_out), scale.apply(unseen), 0.1)
    inside, outside = _first_layer(view, labels, fold, None)
    probabilities = expit(outside)
    for column in range(labels.shape[1]):
        low, high = best_bounds(expit(inside[:, column]), labels[:, column])
        probabilities[:, column] = np.clip(probabilities[:, column], low, high)
    return np.asarray(probabilities)


def _log_loss(probabilities: NDArray[np.float64], truth: Single) -> float:
    clipped = np.clip(probabilities, 1e-15, 1 - 1e-15)
    return float(-np.where(truth > 0, np.log(clipped), np.log1p(-clipped)).mean())
