"""The cleaning simulation: fix the labels in the order of a ranking, retrain, measure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cleaning.curve import CleaningCurve
from cleaning.data import FloatMatrix, FloatVector, GroundTruth, IntVector, NoisyDataset, Split
from cleaning.errors import InvalidInput
from cleaning.ranking import Ranking

Step = Callable[[int, int], None]
"""Told the fits done and the fits in all."""


@dataclass(frozen=True, eq=False)
class LabelPath:
    """The distinct label vectors of one simulation: `labels` first, then one label changed a step.

    State k has labels[rows[j]] = values[j] for all j < k; there are len(rows) + 1 states, all different.
    features (n, d), labels (n,), rows and values (m,).
    """

    features: FloatMatrix
    labels: IntVector
    rows: IntVector
    values: IntVector

    def __len__(self) -> int:
        return len(self.rows) + 1

    def labels_at(self, state: int) -> IntVector:
        """The label vector of one state, a copy."""
        labels = self.labels.copy()
        labels[self.rows[:state]] = self.values[:state]
        return labels


class Learner(Protocol):
    """What is retrained after every fix. Implementations are immutable and may be sent to another process."""

    def describe(self) -> dict[str, object]:
        """Name and options, as they go into records and into the decision whether a record can be reused."""
        ...

    def accuracies(self, path: LabelPath, test: Split, step: Step) -> FloatVector:
        """Test accuracy in every state of the path, (len(path),). Raises Unsuitable for data it cannot learn from.

        This is the seam for speed: a learner sees the whole path and may reuse one state's work in the next.
        """
        ...


def simulate(
    dataset: NoisyDataset, truth: GroundTruth, ranking: Ranking, learner: Learner, step: Step | None = None
) -> CleaningCurve:
    """The accuracy after 0 … n fixes in the order of `ranking`.

    Fixing a label that was right changes nothing, so the learner is fitted once per distinct label vector:
    (wrong labels + 1) times. Raises InvalidInput where lengths do not match.
    """
    train = dataset.train
    if len(truth.labels) != len(train) or len(ranking) != len(train):
        raise InvalidInput(
            f"data id {dataset.name}",
            f"{len(train)} training rows, {len(truth.labels)} true labels and {len(ranking)} ranked rows do not match",
            "rank every training row once",
        )
    wrong = train.labels != truth.labels
    changed = wrong[ranking.order]
    rows = ranking.order[changed]
    path = LabelPath(train.features, train.labels, rows, truth.labels[rows])
    reached = learner.accuracies(path, dataset.test, step or _silent)
    state = np.concatenate(([0], np.cumsum(changed)))
    return CleaningCurve(
        np.arange(len(train) + 1), np.asarray(reached, dtype=np.float64)[state], float(reached[0]), float(reached[-1])
    )


def _silent(done: int, total: int) -> None:
    """Nobody is watching."""
