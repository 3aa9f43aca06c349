"""Very many made-up rows in a file: overlapping classes, and labels of which some are wrong."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.benchmarks import _crowds as crowds

_BLOCK = 8192


@dataclass(frozen=True)
class Case:
    """How many rows, numbers per row, and classes; spread: of a class, relative to the distances of the classes.

    annotators: how many people label every row; 0: each row has a label.
    """

    rows: int = 32_768
    width: int = 256
    classes: int = 200
    spread: float = 3.5
    annotators: int = 0

    def write(self, folder: Path) -> np.ndarray:
        """Writes X.npy and y.npy and returns which labels are wrong; with annotators, also votes.parquet."""
        rng = np.random.default_rng(0)
        group = rng.integers(0, max(2, self.classes // 20), self.classes)
        centres = rng.standard_normal((group.max() + 1, self.width))[group]
        centres += 0.7 * rng.standard_normal(centres.shape)
        mixed = rng.standard_normal((self.width, self.width)) * np.linspace(1.6, 0.2, self.width)[:, None]
        mixed = (mixed / np.sqrt(self.width)).astype(np.float32)
        truth = rng.integers(0, self.classes, self.rows)
        # fewer columns tell less, so the classes overlap as much as with 512
        spread = np.float32(self.spread * np.sqrt(self.width / 512))
        rows = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float16, (self.rows, self.width))
        for start in range(0, self.rows, _BLOCK):
            own = truth[start : start + _BLOCK]
            noise = rng.standard_normal((2, len(own), self.width), dtype=np.float32)
            rows[start : start + _BLOCK] = np.maximum(
                centres[own] + spread * (noise[0] @ mixed + np.float32(0.5) * noise[1]), 0
            )
        rows.flush()
        if self.annotators:
            rates = np.linspace(0.05, 0.45, self.annotators)
            said = [self._mislabelled(truth, group, rng, rate).astype(np.int32) for rate in rates]
            given = crowds.written(folder, np.stack(said, axis=1))
        else:
            given = self._mislabelled(truth, group, rng, 0.1)
        np.save(folder / "y.npy", given)
        np.save(folder / "truth.npy", truth)
        return np.asarray(given != truth)

    def _mislabelled(self, truth: np.ndarray, group: np.ndarray, rng: np.random.Generator, rate: float) -> np.ndarray:
        given, wrong = truth.copy(), np.flatnonzero(rng.random(self.rows) < rate)
        given[wrong] = (truth[wrong] + rng.integers(1, self.classes, len(wrong))) % self.classes
        for row in wrong[::2]:
            near = np.flatnonzero(group == group[truth[row]])
            near = near[near != truth[row]]
            given[row] = rng.choice(near) if len(near) else given[row]
        return given
