"""Camera traps (Pri-matrix Factorization 2017): mean over the classes of binary log loss, lower is better.

Submission and truth (data/{data_id}/test_labels.csv): csv `filename` and one column a class; rows need not sum to 1.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, FloatVector
from cleaning.errors import InvalidInput, first_three
from evaluation.folders import Folders
from evaluation.metrics import Metric
from evaluation.parameters import Parameters
from evaluation.predictions import cases, data_id_of, publish_nothing, read_table, refuse_mismatch, seconds_of
from evaluation.record import Board, Record
from evaluation.rules import Rules
from evaluation.split import boards
from evaluation.task import Case, Outcome, Rejected, Step, Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EPSILON = 1e-15
"""Probabilities are clipped to [EPSILON, 1 - EPSILON], in float64 whatever precision they came in."""


def class_log_loss(truth: FloatMatrix, probabilities: FloatMatrix) -> FloatVector:
    """Mean binary log loss of each class, (classes,), ≥ 0; lower is better. A class without positives counts too.

    truth (n, classes) of 0 and 1, probabilities (n, classes). Written out here because scikit-learn 1.5 and later clip
    by the precision of the input: the same rows would give other losses in float32.
    """
    clipped = np.clip(np.asarray(probabilities, dtype=np.float64), EPSILON, 1 - EPSILON)
    losses = np.where(np.asarray(truth) == 1, -np.log(clipped), -np.log(1 - clipped))
    return np.asarray(losses.mean(axis=0), dtype=np.float64)


def load(folders: Folders, parameters: Parameters) -> list[Case | Rejected]:
    """Every submission to the enabled data ids of this task."""
    return cases("camera_trap", ".csv", lambda folder: [folder / "test_labels.csv"], folders, parameters)


def score(case: Case, step: Step) -> Outcome:
    """Mean log loss of one submission, columns matched by name. Raises InvalidInput for a bad row or cell."""
    folder = case.folders.groundtruth_folder / case.dataset
    checked = _checked(folder, case.path, case.settings["lenient"])
    rows = {clip: row for row, clip in enumerate(checked.clips)}
    losses = class_log_loss(checked.truth, checked.given)
    whole = _board(losses, checked.answered)

    def measure(clips: Sequence[str]) -> Board:
        place = [rows[clip] for clip in clips]
        return _board(class_log_loss(checked.truth[place], checked.given[place]), checked.answered[place])

    return Outcome(
        whole.metrics,
        whole.denominators,
        boards(case, {"": checked.clips}, measure),
        seconds=seconds_of(case.path),
        details={"log_loss": dict(zip(checked.classes, losses.tolist(), strict=True)), "epsilon": EPSILON},
    )


def _board(losses: FloatVector, answered: NDArray[np.bool_]) -> Board:
    n, n_answered = len(answered), int(answered.sum())
    counts = {"n_truth": n, "n_scored": n_answered, "n_missing": n - n_answered}
    return Board(metrics={"log_loss": float(losses.mean())}, denominators={"n_classes": len(losses), **counts})


def validate(path: Path, folders: Folders, parameters: Parameters) -> str:
    """Checks one submission file, wherever it lies."""
    data_id = data_id_of(path, "camera_trap", parameters)
    checked = _checked(folders.groundtruth_folder / data_id, path, parameters.lenient)
    return f"data id {data_id}, {int(checked.answered.sum())} clips, {len(checked.classes)} classes"


def figures(records: Sequence[Record]) -> Iterator[tuple[str, "Figure"]]:
    """The loss of each class, a picture a data id."""
    from evaluation.figures import details_figures

    yield from details_figures(records, "log_loss", Metric("log_loss", "log loss of the class", False))


@dataclass(frozen=True)
class _Checked:
    """truth, given: (clips, classes), the truth's order. answered: (clips,); elsewhere given is the worst there is."""

    clips: tuple[str, ...]
    classes: tuple[str, ...]
    truth: FloatMatrix
    given: FloatMatrix
    answered: NDArray[np.bool_]


def _checked(folder: Path, path: Path, lenient: bool) -> _Checked:
    classes, true_rows = read_table(folder / "test_labels.csv", "filename")
    columns, rows = read_table(path, "filename")
    if sorted(columns) != sorted(classes):
        odd = sorted(set(columns) ^ set(classes))
        raise InvalidInput(
            f"{path}, line 1", f"columns that do not match ({first_three(odd)})", "use the truth's columns"
        )
    refuse_mismatch(path, "clips", rows, true_rows, lenient=lenient)
    order = [columns.index(name) for name in classes]
    truth = np.array([[float(cell) for cell in cells] for cells in true_rows.values()])
    given = 1.0 - truth
    for place, name in enumerate(true_rows):
        if name in rows:
            given[place] = _probabilities(path, name, [rows[name][column] for column in order], classes)
    answered = np.array([name in rows for name in true_rows])
    return _Checked(tuple(true_rows), tuple(classes), truth, given, answered)


def _probabilities(path: Path, name: str, cells: Sequence[str], classes: Sequence[str]) -> list[float]:
    values = []
    for label, cell in zip(classes, cells, strict=True):
        try:
            value = float(cell)
        except ValueError:
            value = float("nan")
        if not 0 <= value <= 1:
            raise InvalidInput(f"{path}, clip {name}, class {label}", f"{cell!r} is no probability", "write 0 to 1")
        values.append(value)
    return values


TASK = Task(
    name="camera_trap",
    version=1,
    main=Metric("log_loss", "mean log loss over the classes", greater_is_better=False, limits=(0.0, None)),
    others=(),
    load=load,
    score=score,
    validate=validate,
    figures=figures,
    publish=publish_nothing,
    rules=Rules(counts="best"),
)
