"""Camera traps (Pri-matrix Factorization 2017): binary log loss averaged over the classes, lower is better.

Submission and ground truth (data/{data_id}/test_labels.csv) are csv files with `filename` and one column per class.
Rows need not sum to 1.
"""

import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatMatrix, FloatVector
from cleaning.errors import InvalidInput, Place, count_of, data_at_fault, first_three
from cleaning.progress import Progress
from evaluation.contest.split import boards
from evaluation.contract.metric import Metric
from evaluation.contract.record import Board, Record
from evaluation.contract.task import Case, Outcome, Rejected, Task
from evaluation.figures.calibration import reliability
from evaluation.files.csv import Row, csv_numbers, csv_rows, numbers
from evaluation.files.whole import limit_by
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.settings.rules import Rules
from evaluation.submissions.answers import cases, data_id_of, publish_nothing, refuse_mismatch, seconds_of, told_seconds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

EPSILON = 1e-15
"""Probabilities are clipped to [EPSILON, 1 - EPSILON], in float64 regardless of the input precision.

The value is part of the challenge's metric.
"""


def class_log_loss(truth: FloatMatrix, probabilities: FloatMatrix) -> FloatVector:
    """Mean binary log loss of each class, (classes,), ≥ 0; lower is better. A class without positives counts too.

    truth is (n, classes) of 0 and 1, probabilities is (n, classes). We compute the loss ourselves because scikit-learn
    1.5 and later choose the clipping by the dtype of the input, so the same rows would give another loss in float32.
    """
    losses = np.empty(truth.shape[1])
    for column in range(truth.shape[1]):
        clipped = np.clip(probabilities[:, column].astype(np.float64), EPSILON, 1 - EPSILON)
        losses[column] = -np.log(np.where(truth[:, column] == 1, clipped, 1 - clipped)).mean()
    return losses


def load(folders: Folders, parameters: Parameters) -> list[Case | Rejected]:
    """All submissions to the enabled data ids of this task."""
    return cases(TASK.name, TASK.suffixes, lambda folder: [folder / "test_labels.csv"], folders, parameters)


def score(case: Case, progress: Progress) -> Outcome:
    """The mean log loss of one submission, its columns matched by name. Raises InvalidInput for a bad row or cell."""
    folder = case.folders.groundtruth_folder / case.dataset
    checked = _checked(folder, case.path, case.lenient)
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
        details={
            "log_loss": dict(zip(checked.classes, losses.tolist(), strict=True)),
            "reliability": reliability(checked.truth, checked.given),
            "epsilon": EPSILON,
        },
    )


def _board(losses: FloatVector, answered: NDArray[np.bool_]) -> Board:
    n, n_answered = len(answered), int(answered.sum())
    counts = {"n_truth": n, "n_scored": n_answered, "n_missing": n - n_answered}
    return Board(metrics={"log_loss": float(losses.mean())}, denominators={"n_classes": len(losses), **counts})


def validate(path: Path, folders: Folders, parameters: Parameters) -> str:
    """Checks one submission file, in any folder."""
    data_id = data_id_of(path, TASK.name, parameters, TASK.suffixes)
    checked = _checked(folders.groundtruth_folder / data_id, path, parameters.lenient)
    clips, classes = count_of(int(checked.answered.sum()), "clip"), count_of(len(checked.classes), "class")
    return f"data id {data_id}, {clips}, {classes}{told_seconds(path)}"


def figures(records: Sequence[Record]) -> Iterator[tuple[str, "Figure"]]:
    """The loss of each class and the calibration, one figure per data id."""
    from evaluation.figures.calibration import calibration_figures

    yield from calibration_figures(records, TASK.main, Metric("log_loss", "log loss of the class", False))


@dataclass(frozen=True, eq=False)
class _Checked:
    """truth and given are (clips, classes) in the truth's order; answered is (clips,).

    In the rows of clips without an answer, `given` holds the worst possible probabilities.
    """

    clips: tuple[str, ...]
    classes: tuple[str, ...]
    truth: FloatMatrix
    given: FloatMatrix
    answered: NDArray[np.bool_]


