"""Product retrieval (NAVER AI Hackathon 2018): mean average precision of the first 1,000 references, mAP@1000.

Submission: JSON list of [number (ignored), [query id, [reference ids, best first]]]. Truth: data/{data_id}/truth.json,
{"query": {id: product}, "reference": {id: product}}.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleaning.errors import InvalidInput, first_three
from evaluation.folders import Folders
from evaluation.metrics import Metric
from evaluation.parameters import Parameters
from evaluation.predictions import cases, data_id_of, publish_nothing, read_json, refuse_mismatch, seconds_of
from evaluation.record import Board, Record
from evaluation.rules import Rules, SplitSpec
from evaluation.split import boards
from evaluation.task import Case, Outcome, Rejected, Step, Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DEPTH = 1000
LADDER = (1, 5, 10, 100, 1000)
SPLIT = SplitSpec(public=0.5)
"""Half of the queries rank online, all of them at the end."""


def average_precision(relevant: Sequence[bool], n_relevant: int, depth: int = DEPTH) -> Fraction:
    """AP@depth = (1 / R) Σ P(i) · rel(i) over the first `depth` ranks, R all relevant references; 0 where R is 0.

    relevant: for each rank, best first, whether it is. Exact.
    """
    hits, total = 0, Fraction(0)
    for rank, is_hit in enumerate(relevant[:depth], start=1):
        if is_hit:
            hits += 1
            total += Fraction(hits, rank)
    return total / n_relevant if n_relevant else Fraction(0)


def recall_at(relevant: Sequence[bool], k: int) -> bool:
    """Recall@K in the metric-learning sense: whether any of the first K is relevant."""
    return any(relevant[:k])


def load(folders: Folders, parameters: Parameters) -> list[Case | Rejected]:
    """Every submission to the enabled data ids of this task."""
    return cases("image_retrieval", ".json", lambda folder: [folder / "truth.json"], folders, parameters, SPLIT)


def score(case: Case, step: Step) -> Outcome:
    """mAP@1000 and the recall ladder over all queries of the truth. Raises InvalidInput for a bad submission."""
    folder = case.folders.groundtruth_folder / case.dataset
    queries, references, given, _ = _checked(folder, case.path, case.settings["lenient"])
    size = Counter(references.values())
    precision, recall = dict[str, float](), dict[str, list[bool]]()
    for done, (query, product) in enumerate(queries.items(), start=1):
        relevant = [references[name] == product for name in given.get(query, ())]
        precision[query] = _float_ap(relevant, size[product])
        recall[query] = [recall_at(relevant, k) for k in LADDER]
        step(done, len(queries))

    def measure(chosen: Sequence[str]) -> Board:
        n = len(chosen)
        ladder = {f"recall_at_{k}": sum(recall[query][rung] for query in chosen) / n for rung, k in enumerate(LADDER)}
        counts = {"n_truth": n, "n_scored": sum(query in given for query in chosen)}
        return Board(
            metrics={"map_at_1000": sum(precision[query] for query in chosen) / n, **ladder},
            denominators={
                **counts,
                "n_missing": n - counts["n_scored"],
                "n_without_relevant": sum(not size[queries[query]] for query in chosen),
            },
        )

    whole = measure(list(queries))
    return Outcome(
        whole.metrics,
        whole.denominators,
        boards(case, {"": list(queries)}, measure),
        seconds=seconds_of(case.path),
        details={"recall": {f"Recall@{k}": whole.metrics[f"recall_at_{k}"] for k in LADDER}},
    )


def validate(path: Path, folders: Folders, parameters: Parameters) -> str:
    """Checks one submission file, wherever it lies."""
    data_id = data_id_of(path, "image_retrieval", parameters)
    queries, references, _, missing = _checked(folders.groundtruth_folder / data_id, path, parameters.lenient)
    return f"data id {data_id}, {len(queries) - missing} queries, {len(references)} references"


def figures(records: Sequence[Record]) -> Iterator[tuple[str, "Figure"]]:
    """The recall ladder, a picture a data id."""
    from evaluation.figures import details_figures

    yield from details_figures(records, "recall", Metric("recall", "queries with a hit among the first K", True))


def _float_ap(relevant: Sequence[bool], n_relevant: int) -> float:
    """`average_precision` in floats: the same sum, fast enough for 18,027 queries."""
    import numpy as np

    ranks = np.flatnonzero(np.asarray(relevant[:DEPTH], dtype=bool)) + 1
    return float((np.arange(1, len(ranks) + 1) / ranks).sum() / n_relevant) if n_relevant else 0.0


def _checked(
    folder: Path, path: Path, lenient: bool
) -> tuple[Mapping[str, str], Mapping[str, str], dict[str, list[str]], int]:
    truth = read_json(folder / "truth.json")
    queries, references = truth["query"], truth["reference"]
    given = _rankings(path, read_json(path), references)
    missing = refuse_mismatch(path, "queries", given, queries, lenient=lenient)
    return queries, references, given, missing


def _rankings(path: Path, content: Any, references: Mapping[str, str]) -> dict[str, list[str]]:
    shape = "write [[0, [query id, [reference ids, best first]]], …]"
    if not isinstance(content, list):
        raise InvalidInput(str(path), "this is no list of queries", shape)
    given: dict[str, list[str]] = {}
    for place, entry in enumerate(content):
        where = f"{path}, entry {place}"
        try:
            _, (query, names) = entry
        except (TypeError, ValueError):
            raise InvalidInput(where, "this is no [number, [query, references]]", shape) from None
        if not isinstance(query, str) or not isinstance(names, list) or any(type(name) is not str for name in names):
            raise InvalidInput(where, "the query and its references must be names", shape)
        if query in given:
            raise InvalidInput(where, f"the query {query!r} stands there twice", "keep one of them")
        if len(set(names)) < len(names):
            twice = [name for name, count in Counter(names).items() if count > 1]
            ranks = [rank for rank, name in enumerate(names, start=1) if name == twice[0]]
            raise InvalidInput(
                f"{where}, query {query}",
                f"the reference {twice[0]!r} at ranks {ranks[0]} and {ranks[1]} (repeated, {first_three(twice)})",
                "list a reference once",
            )
        unknown = [name for name in names if name not in references]
        if unknown:
            raise InvalidInput(
                f"{where}, query {query}", f"references not known ({first_three(unknown)})", "check the ids"
            )
        given[query] = names
    return given


TASK = Task(
    name="image_retrieval",
    version=1,
    main=Metric("map_at_1000", "mean average precision of the first 1,000", greater_is_better=True),
    others=tuple(Metric(f"recall_at_{k}", f"queries with a hit among the first {k}", True) for k in LADDER),
    load=load,
    score=score,
    validate=validate,
    figures=figures,
    publish=publish_nothing,
    rules=Rules(counts="best"),
    tie_breaks=tuple(f"recall_at_{k}" for k in LADDER),
)
