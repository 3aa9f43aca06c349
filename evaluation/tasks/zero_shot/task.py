"""Zero-shot classification (Yandex Cup 2021): images classified from class names alone, mean accuracy in %.

Submission: one JSON file {data set: {image id: class number}} with every image once. Ground truth:
data/{data_id}/truth.json in the same format, and DATASET/classes.json with the class names.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleaning.errors import InvalidInput, Place, count_of, data_at_fault, first_three
from cleaning.progress import Progress
from evaluation.contest.split import boards
from evaluation.contract.metric import Metric
from evaluation.contract.record import Board, Record
from evaluation.contract.task import Case, Outcome, Rejected, Task
from evaluation.files.json import read_json
from evaluation.files.names import checked_name, composed, not_hidden
from evaluation.files.whole import limit_by
from evaluation.settings.folders import Folders
from evaluation.settings.limits import LimitSpec
from evaluation.settings.parameters import Parameters
from evaluation.settings.rules import Rate, Rules
from evaluation.submissions.answers import (
    cases,
    data_id_of,
    publish_nothing,
    refuse_mismatch,
    seconds_of,
    told_seconds,
)
from evaluation.tasks.zero_shot.classes import read_classes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Answers = dict[str, dict[str, int]]


def mean_accuracy(truth: Answers, given: Answers) -> tuple[Fraction, dict[str, Fraction]]:
    """The mean over data sets of top-1 accuracy × 100, exactly, and the accuracy of each data set.

    An image without an answer counts as wrong. The images are not pooled: every data set has the same weight.
    """
    accuracy = {
        name: Fraction(sum(given.get(name, {}).get(image) == label for image, label in images.items()), len(images))
        for name, images in truth.items()
    }
    return 100 * sum(accuracy.values(), Fraction(0)) / len(accuracy), accuracy


def load(folders: Folders, parameters: Parameters) -> list[Case | Rejected]:
    """All submissions to the enabled data ids of this task."""
    return cases(TASK.name, TASK.suffixes, _truth_files, folders, parameters)


def score(case: Case, progress: Progress) -> Outcome:
    """The accuracy of one submission. Raises InvalidInput unless every image has one whole class number."""
    truth, given, _ = _checked(case.folders.groundtruth_folder / case.dataset, case.path, case.lenient)
    images = {name: [f"{name}/{image}" for image in answers] for name, answers in truth.items()}

    def measure(chosen: Sequence[str]) -> Board:
        wanted = set(chosen)
        return _measured(
            *(
                {n: {i: c for i, c in a.items() if f"{n}/{i}" in wanted} for n, a in answers.items()}
                for answers in (truth, given)
            )
        )

    whole = _measured(truth, given)
    accuracy = mean_accuracy(truth, given)[1]
    return Outcome(
        whole.metrics,
        whole.denominators,
        boards(case, images, measure),
        seconds=seconds_of(case.path),
        details={"accuracy": {name: float(100 * value) for name, value in accuracy.items()}},
    )


def _measured(truth: Answers, given: Answers) -> Board:
    mean, accuracy = mean_accuracy(truth, given)
    total = sum(map(len, truth.values()))
    answered = sum(image in given.get(name, {}) for name, images in truth.items() for image in images)
    pooled = sum(accuracy[name] * len(images) for name, images in truth.items()) / total
    return Board(
        metrics={"accuracy": float(mean), "pooled": float(100 * pooled)},
        denominators={"n_datasets": len(truth), "n_truth": total, "n_scored": answered, "n_missing": total - answered},
    )


def validate(path: Path, folders: Folders, parameters: Parameters) -> str:
    """Checks one submission file, in any folder."""
    data_id = data_id_of(path, TASK.name, parameters, TASK.suffixes)
    truth, _, missing = _checked(folders.groundtruth_folder / data_id, path, parameters.lenient)
    counts = f"{count_of(sum(map(len, truth.values())) - missing, 'image')} of {count_of(len(truth), 'data set')}"
    return f"data id {data_id}, {counts}{told_seconds(path)}"


def figures(records: Sequence[Record]) -> Iterator[tuple[str, "Figure"]]:
    """The accuracy of each data set, one figure per data id."""
    from evaluation.figures.curves import details_figures

    metric = Metric("accuracy", "accuracy of the data set in %", greater_is_better=True)
    yield from details_figures(records, "accuracy", metric, TASK.main)


def _truth_files(folder: Path) -> list[Path]:
    return [folder / "truth.json", *not_hidden(folder.glob("*/classes.json"), folder)]


def _checked(folder: Path, path: Path, lenient: bool) -> tuple[Answers, Answers, int]:
    with data_at_fault():
        truth, sizes = _truth(folder)
    given = _answers(path, read_json(path, limit_by(folder / "truth.json")))
    refuse_mismatch(path, "data sets", given, truth, lenient=lenient)
    missing = sum(
        refuse_mismatch(path, f"images of {name}", given.get(name, {}), images, lenient=lenient)
        for name, images in truth.items()
    )
    _refuse_no_class(path, given, sizes)
    return truth, given, missing


def _truth(folder: Path) -> tuple[Answers, dict[str, int]]:
    """The class of each image, and how many classes each data set has."""
    source = folder / "truth.json"
    truth = _answers(source, read_json(source))
    for name, images in truth.items():
        if not images:
            raise InvalidInput(source, f"the data set {name!r} is empty", "add images to it or remove it")
    places = {composed(path.parent.name): path for path in not_hidden(folder.glob("*/classes.json"), folder)}
    sizes = {name: len(read_classes(places.get(name, folder / name / "classes.json"))) for name in truth}
    _refuse_no_class(source, truth, sizes)
    return truth, sizes


def _refuse_no_class(path: Path, answers: Answers, sizes: Mapping[str, int]) -> None:
    odd = [(n, image) for n, images in answers.items() for image, label in images.items() if not 0 <= label < sizes[n]]
    if odd:
        name, image = odd[0]
        raise InvalidInput(
            Place(path, key=f"{name}, image {image}"),
            f"{answers[name][image]} is not a class ({_places(odd)})",
            f"write a class number from 0 to {sizes[name] - 1}",
        )


def _answers(path: Path, content: Any) -> Answers:
    if not isinstance(content, dict) or not content:
        raise InvalidInput(path, "this is not an object of data sets", 'write {"DATASET": {"IMAGE": 3}}')
    for name, images in content.items():
        place = Place(path, key=name)
        checked_name(place, name)
        if not isinstance(images, dict):
            raise InvalidInput(place, "this is not an object of images", 'write {"IMAGE": 3}')
        for image in images:
            checked_name(place, image)
    # bool is a kind of int in Python, and true would count as class 1
    odd = [(n, image) for n, images in content.items() for image, label in images.items() if type(label) is not int]
    if odd:
        name, image = odd[0]
        problem = f"{content[name][image]!r} is not a whole number ({_places(odd)})"
        raise InvalidInput(Place(path, key=f"{name}, image {image}"), problem, "write a whole number, such as 3")
    return content


def _places(odd: Sequence[tuple[str, str]]) -> str:
    return first_three([f"{name}/{image}" for name, image in odd])


TASK = Task(
    name="zero_shot",
    version=1,
    suffixes=(".json",),
    main=Metric("accuracy", "mean accuracy over data sets (%)", greater_is_better=True, limits=(0.0, 100.0)),
    others=(Metric("pooled", "accuracy over all images (%)", greater_is_better=True, limits=(0.0, 100.0)),),
    load=load,
    score=score,
    validate=validate,
    figures=figures,
    publish=publish_nothing,
    limits=LimitSpec(minutes=23.0, memory_mb=8192, archive_mb=700, disk_mb=4096),
    rules=Rules(counts="last_valid", rate=Rate(per_day=5, total=150, minutes_apart=10.0, accumulate=True)),
)
