"""Product retrieval (NAVER AI Hackathon 2018): mean average precision over the first 1,000 references, mAP@1000.

Submission: a JSON list of [number (ignored), [query id, [reference ids, best first]]], or the npz format of
evaluation.submissions.ranked_lists. If a list is longer, only its first 1,000 references count, but all are checked.
Ground truth: data/{data_id}/truth.json, {"query": {id: product}, "reference": {id: product}}.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cleaning.data import FloatVector, IntVector
from cleaning.errors import InvalidInput, Place, count_of, data_at_fault
from cleaning.progress import Progress
from evaluation.contest.split import boards
from evaluation.contract.metric import Metric
from evaluation.contract.record import Board, Record
from evaluation.contract.task import Case, Outcome, Rejected, Task
from evaluation.figures.precision import spread
from evaluation.files.json import read_json
from evaluation.files.names import checked_name
from evaluation.settings.folders import Folders
from evaluation.settings.limits import LimitSpec
from evaluation.settings.parameters import Parameters
from evaluation.settings.rules import Rules, SplitSpec
from evaluation.submissions.answers import cases, data_id_of, publish_nothing, seconds_of, told_seconds
from evaluation.submissions.ranked_lists import DEPTH, read_lists
from evaluation.tasks.image_retrieval.average_precision import average_precision, numbered, recall_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LADDER = (1, 5, 10, 100, 1000)
_SPLIT = SplitSpec(public=0.5)
"""As in the challenge: half of the queries count for the public board, all of them at the end."""


@dataclass(frozen=True, eq=False)
class Answers:
    """The scores of all queries, in the order of the ground truth.

    For each query: AP@1000, the 0-based position of the first hit, R (the number of relevant references), whether a
    list was submitted, and whether that list is longer than 1,000.
    """

    queries: tuple[str, ...]
    n_references: int
    precision: FloatVector
    first: IntVector
    relevant: IntVector
    answered: NDArray[np.bool_]
    cut: NDArray[np.bool_]


def load(folders: Folders, parameters: Parameters) -> list[Case | Rejected]:
    """All submissions to the enabled data ids of this task."""
    return cases(TASK.name, TASK.suffixes, lambda folder: [folder / "truth.json"], folders, parameters, _SPLIT)


def score(case: Case, progress: Progress) -> Outcome:
    """mAP@1000 and Recall@K over all queries of the ground truth. Raises InvalidInput for a bad submission."""
    answers = _scored(case.folders.groundtruth_folder / case.dataset, case.path, lenient=case.lenient)
    progress(1, 1)
    row_of = {query: row for row, query in enumerate(answers.queries)}
    whole = _board(answers, np.arange(len(answers.queries)))
    return Outcome(
        whole.metrics,
        whole.denominators,
        boards(case, {"": answers.queries}, lambda chosen: _board(answers, np.array([row_of[q] for q in chosen]))),
        seconds=seconds_of(case.path),
        details={
            "recall": {str(k): whole.metrics[f"recall_at_{k}"] for k in _LADDER},
            "precision": spread(answers.precision),
        },
    )


def _board(answers: Answers, rows: IntVector) -> Board:
    """The metrics and denominators of some of the queries. fmean makes the mean independent of the queries' order."""
    ladder = {f"recall_at_{k}": recall_at(answers.first[rows], k) for k in _LADDER}
    n, n_answered = len(rows), int(answers.answered[rows].sum())
    return Board(
        metrics={"map_at_1000": fmean(answers.precision[rows].tolist()), **ladder},
        denominators={
            "n_truth": n,
            "n_scored": n_answered,
            "n_missing": n - n_answered,
            "n_without_relevant": int(np.count_nonzero(answers.relevant[rows] == 0)),
            "n_cut": int(answers.cut[rows].sum()),
        },
    )


def _scored(folder: Path, path: Path, *, lenient: bool) -> Answers:
    """Reads a submission and scores each query. Raises InvalidInput for a bad submission."""
    with data_at_fault():
        queries, references = _truth(folder / "truth.json")
    lists = read_lists(path, tuple(queries), tuple(references), DEPTH, lenient=lenient)
    of_query, of_reference, relevant = numbered(tuple(queries.values()), tuple(references.values()))
    precision, first = average_precision(lists.ranks, of_query, of_reference, relevant)
    return Answers(tuple(queries), len(references), precision, first, relevant, lists.answered, lists.cut)


def _truth(path: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The product of each query and of each reference. Raises InvalidInput for anything else in the file."""
    content, found = read_json(path), []
    for part in ("query", "reference"):
        products = content.get(part) if isinstance(content, dict) else None
        if not isinstance(products, dict) or not products or any(type(name) is not str for name in products.values()):
            raise InvalidInput(
                path,
                "this is not a truth file",
                'write {"query": {id: product, …}, "reference": {id: product, …}}',
            )
        place = Place(path, key=part)
        found.append({checked_name(place, name): checked_name(place, product) for name, product in products.items()})
    return found[0], found[1]


def validate(path: Path, folders: Folders, parameters: Parameters) -> str:
    """Checks one submission file, in any folder."""
    data_id = data_id_of(path, TASK.name, parameters, TASK.suffixes)
    answers = _scored(folders.groundtruth_folder / data_id, path, lenient=parameters.lenient)
    counts = f"{count_of(int(answers.answered.sum()), 'query')}, {count_of(answers.n_references, 'reference')}"
    return f"data id {data_id}, {counts}{told_seconds(path)}"


def figures(records: Sequence[Record]) -> Iterator[tuple[str, "Figure"]]:
    """The average precision of the queries and Recall@K, one figure per data id."""
    from evaluation.figures.precision import precision_figures

    query = Metric("average_precision", "average precision of a query", greater_is_better=True)
    recall = Metric("recall", "queries with a hit among the first K", greater_is_better=True)
    yield from precision_figures(records, TASK.main, query, recall)


TASK = Task(
    name="image_retrieval",
    version=2,
    suffixes=(".json", ".npz"),
    main=Metric("map_at_1000", "mean average precision over the first 1,000", greater_is_better=True),
    others=tuple(Metric(f"recall_at_{k}", f"queries with a hit among the first {k}", True) for k in _LADDER),
    load=load,
    score=score,
    validate=validate,
    figures=figures,
    publish=publish_nothing,
    limits=LimitSpec(answer_mb=1024),
    rules=Rules(counts="best"),
    tie_breaks=tuple(f"recall_at_{k}" for k in _LADDER),
)
