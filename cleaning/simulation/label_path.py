"""The label vectors of one simulation, and what is retrained on them."""

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.progress import Progress


@dataclass(frozen=True, eq=False)
class LabelPath:
    """The distinct label vectors of one simulation: `labels` first, then labels changed step by step.

    State k has labels[rows[j]] = values[j] for all j < stops[k]; stops ascend, and are 0, 1, … len(rows) where they are
    not given: one label a step. All states are different. features (n, d), labels (n,), rows and values (m,), stops
    (states,).
    """

    features: FloatMatrix
    labels: IntVector
    rows: IntVector
    values: IntVector
    stops: IntVector | None = None

    def __len__(self) -> int:
        return len(self.rows) + 1 if self.stops is None else len(self.stops)

    def changes_until(self, state: int) -> int:
        """How many labels are changed in a state."""
        return state if self.stops is None else int(self.stops[state])

    def labels_at(self, state: int) -> IntVector:
        """The label vector of one state, a copy."""
        labels = self.labels.copy()
        stop = self.changes_until(state)
        labels[self.rows[:stop]] = self.values[:stop]
        return labels

    def part(self, start: int, stop: int) -> "LabelPath":
        """The path of the states start … stop - 1 alone."""
        first, last = self.changes_until(start), self.changes_until(stop - 1)
        stops = None if self.stops is None else self.stops[start:stop] - first
        return LabelPath(self.features, self.labels_at(start), self.rows[first:last], self.values[first:last], stops)

    def at(self, states: IntVector) -> "LabelPath":
        """The path of some states, ascending; those of a path that has all its stops."""
        return self if len(states) == len(self) else replace(self, stops=states)


class Learner(Protocol):
    """What is retrained after every fix. Implementations are immutable and may be sent to another process."""

    def describe(self) -> dict[str, object]:
        """Name and options, as they go into records and into the decision whether a record can be reused."""
        ...

    def accuracies(self, path: LabelPath, test: Split, progress: Progress) -> FloatVector:
        """Test accuracy in every state of the path, (len(path),). Raises Unsuitable for data it cannot learn from.

        This is the seam for speed: a learner sees the whole path and may reuse one state's work in the next.
        """
        ...


@runtime_checkable
class Blockwise(Protocol):
    """A learner whose long paths are worth cutting into blocks: to run side by side and to resume."""

    def block_size(self, path: LabelPath) -> int:
        """States a block, ≥ 1, from the path's shape alone: never from the machine or the number of jobs."""
        ...
