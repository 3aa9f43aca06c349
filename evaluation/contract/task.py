"""What a benchmark task is: one folder of evaluation/tasks whose task.py has a `TASK`, and nothing else to edit."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cleaning.errors import FixfirstError
from cleaning.parallel.engine import SERIAL, Engine
from cleaning.progress import Progress
from evaluation.contract.metric import Metric
from evaluation.contract.record import Board, Curve, Record
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.settings.rules import Rules

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Case:
    """One submission to score, light enough to send to another process.

    settings: everything besides the two hashes that the metrics depend on, as it goes into the record.
    long: whether scoring is worth the engine for itself. engine: where it may then run its parts. unfinished: a folder
    to keep finished parts in, which goes when the record is written. None of the three changes a result.
    """

    dataset: str
    method: str
    seed: int
    path: Path
    submission_sha256: str
    dataset_sha256: str
    settings: Mapping[str, Any]
    folders: Folders
    long: bool = False
    engine: Engine = SERIAL
    unfinished: Path | None = None

    @property
    def lenient(self) -> bool:
        """Whether a missing answer counts as wrong instead of refusing the submission."""
        return bool(self.settings.get("lenient"))

    @property
    def split(self) -> Mapping[str, Any] | None:
        """How the truth is parted into public and private, as `SplitSpec.settings` says it; None: it is not."""
        return self.settings.get("split")

    @property
    def bound(self) -> bool:
        """Whether this is an oracle that reads the truth, and no submission."""
        return bool(self.settings.get("bound"))


@dataclass(frozen=True)
class Rejected:
    """A submission that cannot even be assigned to a data set, with the reason."""

    path: Path
    error: FixfirstError


@dataclass(frozen=True)
class Outcome:
    """What scoring found: finite metrics by name, denominators (n_truth, n_scored, …), and what a figure needs.

    boards: the same of the public and of the private part, for a truth that is split.
    """

    metrics: Mapping[str, float]
    denominators: Mapping[str, int]
    boards: Mapping[str, Board] = field(default_factory=dict)
    curve: Curve | None = None
    seconds: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A benchmark. `version` rises whenever a metric may change; old records are then not reused.

    suffixes: of the submission files; of other files `load` takes no notice. load: the submissions there are.
    score: strict validation, then metrics; raises InvalidInput for bad input. validate: the validation alone, with the
    file it accepted in one line. figures: pictures by file stem, from records.
    publish: files besides results.jsonl, from the newest records of this task (may do nothing).
    rules: which submission of a team counts and how often it may submit, where parameters.yaml does not say.
    tie_breaks: other metrics that tell equal main ones apart on a board, in this order.
    """

    name: str
    version: int
    suffixes: tuple[str, ...]
    main: Metric
    others: tuple[Metric, ...]
    load: Callable[[Folders, Parameters], list[Case | Rejected]]
    score: Callable[[Case, Progress], Outcome]
    validate: Callable[[Path, Folders, Parameters], str]
    figures: Callable[[Sequence[Record]], Iterator[tuple[str, "Figure"]]]
    publish: Callable[[Sequence[Record], Folders, Parameters], None]
    rules: Rules = field(default_factory=Rules)
    tie_breaks: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics, the main one first."""
        return (self.main, *self.others)