def _checked(folder: Path, path: Path, lenient: bool) -> _Checked:
    with data_at_fault():
        clips, classes, truth = _truth(folder / "test_labels.csv")
    limit = limit_by(folder / "test_labels.csv")
    (_, *columns), lines = csv_rows(path, "filename", limit)
    if sorted(columns) != sorted(classes):
        odd = sorted(set(columns) ^ set(classes))
        raise InvalidInput(
            Place(path, line=1), f"the columns do not match ({first_three(odd)})", "use the columns of the truth file"
        )
    names, rows = _matrix(path, lines, columns, classes, limit)
    refuse_mismatch(path, "clips", names, clips, lenient=lenient)
    place = {name: row for row, name in enumerate(clips)}
    chosen = [place[name] for name in names]
    given, answered = 1.0 - truth, np.zeros(len(clips), dtype=np.bool_)
    given[chosen], answered[chosen] = rows, True
    return _Checked(tuple(clips), tuple(classes), truth, given, answered)


def _truth(source: Path) -> tuple[list[str], list[str], FloatMatrix]:
    """The clips, the classes, and a matrix (clips, classes) of 0 and 1."""
    (_, *classes), lines = csv_rows(source, "filename")
    if not classes:
        raise InvalidInput(Place(source, line=1), "there is no class", "write filename and one column per class")
    clips, truth = _matrix(source, lines, classes, classes)
    if not clips:
        raise InvalidInput(source, "there are no clips in it", "write one row per clip")
    places = np.argwhere((truth != 0) & (truth != 1)).tolist()
    wrong = [(clips[row], classes[column], truth[row, column].item()) for row, column in places]
    _refuse(source, wrong, "valid label", "write 0 or 1")
    return clips, classes, truth


def _matrix(
    path: Path, lines: Iterator[Row], columns: Sequence[str], classes: Sequence[str], limit: int | None = None
) -> tuple[list[str], FloatMatrix]:
    """The keys, and a matrix of probabilities (rows, classes) with its columns in the order of `classes`.

    The lines are read one by one only if the file cannot be parsed at once, or something in it is wrong.
    """
    values, names, odd = array("d"), [], list[tuple[str, str, str]]()
    order = [columns.index(name) for name in classes]
    parsed = csv_numbers(path, limit)
    if parsed is not None and np.all((parsed[1] >= 0) & (parsed[1] <= 1)):
        return parsed[0], parsed[1][:, order]
    for name, cells in lines:
        chosen = [cells[column] for column in order]
        try:
            found = numbers(chosen)
        except ValueError:
            found = [math.nan]
        # min and max can miss a NaN, the sum cannot
        if not (min(found) >= 0 and max(found) <= 1) or math.isnan(sum(found)):
            row = zip(classes, chosen, strict=True)
            odd += [(name, label, cell) for label, cell in row if not _is_probability(cell)]
        values.extend(found)
        names.append(name)
    _refuse(path, odd, "probability", "write a number from 0 to 1")
    return names, np.asarray(values).reshape(len(names), len(classes))


def _is_probability(cell: str) -> bool:
    try:
        return 0 <= numbers([cell])[0] <= 1
    except ValueError:
        return False


def _refuse(path: Path, odd: Sequence[tuple[str, str, object]], what: str, fix: str) -> None:
    """Raises InvalidInput if there are odd cells, each given as clip, class and value."""
    if odd:
        clip, label, value = odd[0]
        places = first_three([f"{clip}/{label}" for clip, label, _ in odd])
        raise InvalidInput(Place(path, key=f"clip {clip}, class {label}"), f"{value!r} is not a {what} ({places})", fix)


TASK = Task(
    name="camera_trap",
    version=1,
    suffixes=(".csv",),
    main=Metric("log_loss", "mean log loss over the classes", greater_is_better=False, limits=(0.0, None)),
    others=(),
    load=load,
    score=score,
    validate=validate,
    figures=figures,
    publish=publish_nothing,
    rules=Rules(counts="best"),
)
