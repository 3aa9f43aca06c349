"""Logo classes by one multinomial logistic regression on the embeddings."""

import numpy as np
from numpy.typing import NDArray

from baselines.predictors._linear import Scale, fit_linear, softmax
from cleaning.problems import LogoProblem
from cleaning.progress import Progress, silent

_STEPS = 200


def predict(
    problem: LogoProblem, *, rng: np.random.Generator, progress: Progress = silent, strength: float = 1.0
) -> NDArray[np.float64]:
    """Probabilities (m, n_classes), rows summing to 1; a class without training images gets almost 0.

    L2 penalty ‖W‖² / (2 · strength) on standardised embeddings.
    """
    scale = Scale.of(problem.train.features)
    targets = np.zeros((len(problem.train), problem.n_classes), dtype=np.float32)
    targets[np.arange(len(problem.train)), problem.train.labels] = 1
    model = fit_linear(
        scale.apply(problem.train.features),
        targets,
        "softmax",
        strength=strength,
        steps=_STEPS,
        report=lambda done: progress(min(done, _STEPS), _STEPS, "steps"),
    )
    return softmax(model.scores(scale.apply(problem.test)))
