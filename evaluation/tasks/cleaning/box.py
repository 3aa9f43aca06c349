"""What a program of the closed division finds: train.parquet and val.parquet, their rows shuffled, without names.

It writes ranking.txt, one row number per line. Our own adapter writes what a ranker returns instead: JSON with `scores`
or `order`.
"""

from pathlib import Path
from typing import Any

import numpy as np

from cleaning import InvalidInput, Ranking, Split
from cleaning.data import IntVector
from evaluation.contract.box import Boxed
from evaluation.datasets.layout import parquet_path, read_parquet, write_parquet
from evaluation.files.json import read_json
from evaluation.files.whole import read_bytes
from evaluation.settings.folders import Folders
from evaluation.submissions.ranking_lines import read_ranking

_ANSWER = "ranking.txt"


def lay_out(folders: Folders, data_id: str, target: Path, rng: np.random.Generator | None) -> Boxed:
    """Writes the two files. Rows are named after the place of their names in alphabetical order."""
    found = {part: parquet_path(folders.embedding_folder, data_id, part) for part in ("train", "val")}
    splits = {part: read_parquet(path) for part, path in found.items() if path is not None}
    if "train" not in splits:
        raise InvalidInput(
            folders.embedding_folder,
            f"there are no train embeddings for data id {data_id!r}",
            "run `fixfirst download`",
        )
    names = {name: f"{place:07}" for place, name in enumerate(sorted({n for s in splits.values() for n in s.ids}))}
    orders: dict[str, IntVector] = {}
    for part, split in splits.items():
        orders[part] = np.arange(len(split)) if rng is None else rng.permutation(len(split))
        mixed = split.take(orders[part])
        neutral = Split(mixed.features, mixed.labels, tuple(names[name] for name in mixed.ids))
        write_parquet(target / f"{part}.parquet", neutral)
    return Boxed(_ANSWER, lambda path: read_answer(path, orders["train"]))


def read_answer(path: Path, order: IntVector) -> bytes:
    """The ranking file for our own order of the rows; order[i] is our number of the program's row i.

    Raises InvalidInput for anything but one ranking of all rows.
    """
    rows = len(order)
    if read_bytes(path)[:1] != b"{":
        ranking = order[read_ranking(path, rows).order]
    else:
        ranking = _returned(read_json(path), path, order)
    return "".join(f"{row}\n" for row in ranking.tolist()).encode()


def _returned(content: Any, path: Path, order: IntVector) -> IntVector:
    values = content.get("scores", content.get("order")) if isinstance(content, dict) else None
    if not isinstance(values, list) or len(values) != len(order):
        found = f"{len(values)} values" if isinstance(values, list) else "something else"
        raise InvalidInput(path, f"{found} where {len(order)} are expected", "return one score per training row")
    if "order" in content:
        return order[Ranking(np.asarray(values)).order]
    if not all(isinstance(value, float | int) for value in values):
        raise InvalidInput(path, "some values are not numbers", "return one score per training row")
    scores = np.empty(len(order))
    scores[order] = values
    return Ranking.from_scores(scores).order
