"""A benchmark task: one folder of evaluation/tasks whose task.py defines `TASK`. Nothing else needs editing."""

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
from evaluation.settings.limits import LimitSpec
from evaluation.settings.parameters import Parameters
from evaluation.settings.rules import Rules

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Case:
    """One submission to score, light enough to send to another process.

    settings: everything the metrics depend on besides the two hashes, in the form stored in the record.
    long: whether scoring gets the engine to itself. engine: what then runs its parts. unfinished: a folder that keeps
    finished parts until the record is written. None of these three changes a result.
    number: of an accepted submission, its number in the log; None for a file that was put into the submission folder.
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
    number: int | None = None

    @property
    def lenient(self) -> bool:
        """Whether a missing answer counts as wrong instead of refusing the submission."""
        return bool(self.settings.get("lenient"))

    @property
    def split(self) -> Mapping[str, Any] | None:
        """How the ground truth is split into public and private, as in `SplitSpec.settings`; None if it is not."""
        return self.settings.get("split")

    @property
    def rounds(self) -> int | None:
        """After how many fixes the ranker was asked again; None for a ranking that was made at once."""
        return self.settings.get("rounds")

    @property
    def bound(self) -> bool:
        """Whether this is an oracle that reads the ground truth, not a submission."""
        return bool(self.settings.get("bound"))


@dataclass(frozen=True)
class Rejected:
    """A submission that cannot be scored at all, with the reason."""

    path: Path
    error: FixfirstError


@dataclass(frozen=True)
class Outcome:
    """The result of scoring: finite metrics by name, denominators (n_truth, n_scored, …), and what a figure needs.

    boards: metrics and denominators of the public and private parts, if the ground truth is split.
    """

    metrics: Mapping[str, float]
    denominators: Mapping[str, int]
    boards: Mapping[str, Board] = field(default_factory=dict)
    curve: Curve | None = None
    seconds: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A benchmark.

    version: increases whenever a metric may change, so that old records are not reused.
    suffixes: the suffixes of the submission files; `load` ignores other files. load: finds the submissions.
    score: validates strictly, then computes the metrics; raises InvalidInput for bad input.
    validate: only validates, and returns a one-line description of what it accepted.
    figures: makes figures, by file stem, from records.
    publish: writes files besides results.jsonl, from the newest records of this task (may do nothing).
    rules: which submission of a team counts and how often it may submit, unless parameters.yaml says otherwise.
    limits: what a program of the closed division may use, unless parameters.yaml says otherwise.
    tie_breaks: other metrics that break ties of the main one on a board, in this order.
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
    limits: LimitSpec = field(default_factory=LimitSpec)
    tie_breaks: tuple[str, ...] = ()

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics, the main one first."""
        return (self.main, *self.others)
