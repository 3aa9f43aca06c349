"""`fixfirst export`: a ranking for other tools: cleanlab's table of label issues, tasks for Label Studio, plain csv."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote
from xml.sax.saxutils import quoteattr

from cleaning import __version__
from cleaning.errors import InvalidInput, Place, bounded, printable
from evaluation.files.csv import csv_text
from evaluation.files.outputs import refuse_output
from evaluation.files.whole import write_text
from evaluation.labels.review_folder import AGAIN, RANKING, read_by, read_description, read_ranking, reopen
from evaluation.labels.source import Source

_LOCAL = "/data/local-files/?d="
_CONTROL = "label"
_Number = TypeVar("_Number", int, float)


@dataclass(frozen=True)
class Line:
    """One row of a ranking, read from its csv. None for a row without a label: given and suspicion."""

    row: int
    id: str
    given: str | None
    suggested: str
    probability: float
    suspicion: float | None
    decision: str

    @property
    def is_issue(self) -> bool:
        """Whether another label is more probable than the given one."""
        return self.given is not None and self.suggested != self.given


def export(review: Path, kind: str, output: Path, prefix: str | None = None) -> list[Path]:
    """Writes the ranking of a review folder in another form and returns the files.

    kind: `cleanlab` (csv with the columns of Datalab's label issues, in the order of the rows), `label-studio` (json
    with a task per row, the label to fix first on top, and the labelling configuration beside it as xml) or `csv`.
    prefix: where Label Studio finds the pictures of class folders; the default is its local file storage.
    Raises InvalidInput for a folder that is not a review, or an output of another kind.
    """
    forms: dict[str, tuple[str, Callable[[], Mapping[Path, str]]]] = {
        "cleanlab": (".csv", lambda: {output: _cleanlab(lines)}),
        "csv": (".csv", lambda: {output: _plain(lines)}),
        "label-studio": (".json", lambda: _label_studio(review, lines, output, prefix)),
    }
    suffix, make = forms[kind]
    lines = list(ranking_lines(review))
    inputs = read_by(review, read_description(review))
    refuse_output(output, [suffix], inputs)
    files = make()
    for path in files:
        refuse_output(path, [path.suffix], inputs)
    for path, text in files.items():
        write_text(path, text)
    return list(files)


def ranking_lines(review: Path) -> Iterator[Line]:
    """The rows of a ranking in its order. Raises InvalidInput with the line for what is not a ranking."""
    path = review / RANKING
    if not path.is_file():
        raise InvalidInput(review, f"there is no {RANKING} in it", "make the folder with `fixfirst rank SOURCE`")
    seen: set[str] = set()
    for number, cells in enumerate(read_ranking(review), 2):
        place = Place(path, line=number)
        row, probability = _number(int, cells, "row", place), _number(float, cells, "probability", place)
        suspicion = _number(float, cells, "suspicion", place) if cells["given_label"] else None
        if cells["row"] in seen:
            raise InvalidInput(place, f"row {row} already has a line", AGAIN)
        seen.add(cells["row"])
        given = cells["given_label"] or None
        yield Line(row, cells["id"], given, cells["suggested_label"], probability, suspicion, cells["decision"])


def _number(kind: Callable[[str], _Number], cells: Mapping[str, str], column: str, place: Place) -> _Number:
    try:
        return kind(cells[column])
    except ValueError:
        problem = f"{bounded(repr(cells[column]))} where a number belongs"
        raise InvalidInput(replace(place, column=column), problem, AGAIN) from None


def _cleanlab(lines: Sequence[Line]) -> str:
    """The columns of `Datalab.get_issues("label")`, in the order of the rows, with the id in front."""
    header = ("id", "is_label_issue", "label_score", "given_label", "predicted_label")
    rows = (
        (
            line.id,
            line.is_issue,
            "" if line.suspicion is None else f"{1 - line.suspicion:.6f}",
            line.given or "",
            line.suggested,
        )
        for line in sorted(lines, key=lambda line: line.row)
    )
    return csv_text(header, rows)


def _plain(lines: Sequence[Line]) -> str:
    header = ("id", "row", "given_label", "suggested_label", "probability", "suspicion", "decision")
    rows = (
        (
            line.id,
            line.row,
            line.given or "",
            line.suggested,
            line.probability,
            "" if line.suspicion is None else line.suspicion,
            line.decision,
        )
        for line in sorted(lines, key=lambda line: line.row)
    )
    return csv_text(header, rows)


def _label_studio(review: Path, lines: Sequence[Line], output: Path, prefix: str | None) -> dict[Path, str]:
    source, _ = reopen(review)
    if len(lines) != len(source) or any(not 0 <= line.row < len(source) for line in lines):
        raise InvalidInput(review / RANKING, f"it does not rank the {len(source)} rows of {source.path}", AGAIN)
    shown, tag = _shown(source, prefix)
    tasks = [_task(line, shown, tag) for line in lines]
    choices = "".join(f"\n    <Choice value={quoteattr(printable(name))}/>" for name in source.classes)
    config = (
        f'<View>\n  <{tag} name="item" value="${tag.lower()}"/>\n  <Choices name="{_CONTROL}" toName="item" '
        f'choice="single">{choices}\n  </Choices>\n</View>\n'
    )
    return {output: json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", output.with_suffix(".xml"): config}


def _shown(source: Source, prefix: str | None) -> tuple[Callable[[Line], Any], str]:
    """What a task shows, by row, and the tag that shows it: a picture, a text, the columns of a table, or the id."""
    if source.form in ("class folders", "folder with a table"):
        before = prefix if prefix is not None else f"{_LOCAL}{quote(source.path.resolve().name)}/"
        return lambda line: before + quote(source.ids[line.row]), "Image"
    if prefix is not None:
        raise InvalidInput("--prefix", f"it is for pictures in a folder, and {source.path} is not one", "leave it out")
    if source.text(0) is not None:
        return lambda line: source.text(line.row) or "", "Text"
    if source.columns(0):
        return lambda line: dict(source.columns(line.row)), "Table"
    return lambda line: line.id, "Text"


def _task(line: Line, shown: Callable[[Line], Any], tag: str) -> dict[str, Any]:
    """One task in Label Studio's basic json format; the suggestion is a prediction.

    The format: https://labelstud.io/guide/tasks and https://labelstud.io/guide/predictions
    """
    choice = {
        "from_name": _CONTROL,
        "to_name": "item",
        "type": "choices",
        "value": {"choices": [printable(line.suggested)]},
        "score": line.probability,
    }
    prediction = {"model_version": f"fixfirst {__version__}", "score": line.probability, "result": [choice]}
    data = {tag.lower(): shown(line), "id": line.id, "given_label": line.given, "suspicion": line.suspicion}
    return {"data": data, "predictions": [prediction]}
