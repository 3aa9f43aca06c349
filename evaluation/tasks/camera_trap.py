"""Camera traps (Pri-matrix Factorization 2017): mean over the classes of binary log loss, lower is better.

Submission and truth (data/{data_id}/test_labels.csv): csv `filename` and one column a class; rows need not sum to 1.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cleaning.data import FloatMatrix, FloatVector
from cleaning.errors import InvalidInput, first_three
from evaluation.folders import Folders
from evaluation.metrics import Metric
from evaluation.parameters import Parameters
from evaluation.predictions import cases, data_id_of, publish_nothing, read_table, refuse_mismatch, seconds_of
from evaluation.record import Record
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
    classes, truth, given, missing = _checked(folder, case.path, case.settings["lenient"])
    losses = class_log_loss(truth, given)
    return Outcome(
        {"log_loss": float(losses.mean())},
        {"n_classes": len(classes), "n_truth": len(truth), "n_scored": len(truth) - missing, "n_missing": missing},
        seconds=seconds_of(case.path),
        details={"log_loss": dict(zip(classes, losses.tolist(), strict=True)), "epsilon": EPSILON},
    )


def validate(path: Path, folders: Folders, parameters: Parameters) -> str:
    """Checks one submission file, wherever it lies."""
    data_id = data_id_of(path, "camera_trap", parameters)
    classes, truth, _, missing = _checked(folders.groundtruth_folder / data_id, path, parameters.lenient)
    return f"data id {data_id}, {len(truth) - missing} clips, {len(classes)} classes"


def figures(records: Sequence[Record]) -> Iterator[tuple[str, "Figure"]]:
    """The loss of each class, a picture a data id."""
    from evaluation.figures import details_figures

    yield from details_figures(records, "log_loss", Metric("log_loss", "log loss of the class", False))


def _checked(folder: Path, path: Path, lenient: bool) -> tuple[list[str], FloatMatrix, FloatMatrix, int]:
    """Classes, truth and probabilities in the truth's order; a missing clip has the worst probability everywhere."""
    classes, true_rows = read_table(folder / "test_labels.csv", "filename")
    columns, rows = read_table(path, "filename")
    if sorted(columns) != sorted(classes):
        odd = sorted(set(columns) ^ set(classes))
        raise InvalidInput(
            f"{path}, line 1", f"columns that do not match ({first_three(odd)})", "use the truth's columns"
        )
    missing = refuse_mismatch(path, "clips", rows, true_rows, lenient=lenient)
    order = [columns.index(name) for name in classes]
    truth = np.array([[float(cell) for cell in cells] for cells in true_rows.values()])
    given = 1.0 - truth
    for place, name in enumerate(true_rows):
        if name in rows:
            given[place] = _probabilities(path, name, [rows[name][column] for column in order], classes)
    return classes, truth, given, missing


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
)
