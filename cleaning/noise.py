"""Plants label noise in clean labels, to make benchmark data."""

from typing import Literal

import numpy as np

from cleaning.data import IntVector
from cleaning.errors import InvalidInput, count_of

NoiseKind = Literal["symmetric", "one_directional"]


def plant_noise(labels: IntVector, rate: float, kind: NoiseKind, rng: np.random.Generator) -> IntVector:
    """Make some labels wrong, so that the errors in the data are known.

    Parameters
    ----------
    labels : array of int, shape (n,)
        Correct labels.
    rate : float
        Share of labels to make wrong; exactly round(rate · n) will be.
    kind : {"symmetric", "one_directional"}
        symmetric: rows are drawn uniformly, and each gets one of the other classes present. one_directional: only rows
        of the highest class are drawn, and all get the lowest, as when an annotator overlooks what is in the picture.
    rng : numpy.random.Generator
        Draws the rows and the labels.

    Returns
    -------
    array of int, shape (n,)
        A copy of the labels with the errors.

    Raises
    ------
    InvalidInput
        If there are too few rows or classes.
    """
    wrong = round(rate * len(labels))
    classes = np.unique(labels)
    if len(classes) < 2:
        found = f"the labels contain {count_of(len(classes), 'class')}"
        raise InvalidInput("label noise", found, "give labels of at least two classes")
    candidates = np.arange(len(labels)) if kind == "symmetric" else np.flatnonzero(labels == classes[-1])
    if not 0 <= wrong <= len(candidates):
        problem = f"the rate asks for {count_of(wrong, 'wrong label')}, but only {len(candidates)} can be made"
        raise InvalidInput("label noise", problem, "choose a lower rate")
    rows = rng.choice(candidates, size=wrong, replace=False)
    noisy = labels.copy()
    if kind == "symmetric":
        place = np.searchsorted(classes, labels[rows])
        noisy[rows] = classes[(place + rng.integers(1, len(classes), size=wrong)) % len(classes)]
    else:
        noisy[rows] = classes[0]
    return noisy
