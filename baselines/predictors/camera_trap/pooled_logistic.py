"""Camera-trap classes by one joint multi-label logistic regression on the mean of the frames."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from baselines.predictors._linear import Scale, fit_linear
from baselines.predictors.camera_trap._clips import mean_pool
from cleaning.problems import CameraTrapProblem
from cleaning.progress import Progress, silent

_STEPS = 200


def predict(
    problem: CameraTrapProblem, *, rng: np.random.Generator, progress: Progress = silent, strength: float = 0.01
) -> NDArray[np.float64]:
    """Probabilities (m, classes). All classes share one optimisation; L2 penalty ‖W‖² / (2 · strength)."""
    pooled = mean_pool(problem.train.frames)
    scale = Scale.of(pooled)
    model = fit_linear(
        scale.apply(pooled),
        problem.labels.astype(np.float32),
        "sigmoid",
        strength=strength,
        steps=_STEPS,
        report=lambda done: progress(min(done, _STEPS), _STEPS, "steps"),
    )
    return np.asarray(expit(model.scores(scale.apply(mean_pool(problem.test.frames)))))
