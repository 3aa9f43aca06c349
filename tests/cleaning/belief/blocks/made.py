"""Rows in a file, with wrong labels, copies, and rows without a label."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cleaning.belief.blocks.stored import Stored


@dataclass(frozen=True)
class Case:
    """Rows and their labels; some are wrong, the last ten rows have none, and rows 0 to 4 have a copy from row 5 on.

    truth: the right labels.
    """

    rows: np.ndarray
    labels: np.ndarray
    wrong: np.ndarray
    truth: np.ndarray

    def stored(self, folder: Path, dtype: str = "float32") -> Stored:
        path = folder / f"rows_{dtype}.npy"
        np.save(path, self.rows.astype(dtype))
        found = Stored.of(np.load(path, mmap_mode="r"))
        assert found is not None
        return found


def case(n: int = 900, width: int = 8, classes: int = 4) -> Case:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, classes, n)
    rows = 2.2 * rng.standard_normal((classes, width))[truth] + rng.standard_normal((n, width))
    truth[5:10], rows[5:10] = truth[:5], rows[:5]
    wrong = rng.random(n) < 0.15
    labels = np.where(wrong, (truth + rng.integers(1, classes, n)) % classes, truth)
    labels[-10:], wrong[-10:] = -1, False
    return Case(rows.astype(np.float32), labels, wrong, truth)


class Undrawn:
    """Draws everything in its order, and the folds that rows have by blocks."""

    def __init__(self, fold):
        self.fold = fold

    def choice(self, rows, size, replace):
        return np.arange(size) if np.isscalar(rows) else rows[:size]

    def permutation(self, count):
        return self.fold if count == len(self.fold) else np.arange(count)
