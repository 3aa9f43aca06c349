"""Planting label noise in clean labels, to make benchmark data."""

from typing import Literal

import numpy as np

from cleaning.data import IntVector
from cleaning.errors import InvalidInput

NoiseKind = Literal["symmetric", "one_directional"]


def plant_noise(labels: IntVector, rate: float, kind: NoiseKind, rng: np.random.Generator) -> IntVector:
    """A copy of the (n,) labels with exactly round(rate · n) of them wrong.

    symmetric: rows drawn uniformly, each given another of the classes present. one_directional: only rows of the
    highest class are drawn and all become the lowest one, as when an annotator misses what is in the picture.
    Raises InvalidInput where there are too few rows or classes for that.
    """
    wrong = round(rate * len(labels))
    classes = np.unique(labels)
    if len(classes) < 2:
        raise InvalidInput("label noise", f"{len(classes)} class in the labels", "noise needs at least two classes")
    candidates = np.arange(len(labels)) if kind == "symmetric" else np.flatnonzero(labels == classes[-1])
    if not 0 <= wrong <= len(candidates):
        raise InvalidInput(
            "label noise", f"{wrong} wrong labels wanted, {len(candidates)} rows can get one", "choose a lower rate"
        )
    rows = rng.choice(candidates, size=wrong, replace=False)
    noisy = labels.copy()
    if kind == "symmetric":
        place = np.searchsorted(classes, labels[rows])
        noisy[rows] = classes[(place + rng.integers(1, len(classes), size=wrong)) % len(classes)]
    else:
        noisy[rows] = classes[0]
    return noisy
