"""The label vectors of one simulation, and the interface of the learners that are retrained on them."""

from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from cleaning.data import FloatMatrix, FloatVector, IntVector, Split
from cleaning.progress import Progress


@dataclass(frozen=True, eq=False)
class LabelPath:
    """The distinct label vectors of one simulation: the given labels first, then one vector per change.

    Parameters
    ----------
    features : array of shape (n, d)
        The training embeddings.
    labels : array of int, shape (n,)
        The labels of state 0.
    rows, values : arrays of int, shape (m,)
        In state k, labels[rows[j]] = values[j] for all j < stops[k].
    stops : array of int, shape (states,), optional
        Ascending. Default: 0, 1, … m, one more change per state.
    """

    features: FloatMatrix
    labels: IntVector
    rows: IntVector
    values: IntVector
    stops: IntVector | None = None

    def __len__(self) -> int:
        return len(self.rows) + 1 if self.stops is None else len(self.stops)

    def changes_until(self, state: int) -> int:
        """Count the labels changed in a state.

        Parameters
        ----------
        state : int
            The number of the state, from 0.

        Returns
        -------
        int
            How many labels differ from those of state 0.
        """
        return state if self.stops is None else int(self.stops[state])

    def labels_at(self, state: int) -> IntVector:
        """Give the label vector of a state.

        Parameters
        ----------
        state : int
            The number of the state, from 0.

        Returns
        -------
        array of int, shape (n,)
            A copy.
        """
        labels = self.labels.copy()
        stop = self.changes_until(state)
        labels[self.rows[:stop]] = self.values[:stop]
        return labels

    def part(self, start: int, stop: int) -> "LabelPath":
        """Cut out the states start … stop - 1.

        Parameters
        ----------
        start, stop : int
            The first state, and the one after the last.

        Returns
        -------
        LabelPath
            These states alone.
        """
        first, last = self.changes_until(start), self.changes_until(stop - 1)
        stops = None if self.stops is None else self.stops[start:stop] - first
        return LabelPath(self.features, self.labels_at(start), self.rows[first:last], self.values[first:last], stops)

    def at(self, states: IntVector) -> "LabelPath":
        """Select states of a path that has all its stops.

        Parameters
        ----------
        states : array of int
            Ascending numbers of states.

        Returns
        -------
        LabelPath
            These states alone.
        """
        return self if len(states) == len(self) else replace(self, stops=states)


class Learner(Protocol):
    """A model that is retrained after every fix. Implementations are immutable and may be sent to another process."""

    def describe(self) -> dict[str, object]:
        """Give the name and options, which are stored in records and decide whether a record can be reused.

        Returns
        -------
        dict
            Everything that the accuracies depend on besides the data.
        """
        ...

    def accuracies(self, path: LabelPath, test: Split, progress: Progress) -> FloatVector:
        """Train on every state of a path and measure the test accuracy.

        Parameters
        ----------
        path : LabelPath
            All label vectors at once, so that the work of one state can be reused in the next.
        test : Split
            Rows with trusted labels.
        progress : Progress
            Receives the number of states done and the total.

        Returns
        -------
        array of shape (len(path),)
            Accuracies in [0, 1].

        Raises
        ------
        Unsuitable
            For data the learner cannot learn from.
        """
        ...


@runtime_checkable
class Blockwise(Protocol):
    """A learner whose long paths are worth splitting into blocks, which can run in parallel and be resumed."""

    def block_size(self, path: LabelPath) -> int:
        """States per block, ≥ 1. Depends on the path's shape alone, never on the machine or the number of jobs."""
        ...
