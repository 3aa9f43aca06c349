"""Small synthetic data ids for the golden numbers of the `dataperf` learner: the same floats on every machine."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Shape:
    """Rows and width of the training set, and the share of wrong labels (1.0: all labels are 0)."""

    rows: int
    width: int
    wrong: float
    test_rows: int = 57


SHAPES = {
    "one_batch": Shape(20, 1, 0.3),
    "short_last_batch": Shape(70, 5, 0.3),
    "padded_columns": Shape(150, 33, 0.25),
    "one_class_at_first": Shape(64, 16, 1.0),
    "many_steps": Shape(450, 3, 0.04),
}


@dataclass(frozen=True)
class MadeUp:
    """train (n, d) and test: features, float32 multiples of 1/16. order: the rows in the order they are fixed."""

    train: np.ndarray
    labels: np.ndarray
    truth: np.ndarray
    order: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray


def made_up(name: str) -> MadeUp:
    """Makes one case with numpy's legacy generator, whose stream never changes."""
    shape = SHAPES[name]
    draws = np.random.RandomState(sorted(SHAPES).index(name))
    direction = draws.randint(-3, 4, size=shape.width)

    def features(labels):
        noise = draws.randint(0, 65, size=(len(labels), shape.width))
        return ((noise + 4 * labels[:, None] * direction) / 16).astype(np.float32)

    truth = draws.randint(0, 2, size=shape.rows)
    test_labels = draws.randint(0, 2, size=shape.test_rows)
    labels = truth.copy()
    if shape.wrong == 1.0:
        labels[:] = 0
    else:
        flipped = draws.permutation(shape.rows)[: int(shape.wrong * shape.rows)]
        labels[flipped] = 1 - labels[flipped]
    train, test = features(truth), features(test_labels)
    return MadeUp(train, labels, truth, draws.permutation(shape.rows), test, test_labels)
