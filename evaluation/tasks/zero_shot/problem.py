"""Zero-shot: train.parquet, metadata.json, and NAME/classes.json and NAME.parquet for each data set to classify."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cleaning import InvalidInput
from cleaning.errors import Place
from cleaning.problems import TextBlock, ZeroShotProblem, ZeroShotTarget
from evaluation.contract.problem import Loaded, ProblemFiles
from evaluation.embedding.tables import read_embeddings
from evaluation.files.json import parse_json
from evaluation.files.names import composed, not_hidden
from evaluation.files.whole import plain_errors
from evaluation.tasks.zero_shot.classes import read_classes

_BLOCK = 20_000


@dataclass(frozen=True, eq=False)
class QueryFile:
    """metadata.json, streamed: one line {"image": 1, "queries": ["…", …]} per image.

    Images without an embedding are left out. Raises InvalidInput that names the line.
    """

    path: Path
    rows: dict[str, int]

    def __iter__(self) -> Iterator[TextBlock]:
        images: list[int] = []
        texts: list[str] = []
        with plain_errors(self.path, "read the file"), self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    image, queries = _pair(line.removeprefix(b"\xef\xbb\xbf"), Place(self.path, line=number))
                    row = self.rows.get(image)
                    if row is not None:
                        images += [row] * len(queries)
                        texts += queries
                if len(texts) >= _BLOCK:
                    yield np.asarray(images, dtype=np.int64), texts
                    images, texts = [], []
        if texts:
            yield np.asarray(images, dtype=np.int64), texts


def load(folder: Path) -> Loaded:
    """The problem, and {data set: image ids}."""
    train = read_embeddings(folder / "train.parquet")
    metadata = folder / "metadata.json"
    if not metadata.exists():
        raise InvalidInput(metadata, "there is no such file", "run `fixfirst download`")
    rows = {stem: row for row, stem in enumerate(train.stems(folder / "train.parquet"))}
    targets, names = {}, {}
    for path in not_hidden(folder.glob("*/classes.json"), folder):
        name, table = composed(path.parent.name), folder / f"{path.parent.name}.parquet"
        images = read_embeddings(table)
        targets[name] = ZeroShotTarget(read_classes(path), images.features)
        names[name] = images.stems(table)
    if not targets:
        raise InvalidInput(folder, "there is no data set to classify", "add DATASET/classes.json and DATASET.parquet")
    return Loaded(ZeroShotProblem(train.features, QueryFile(metadata, rows), targets), names)


def content(answers: Any, loaded: Loaded) -> bytes:
    """{data set: {image id: class}} as JSON."""
    text = json.dumps(
        {name: dict(zip(ids, answers[name].tolist(), strict=True)) for name, ids in loaded.names.items()},
        ensure_ascii=False,
    )
    return (text + "\n").encode()


def _pair(line: bytes, place: Place) -> tuple[str, list[str]]:
    try:
        entry = parse_json(line.decode(), place)
    except UnicodeDecodeError as error:
        raise InvalidInput(place, f"byte {error.start} is not UTF-8 text", "save it as plain UTF-8 text") from error
    image = entry.get("image") if isinstance(entry, dict) else None
    queries = entry.get("queries") if isinstance(entry, dict) else None
    if not isinstance(image, int | str) or isinstance(image, bool):
        raise InvalidInput(place, f"`image` is {image!r}", 'write {"image": 1, "queries": ["…"]}')
    if not isinstance(queries, list) or not all(isinstance(query, str) for query in queries):
        raise InvalidInput(place, f"`queries` is {str(queries)[:60]}", "write a list of strings")
    return composed(str(image)), queries


PROBLEM = ProblemFiles(".json", load, content)
