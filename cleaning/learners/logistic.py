"""L2 logistic regression, solved to the optimum in every state."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.errors import InvalidInput
from cleaning.learners.logistic_path.certified import MOST_CLASSES, CertifiedPath
from cleaning.learners.logistic_path.geometry import Columns, geometry_of
from cleaning.learners.logistic_path.leads import predictions
from cleaning.learners.logistic_path.path import Changes, optima
from cleaning.progress import Progress
from cleaning.simulation.label_path import LabelPath
from cleaning.vectors.neighbours import unit_rows
from cleaning.vectors.scaling import Scaling, scaled

# Test rows are predicted in blocks of this size.
_TEST_ROWS = 4096
# Feature values × outputs × states per block, see `block_size`.
_BLOCK_WORK = 1 << 37


@dataclass(frozen=True)
class Learner:
    """Minimises Σ log-loss + ‖w‖² / (2 C), intercept unpenalised, on scaled features.

    C: inverse strength of the L2 penalty, > 0. scaling: `none`, `standard` (each column to mean 0 and deviation 1 on
    the training rows), or `unit` (each row to length 1); float32 features stay float32. Two classes have one weight
    vector; more classes are multinomial, over the classes present. A training set with a single class predicts it.

    The defaults come from a study of 18 settings (tests/benchmarks/default_learner.py). With labels fixed in random
    order, unit rows with C = 10 had the best mean accuracy: .825 over digits (odd or even .823, ten classes .904) and
    the four DataPerf ids (.747). The next best settings had .812: unscaled features with C = 1 and standardised ones
    with C = 0.1. Unit rows also had the smoothest curves of all settings with equally good clean models, and their
    scores do not depend on the unit of the features.
    """

    C: float = 10.0
    scaling: Scaling = "unit"

    def __post_init__(self) -> None:
        if not 0 < self.C < np.inf:
            raise InvalidInput("learner logistic, option C", f"found {self.C}", "give a finite number above 0")

    def describe(self) -> dict[str, object]:
        """Name and options."""
        return {"name": "logistic", **asdict(self)}

    def block_size(self, path: LabelPath) -> int:
        """States per block: seconds to minutes of work. The cold start of a block costs about two hundred states."""
        outputs = len(np.unique(np.concatenate([path.labels, path.values])))
        return int(np.clip(_BLOCK_WORK // (path.features.size * max(outputs - 1, 1)), 256, 2048))

    def accuracies(self, path: LabelPath, test: Split, progress: Progress) -> FloatVector:
        """Test accuracy of the optimum in every state of the path.

        With 3 to 128 classes, the accuracies are exact: proven to be those of the optimum, by
        `logistic_path.certificate`, in float64. Two classes, more classes, and states whose data are too nearly
        separable for the proof, are solved until all margins are within MARGIN_TOLERANCE of the optimum by an estimate.
        A test row whose log-odds are within that tolerance of a tie is assigned to the lower class.
        """
        features, test_features = self._scaled(path, test)
        accuracy = np.full(len(path), np.nan)
        for start, stop, classes in _stretches(path):
            if len(classes) == 1:
                accuracy[start:stop] = np.mean(test.labels == classes[0])
                progress(stop, len(path))
                continue
            changes = _changes(path.part(start, stop), classes)
            part = accuracy[start:stop]
            if 2 < len(classes) <= MOST_CLASSES:
                for settled in self._proven(part, features, changes, test_features, test.labels, classes):
                    progress(start + settled, len(path))
            missing = np.flatnonzero(np.isnan(part))
            if not len(missing):
                continue
            changes, done = replace(changes, stops=changes.stops[missing]), 0
            for solution in optima(features, changes, self.C, unit=self.scaling == "unit"):
                states = missing[done : done + solution.shape[2]]
                right = sum(block.sum(axis=0) for block in _correct(solution, test_features, test.labels, classes))
                part[states] = right / len(test)
                done += len(states)
                progress(stop - len(missing) + done, len(path))
        return accuracy

    def correct(self, path: LabelPath, test: Split, progress: Progress) -> NDArray[np.bool_]:
        """Which test rows are predicted correctly in every state of the path, (states, rows). Solves every state."""
        features, test_features = self._scaled(path, test)
        found = np.empty((len(path), len(test)), dtype=np.bool_)
        for start, stop, classes in _stretches(path):
            if len(classes) == 1:
                found[start:stop] = test.labels == classes[0]
                progress(stop, len(path))
                continue
            for solution in optima(
                features, _changes(path.part(start, stop), classes), self.C, unit=self.scaling == "unit"
            ):
                end = start + solution.shape[2]
                found[start:end] = np.vstack(list(_correct(solution, test_features, test.labels, classes))).T
                start = end
                progress(start, len(path))
        return found

    def _scaled(self, path: LabelPath, test: Split) -> tuple[FloatMatrix, FloatMatrix]:
        """The features of the training and of the test rows."""
        if self.scaling == "unit":  # the solver scales unit rows itself, without copying large features
            return path.features, unit_rows(test.features)
        return scaled(path.features, test.features, self.scaling)

    def _proven(
        self,
        accuracy: FloatVector,
        features: FloatMatrix,
        changes: Changes,
        test_features: FloatMatrix,
        labels: IntVector,
        classes: IntVector,
    ) -> Iterator[int]:
        """Fills in the accuracies that can be proven without solving the states. Yields how many there are so far."""
        geometry = geometry_of(features, self.C, len(classes), self.scaling == "unit")
        assert isinstance(geometry, Columns)
        known = np.isin(labels, classes)  # the others are never predicted
        if not known.any():
            accuracy[:] = 0.0
            yield len(accuracy)
            return
        rows = geometry.seen(test_features[known])
        path = CertifiedPath(geometry, changes, rows, np.searchsorted(classes, labels[known]))
        yield from path.run()
        for state, right in path.right.items():
            accuracy[state] = right / len(labels)


def _stretches(path: LabelPath) -> Iterator[tuple[int, int, IntVector]]:
    """Yields runs of states (start, stop) with the same classes present, and those classes in ascending order."""
    labels = path.labels.copy()
    counts = np.bincount(np.concatenate([labels, path.values]))
    counts[:] = np.bincount(labels, minlength=len(counts))
    start, present, made = 0, counts > 0, 0
    for state in range(len(path)):
        for change in range(made, path.changes_until(state)):
            row = path.rows[change]
            counts[labels[row]] -= 1
            counts[path.values[change]] += 1
            labels[row] = path.values[change]
        made = path.changes_until(state)
        if state and not np.array_equal(present, counts > 0):
            yield start, state, np.flatnonzero(present)
            start = state
        present = counts > 0
    yield start, len(path), np.flatnonzero(present)


def _changes(path: LabelPath, classes: IntVector) -> Changes:
    """The path as 0/1 targets.

    A label that exists only between two states may belong to no class present; its targets are all zero.
    """
    known = np.concatenate([path.labels, path.values])
    codes = np.zeros((int(known.max()) + 1, len(classes)))
    codes[classes, np.arange(len(classes))] = 1.0
    if len(classes) == 2:
        codes = codes[:, 1:]
    labels = path.labels.copy()
    before = np.empty(len(path.rows), dtype=np.int64)
    for change, row in enumerate(path.rows):
        before[change] = labels[row]
        labels[row] = path.values[change]
    stops = np.array([path.changes_until(state) for state in range(len(path))])
    return Changes(codes[path.labels], path.rows, codes[path.values] - codes[before], stops)


def _correct(
    solution: FloatMatrix, features: FloatMatrix, labels: IntVector, classes: IntVector
) -> Iterator[NDArray[np.bool_]]:
    """Blocks (rows, states) of which rows each state of a solution (d + 1, outputs, states) predicts correctly."""
    outputs, states = solution.shape[1:]
    flat, intercepts = solution[:-1].reshape(len(solution) - 1, -1), solution[-1]
    for start in range(0, len(features), _TEST_ROWS):
        rows = features[start : start + _TEST_ROWS].astype(np.float64, copy=False)
        margins = (rows @ flat).reshape(len(rows), outputs, states) + intercepts
        yield classes[predictions(margins)] == labels[start : start + _TEST_ROWS, None]
