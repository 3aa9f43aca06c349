"""The cleaning simulation: fix the labels in the order of a ranking, retrain, measure."""

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from cleaning.blocks import block_names
from cleaning.curve import CleaningCurve, reaches
from cleaning.data import FloatMatrix, FloatVector, GroundTruth, IntVector, NoisyDataset, Split
from cleaning.errors import InvalidInput
from cleaning.parallel import SERIAL, Engine, finished_jobs
from cleaning.ranking import Ranking

Step = Callable[[int, int], None]
"""Told the fits done and the fits in all."""


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

    def accuracies(self, path: LabelPath, test: Split, step: Step) -> FloatVector:
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


@dataclass(frozen=True)
class Plan:
    """How a simulation is run; nothing here but `budgets` changes a number of its curve.

    engine: where blocks run. blocks: what the finished blocks of a curve that has several are kept in, by name, to
    resume from; None keeps nothing.
    budgets: the numbers of fixes that become points: all (None), so many evenly spaced, or those listed; 0 and n always
    do. The fixes around the first crossing of target × the clean accuracy then become points too, one by one.
    """

    engine: Engine = SERIAL
    blocks: MutableMapping[str, bytes] | None = None
    budgets: int | Sequence[int] | None = None
    target: float = 0.95


def simulate(
    dataset: NoisyDataset,
    truth: GroundTruth,
    ranking: Ranking,
    learner: Learner,
    step: Step | None = None,
    plan: Plan | None = None,
) -> CleaningCurve:
    """The accuracy after 0 … n fixes in the order of `ranking`.

    Fixing a label that was right changes nothing, so the learner is fitted once per distinct label vector:
    (wrong labels + 1) times, or fewer where plan.budgets thins the points. Raises InvalidInput where lengths do not
    match or a budget is outside 0 … n.
    """
    train, plan = dataset.train, plan or Plan()
    if len(truth.labels) != len(train) or len(ranking) != len(train):
        raise InvalidInput(
            f"data id {dataset.name}",
            f"{len(train)} training rows, {len(truth.labels)} true labels and {len(ranking)} ranked rows do not match",
            "rank every training row once",
        )
    changed = (train.labels != truth.labels)[ranking.order]
    rows = ranking.order[changed]
    path = LabelPath(train.features, train.labels, rows, truth.labels[rows])
    state = np.concatenate(([0], np.cumsum(changed)))
    reached = np.full(len(path), np.nan)
    fixes = _budgets(plan.budgets, len(train))
    _fill(reached, np.unique(state[fixes]), path, dataset.test, learner, step or _silent, plan)
    if plan.budgets is not None:
        between = _around_crossing(fixes, reached[state[fixes]], plan.target)
        between = between[changed[between - 1]]
        _fill(reached, state[between], path, dataset.test, learner, step or _silent, plan)
        fixes = np.union1d(fixes, between)
    return CleaningCurve(fixes, reached[state[fixes]], float(reached[0]), float(reached[-1]))


def _budgets(budgets: int | Sequence[int] | None, rows: int) -> IntVector:
    if budgets is None:
        return np.arange(rows + 1)
    if isinstance(budgets, int):
        if budgets < 1:
            raise InvalidInput("budgets", f"{budgets} points", "ask for at least 1")
        return np.unique(np.round(np.linspace(0, rows, budgets + 1)).astype(np.int64))
    outside = [budget for budget in budgets if not 0 <= budget <= rows]
    if outside:
        raise InvalidInput("budgets", f"{outside[0]} is outside 0 … {rows}", "name numbers of fixes")
    return np.unique(np.array([0, *budgets, rows], dtype=np.int64))


def _around_crossing(fixes: IntVector, accuracy: FloatVector, target: float) -> IntVector:
    """The numbers of fixes strictly between the last point below the target and the first that reaches it."""
    first = int(np.argmax(reaches(accuracy, target * accuracy[-1])))
    return np.arange(fixes[first - 1] + 1, fixes[first]) if first else np.empty(0, dtype=np.int64)


def _fill(
    reached: FloatVector, states: IntVector, path: LabelPath, test: Split, learner: Learner, step: Step, plan: Plan
) -> None:
    """Puts the accuracies of some states in their places, a block at a time."""
    missing = states[np.isnan(reached[states])]
    if not len(missing):
        return
    part = path.at(missing)
    size = max(1, learner.block_size(part)) if isinstance(learner, Blockwise) else len(part)
    cuts = [(start, min(start + size, len(part))) for start in range(0, len(part), size)]
    store: MutableMapping[str, bytes] = {} if plan.blocks is None or len(cuts) == 1 else plan.blocks
    names = dict(zip(cuts, block_names(learner.describe(), part, test, cuts), strict=True)) if len(cuts) > 1 else {}
    todo = []
    for cut in cuts:
        known = store.get(names.get(cut, ""), b"")
        if len(known) == 8 * (cut[1] - cut[0]):
            reached[missing[slice(*cut)]] = np.frombuffer(known, dtype=np.float64)
        else:
            todo.append(cut)
    done = len(missing) - sum(stop - start for start, stop in todo)
    if done:
        step(done, len(missing))
    shared = (learner, part.features, replace(part, features=part.features[:0]), test)

    def progress(inside: int, _total: int) -> None:
        step(done + inside, len(missing))

    for number, found in finished_jobs(_block, shared, todo, plan.engine, progress):
        cut = todo[number]
        reached[missing[slice(*cut)]] = found
        if cut in names:
            store[names[cut]] = found.tobytes()
        done += cut[1] - cut[0]
        step(done, len(missing))


def _block(
    learner: Learner, features: FloatMatrix, path: LabelPath, test: Split, cut: tuple[int, int], step: Step
) -> FloatVector:
    """One block: the features travel apart from the path, so that an engine sends them once."""
    return np.asarray(learner.accuracies(replace(path, features=features).part(*cut), test, step), dtype=np.float64)


def _silent(done: int, total: int) -> None:
    """Nobody is watching."""
