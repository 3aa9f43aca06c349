"""Camera traps (Pri-matrix Factorization 2017): mean over the classes of binary log loss, lower is better.

Submission and truth (data/{data_id}/test_labels.csv): csv `filename` and one column a class; rows need not sum to 1.
"""

import math
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cleaning.data import FloatMatrix, FloatVector
from cleaning.errors import InvalidInput, first_three
from evaluation.csv_rows import Row, csv_rows
from evaluation.figures_calibration import reliability
from evaluation.folders import Folders
from evaluation.metrics import Metric
from evaluation.parameters import Parameters
from evaluation.predictions import cases, data_id_of, publish_nothing, refuse_mismatch, seconds_of
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
    losses = np.empty(truth.shape[1])
    for column in range(truth.shape[1]):
        clipped = np.clip(probabilities[:, column].astype(np.float64), EPSILON, 1 - EPSILON)
        losses[column] = -np.log(np.where(truth[:, column] == 1, clipped, 1 - clipped)).mean()
    return losses


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
        details={
            "log_loss": dict(zip(classes, losses.tolist(), strict=True)),
            "reliability": reliability(truth, given),
            "epsilon": EPSILON,
        },
    )


def validate(path: Path, folders: Folders, parameters: Parameters) -> str:
    """Checks one submission file, wherever it lies."""
    data_id = data_id_of(path, "camera_trap", parameters)
    classes, truth, _, missing = _checked(folders.groundtruth_folder / data_id, path, parameters.lenient)
    return f"data id {data_id}, {len(truth) - missing} clips, {len(classes)} classes"


def figures(records: Sequence[Record]) -> Iterator[tuple[str, "Figure"]]:
    """The loss of each class and the calibration, a picture a data id."""
    from evaluation.figures_calibration import calibration_figures

    yield from calibration_figures(records, TASK.main, Metric("log_loss", "log loss of the class", False))


def _checked(folder: Path, path: Path, lenient: bool) -> tuple[list[str], FloatMatrix, FloatMatrix, int]:
    """Classes, truth and probabilities in the truth's order; a missing clip has the worst probability everywhere."""
    source = folder / "test_labels.csv"
    classes, lines = csv_rows(source, "filename")
    if not classes:
        raise InvalidInput(f"{source}, line 1", "there is no class", "write filename and one column a class")
    clips, truth = _matrix(source, lines, classes, classes)
    columns, lines = csv_rows(path, "filename")
    if sorted(columns) != sorted(classes):
        odd = sorted(set(columns) ^ set(classes))
        raise InvalidInput(
            f"{path}, line 1", f"columns that do not match ({first_three(odd)})", "use the truth's columns"
        )
    names, rows = _matrix(path, lines, columns, classes)
    missing = refuse_mismatch(path, "clips", names, clips, lenient=lenient)
    place = {name: row for row, name in enumerate(clips)}
    given = 1.0 - truth
    given[[place[name] for name in names]] = rows
    return classes, truth, given, missing


def _matrix(
    path: Path, lines: Iterator[Row], columns: Sequence[str], classes: Sequence[str]
) -> tuple[list[str], FloatMatrix]:
    """Keys and a matrix of probabilities (rows, classes), its columns in the order of `classes`."""
    numbers, names = array("d"), []
    order = [columns.index(name) for name in classes]
    for name, cells in lines:
        chosen = [cells[column] for column in order]
        try:
            values = list(map(float, chosen))
        except ValueError:
            values = [math.nan]
        # min and max pass over a NaN, the sum does not
        if not (min(values) >= 0 and max(values) <= 1) or math.isnan(sum(values)):
            raise _no_probability(path, name, chosen, classes)
        numbers.extend(values)
        names.append(name)
    return names, np.asarray(numbers).reshape(len(names), len(classes))


def _no_probability(path: Path, name: str, cells: Sequence[str], classes: Sequence[str]) -> InvalidInput:
    for label, cell in zip(classes, cells, strict=True):
        try:
            good = 0 <= float(cell) <= 1
        except ValueError:
            good = False
        if not good:
            return InvalidInput(f"{path}, clip {name}, class {label}", f"{cell!r} is no probability", "write 0 to 1")
    raise AssertionError


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
