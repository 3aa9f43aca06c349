"""Logo classification (SmartMailHack 2018): macro F2 over a fixed list of labels.

Submission: a csv `file,category` with one row per test file. Ground truth: data/{data_id}/test_labels.csv in the same
format. The labels are listed in labels.txt, one per line; without that file they are the folder names of train/ and the
labels of the ground truth.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from cleaning.errors import InvalidInput, Place, count_of, data_at_fault, first_three, suggest
from cleaning.progress import Progress
from evaluation.contest.split import boards
from evaluation.contract.metric import Metric
from evaluation.contract.record import Board, Record
from evaluation.contract.task import Case, Outcome, Rejected, Task
from evaluation.figures.confusion import confusion
from evaluation.files.names import checked_name, not_hidden
from evaluation.files.whole import limit_by, read_text
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.settings.rules import Rules
from evaluation.submissions.answers import (
    cases,
    data_id_of,
    publish_nothing,
    read_table,
    refuse_mismatch,
    seconds_of,
    told_seconds,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WORST = 20
"""How many of the worst labels the F2 figure shows."""


def f_beta(truth: Mapping[str, str], given: Mapping[str, str], labels: Sequence[str]) -> dict[str, Fraction]:
    """F2 of each label, exactly: 5 TP / (5 TP + 4 FN + FP), and 0 for 0/0.

    A file without an answer counts as a false negative for its own label and a false positive for every other label.
    Therefore no wrong answer could have given any label a lower score.
    """
    right = Counter(label for file, label in truth.items() if given.get(file) == label)
    actual, claimed = Counter(truth.values()), Counter(given.values())
    missing = Counter(label for file, label in truth.items() if file not in given)
    scores = {}
    for label in labels:
        denominator = 4 * actual[label] + claimed[label] + missing.total() - missing[label]
        scores[label] = Fraction(5 * right[label], denominator) if denominator else Fraction(0)
    return scores


def averages(truth: Mapping[str, str], given: Mapping[str, str], labels: Sequence[str]) -> dict[str, Fraction]:
    """macro: mean over all listed labels. micro: F2 of the pooled counts. weighted: mean over the truth's rows.

    In the pooled counts a file without an answer is one false negative and one false positive, just like a wrong
    answer. Hence 5 TP + 4 FN + FP is five times the number of files, and micro F2 is the share of correct answers.
    """
    scores = f_beta(truth, given, labels)
    actual = Counter(truth.values())
    right = sum(given.get(file) == label for file, label in truth.items())
    return {
        "macro": sum(scores.values(), Fraction(0)) / len(labels),
        "micro": Fraction(right, len(truth)),
        "weighted": sum((scores[label] * count for label, count in actual.items()), Fraction(0)) / len(truth),
    }


def load(folders: Folders, parameters: Parameters) -> list[Case | Rejected]:
    """All submissions to the enabled data ids of this task."""
    return cases(TASK.name, TASK.suffixes, _truth_files, folders, parameters)


def score(case: Case, progress: Progress) -> Outcome:
    """The macro, micro and weighted F2 of one submission. Raises InvalidInput for a bad row."""
    folder = case.folders.groundtruth_folder / case.dataset
    truth, given, labels = _checked(folder, case.path, case.lenient)

    def measure(files: Sequence[str]) -> Board:
        answered = {file: given[file] for file in files if file in given}
        values = averages({file: truth[file] for file in files}, answered, labels)
        counts = {"n_labels": len(labels), "n_truth": len(files), "n_scored": len(answered)}
        return Board(
            metrics={f"f2_{name}": float(value) for name, value in values.items()},
            denominators={**counts, "n_missing": len(files) - len(answered)},
        )

    whole = measure(list(truth))
    by_label = {label: float(value) for label, value in f_beta(truth, given, labels).items()}
    return Outcome(
        whole.metrics,
        whole.denominators,
        boards(case, {"": list(truth)}, measure),
        seconds=seconds_of(case.path),
        details={"f2": by_label, "confusion": confusion(truth, given, by_label)},
    )


def validate(path: Path, folders: Folders, parameters: Parameters) -> str:
    """Checks one submission file, in any folder."""
    data_id = data_id_of(path, TASK.name, parameters, TASK.suffixes)
    truth, given, labels = _checked(folders.groundtruth_folder / data_id, path, parameters.lenient)
    counts = f"{len(given)} of {count_of(len(truth), 'file')}, {count_of(len(labels), 'label')}"
    return f"data id {data_id}, {counts}{told_seconds(path)}"


def figures(records: Sequence[Record]) -> Iterator[tuple[str, "Figure"]]:
    """F2 of the worst labels, and what the best method confuses them with: two figures per data id."""
    from evaluation.figures.confusion import confusion_figures
    from evaluation.figures.curves import details_figures

    label = Metric("F2", "F2 of the label", greater_is_better=True)
    yield from details_figures(records, "f2", label, TASK.main, most=_WORST)
    yield from confusion_figures(records, TASK.main, label)


def _truth_files(folder: Path) -> list[Path | str]:
    listed = folder / "labels.txt"
    return [folder / "test_labels.csv", *([listed] if listed.exists() else sorted(_training_labels(folder)))]


def _checked(folder: Path, path: Path, lenient: bool) -> tuple[dict[str, str], dict[str, str], list[str]]:
    with data_at_fault():
        truth = _labelled(folder / "test_labels.csv")
        if not truth:
            raise InvalidInput(folder / "test_labels.csv", "there are no files in it", "write file,category rows")
        labels = _labels(folder, truth)
    given = _labelled(path, limit_by(folder / "test_labels.csv"))
    refuse_mismatch(path, "files", given, truth, lenient=lenient)
    known = set(labels)
    odd = [file for file, label in given.items() if label not in known]
    if odd:
        label = given[odd[0]]
        raise InvalidInput(
            Place(path, key=f"file {odd[0]}"), f"{label!r} is not a label ({first_three(odd)})", suggest(label, labels)
        )
    return truth, given, labels


def _labelled(path: Path, limit: int | None = None) -> dict[str, str]:
    columns, rows = read_table(path, "file", limit)
    if columns != ["category"]:
        raise InvalidInput(Place(path, line=1), f"the columns are file,{','.join(columns)}", "write file,category")
    return {file: checked_name(Place(path, key=f"file {file}"), cells[0]) for file, cells in rows.items()}


def _labels(folder: Path, truth: Mapping[str, str]) -> list[str]:
    listed = folder / "labels.txt"
    if not listed.exists():
        return sorted(_training_labels(folder) | set(truth.values()))
    labels: dict[str, int] = {}
    for number, line in enumerate(read_text(listed).split("\n"), start=1):
        place = Place(listed, line=number)
        if not line:
            continue
        label = checked_name(place, line)
        if label in labels:
            raise InvalidInput(place, f"{label!r} already appears on line {labels[label]}", "write each label once")
        labels[label] = number
    unknown = sorted(set(truth.values()) - set(labels))
    if unknown:
        raise InvalidInput(listed, f"some labels of the truth file are missing ({first_three(unknown)})", "add them")
    return list(labels)


def _training_labels(folder: Path) -> set[str]:
    train = folder / "train"
    if not train.is_dir():
        return set()
    names = [path.name for path in not_hidden(train.iterdir(), train) if path.is_dir()]
    return {checked_name(Place(train, key=f"folder {name!r}"), name) for name in names}


TASK = Task(
    name="logo",
    version=3,
    suffixes=(".csv",),
    main=Metric("f2_macro", "macro F2 over all labels", greater_is_better=True),
    others=(
        Metric("f2_micro", "micro F2", greater_is_better=True),
        Metric("f2_weighted", "F2 weighted by the truth's rows", greater_is_better=True),
    ),
    load=load,
    score=score,
    validate=validate,
    figures=figures,
    publish=publish_nothing,
    rules=Rules(counts="best"),
)
