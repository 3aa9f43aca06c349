"""The cleaning simulation: fix the labels in the order of a ranking, retrain, measure."""

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cleaning.data import FloatMatrix, FloatVector, GroundTruth, IntVector, NoisyDataset, Split
from cleaning.errors import InvalidInput
from cleaning.parallel.engine import SERIAL, Engine, finished_jobs
from cleaning.progress import Progress, silent
from cleaning.ranking import Ranking
from cleaning.simulation.blocks import block_names
from cleaning.simulation.curve import CleaningCurve, reaches
from cleaning.simulation.label_path import Blockwise, LabelPath, Learner


@dataclass(frozen=True)
class Plan:
    """How a simulation is run. Only `budgets` changes the curve.

    Parameters
    ----------
    engine : Engine
        Where the blocks of a curve run.
    blocks : mutable mapping of str to bytes, optional
        Stores finished blocks by name, to resume from. Default: nothing is stored.
    budgets : int or sequence of int, optional
        The numbers of fixes at which the curve has points: this many evenly spaced ones, or the ones listed. 0 and n
        are always included. Around the first crossing of target × the clean accuracy, every number of fixes is added.
        Default: every number of fixes.
    target : float, default 0.95
        The share of the clean accuracy at whose first crossing every point is added.
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
    progress: Progress = silent,
    plan: Plan | None = None,
) -> CleaningCurve:
    """Fix the labels of a data set in the order of a ranking, retrain after every fix, and measure the accuracy.

    Parameters
    ----------
    dataset : NoisyDataset
        Training rows with noisy labels, and test rows.
    truth : GroundTruth
        The true labels of the training rows.
    ranking : Ranking
        The order in which labels are fixed.
    learner : Learner
        The model that is retrained.
    progress : Progress, optional
        Receives the number of models trained and the total.
    plan : Plan, optional
        Where the simulation runs, and which points the curve has.

    Returns
    -------
    CleaningCurve
        The accuracy after 0 … n fixes.

    Raises
    ------
    InvalidInput
        If lengths do not match, or a budget is outside 0 … n.
    Unsuitable
        If the learner cannot learn from these data.

    Notes
    -----
    Fixing a label that was right changes nothing, so the learner is trained once per distinct label vector: at most
    (wrong labels + 1) times.
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
    _fill(reached, np.unique(state[fixes]), path, dataset.test, learner, progress, plan)
    if plan.budgets is not None:
        between = _around_crossing(fixes, reached[state[fixes]], plan.target)
        between = between[changed[between - 1]]
        _fill(reached, state[between], path, dataset.test, learner, progress, plan)
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
        raise InvalidInput("budgets", f"{outside[0]} is outside 0 … {rows}", "list numbers of fixes in that range")
    return np.unique(np.array([0, *budgets, rows], dtype=np.int64))


def _around_crossing(fixes: IntVector, accuracy: FloatVector, target: float) -> IntVector:
    """The numbers of fixes strictly between the last point below the target and the first that reaches it."""
    first = int(np.argmax(reaches(accuracy, target * accuracy[-1])))
    return np.arange(fixes[first - 1] + 1, fixes[first]) if first else np.empty(0, dtype=np.int64)


def _fill(
    reached: FloatVector,
    states: IntVector,
    path: LabelPath,
    test: Split,
    learner: Learner,
    progress: Progress,
    plan: Plan,
) -> None:
    """Computes the missing accuracies of some states, block by block, and stores them in `reached`."""
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
        progress(done, len(missing))
    shared = (learner, part.features, replace(part, features=part.features[:0]), test)

    def within(inside: float, _total: float, _note: str = "") -> None:
        progress(done + inside, len(missing))

    for number, found in finished_jobs(_block, shared, todo, plan.engine, within):
        cut = todo[number]
        reached[missing[slice(*cut)]] = found
        if cut in names:
            store[names[cut]] = found.tobytes()
        done += cut[1] - cut[0]
        progress(done, len(missing))


def _block(
    learner: Learner, features: FloatMatrix, path: LabelPath, test: Split, cut: tuple[int, int], progress: Progress
) -> FloatVector:
    """The accuracies of one block. The features are separate from the path, so that an engine sends them only once."""
    return np.asarray(learner.accuracies(replace(path, features=features).part(*cut), test, progress), dtype=np.float64)
