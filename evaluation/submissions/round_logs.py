"""Round logs, `{data_id}_{method}.rounds`: which rows a ranker had fixed in each round, and what it was told of them.

The first line is `{"every": 20}`. Each further line is a round, `{"rows": [7, 3], "labels": [1, 0]}`: the rows in the
order in which they were fixed, and their right labels. Every row is in it once. The seconds that the ranker took are in
`time_{data_id}_{method}.rounds`. Only `fixfirst rounds` writes these files.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cleaning import InvalidInput, Ranking
from cleaning.data import GroundTruth, IntVector
from cleaning.errors import Place, count_of
from evaluation.files.whole import read_text

SUFFIX = ".rounds"
"""The suffix of round logs."""

_AGAIN = "run `fixfirst rounds` again"
_NAME = re.compile(r"(?P<ranker>.*) in rounds of [1-9][0-9]*", re.DOTALL)
_Number = Annotated[int, Field(ge=0, lt=2**31)]


class Line(BaseModel):
    """A line of JSON, without unknown keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Head(Line):
    """The first line: after how many fixes the ranker was asked again."""

    every: int = Field(ge=1, lt=2**31)


class Round(Line):
    """A further line: the rows fixed in a round, and their right labels."""

    rows: Annotated[tuple[_Number, ...], Field(min_length=1)]
    labels: tuple[_Number, ...]


_Line = TypeVar("_Line", bound=Line)


@dataclass(frozen=True, eq=False)
class RoundLog:
    """A checked log. ranking: all rows in the order in which they were fixed. labels: what was told of them, (n,)."""

    every: int
    ranking: Ranking
    labels: IntVector

    def refuse_other_labels(self, path: Path, truth: GroundTruth) -> None:
        """Raises InvalidInput if another label than the true one was told of some row."""
        rows = self.ranking.order
        other = np.flatnonzero(truth.labels[rows] != self.labels)
        if len(other):
            row, told = int(rows[other[0]]), int(self.labels[other[0]])
            place = Place(path, line=2 + int(other[0]) // self.every)
            raise InvalidInput(place, f"row {row} has the label {told}, and the truth {truth.labels[row]}", _AGAIN)


def method_in_rounds(ranker: str, every: int) -> str:
    """The name under which a ranker's rounds are recorded; no other submission may have such a name."""
    return f"{ranker} in rounds of {every}"


def ranker_in_rounds(method: str) -> str | None:
    """The ranker in a name that `method_in_rounds` made, and None for any other name."""
    found = _NAME.fullmatch(method)
    return None if found is None else found["ranker"]


def read_every(path: Path, rows: int) -> int:
    """After how many fixes the ranker was asked again, from the first line of a log for a data id of `rows` rows."""
    return parsed_line(Head, _lines(path, rows)[0], Place(path, line=1)).every


def read_log(path: Path, rows: int) -> RoundLog:
    """Reads a log. Raises InvalidInput unless each round but the last has `every` rows, and every row is in it once."""
    lines = _lines(path, rows)
    every, order, labels = parsed_line(Head, lines[0], Place(path, line=1)).every, list[int](), list[int]()
    for number, line in enumerate(lines[1:], start=2):
        place = Place(path, line=number)
        found = parsed_line(Round, line, place)
        due = min(every, rows - len(order))
        if len(found.rows) != due or len(found.labels) != due:
            count = f"{count_of(len(found.rows), 'row')} and {count_of(len(found.labels), 'label')}"
            problem = f"{count}, where {due} of both are due"
            raise InvalidInput(place, problem, _AGAIN)
        order += found.rows
        labels += found.labels
    if len(order) != rows:
        raise InvalidInput(path, f"it ends after {len(order)} of {rows} rows", _AGAIN)
    try:
        return RoundLog(every, Ranking(np.array(order, dtype=np.int64)), np.array(labels, dtype=np.int64))
    except InvalidInput as error:
        raise error.within(path) from None


def parsed_line(kind: type[_Line], line: str, place: Place) -> _Line:
    """One line of a log. Raises InvalidInput for anything else."""
    try:
        return kind.model_validate_json(line)
    except ValidationError as failure:
        error = failure.errors(include_url=False)[0]
        where = ".".join(map(str, error["loc"]))
        problem = f"this is not a line of a round log ({where + ': ' if where else ''}{error['msg']})"
        raise InvalidInput(place, problem, _AGAIN) from None


def log_text(every: int, rounds: Iterable[Round]) -> str:
    """The content of a log."""
    return "".join(line.model_dump_json() + "\n" for line in (Head(every=every), *rounds))


def _lines(path: Path, rows: int) -> list[str]:
    """The lines of a log, at least one."""
    return read_text(path, limit=1_000_000 + 64 * rows).removesuffix("\n").split("\n")
