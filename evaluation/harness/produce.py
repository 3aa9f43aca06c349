"""The create_baselines task: every ranker and every predictor on every data id of its task, one submission each.

Rankings and predictions go through one loop. A submission that the same code already made from the same data is kept.
"""

import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cleaning import FixfirstError, InvalidInput, Unsuitable
from cleaning.discovery import Component
from cleaning.errors import count_of, suggest
from cleaning.progress import Progress
from evaluation.contract import registry
from evaluation.contract.loading import load_parameters
from evaluation.contract.problem import ProblemFiles
from evaluation.datasets.layout import PARTS, load_dataset, parquet_path
from evaluation.files.lock import only_writer
from evaluation.files.progress import Reporter
from evaluation.files.whole import (
    plain_errors,
    sha256_bytes,
    sha256_file,
    sha256_tree,
    write_whole,
)
from evaluation.harness.calling import as_ranking, said_of_order, timed, watched
from evaluation.harness.made import Batch, Made, Outcome, code_sha256, outcomes
from evaluation.harness.seeding import generator
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters, PredictorSpec
from evaluation.submissions.rankings import SUFFIX, place_of_seed, write_submission
from evaluation.submissions.time_files import time_of_answer, write_seconds


@dataclass(frozen=True, eq=False)
class Producer:
    """A ranker or predictor with its options. Its submissions are named after `method` and end in `suffix`."""

    component: Component
    task: str
    method: str
    suffix: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`ranker` or `predictor`, for messages."""
        return "ranker" if self.task == "cleaning" else "predictor"


@dataclass(frozen=True, eq=False)
class Unit:
    """One submission to make."""

    data_id: str
    producer: Producer
    seed: int
    path: Path

    @property
    def title(self) -> str:
        """What its progress is called."""
        return self.producer.method


class _Form(Protocol):
    """How a task's submissions are made for a data id: what is read, what is called, and what is written."""

    def load(self, data_id: str) -> Any:
        """The producer's input, in our own types. Raises FixfirstError for bad files."""
        ...

    def sha256(self, data_id: str) -> str:
        """A hash of the files that `load` reads, as far as they exist."""
        ...

    def call(self, unit: Unit, loaded: Any, progress: Progress) -> Callable[[], Any]:
        """The call that is timed."""
        ...

    def write(self, unit: Unit, loaded: Any, answer: Any, seconds: float) -> None:
        """Checks the answer and writes it together with the seconds it took."""
        ...


def create_baselines(folders: Folders, reporter: Reporter, *, only: Sequence[str] = ()) -> int:
    """Writes a submission and the seconds it took for every (data id, ranker or predictor of its task, seed).

    only: the names of the rankers or predictors to run, whatever parameters.yaml lists. Returns how many failed. Each
    failure is reported, and the remaining submissions are still made; if a data id cannot be read, all its submissions
    fail. The random generator of a submission is seeded by data id, method and seed alone, so the same seed always
    writes the same submission, whatever else runs.
    """
    parameters = load_parameters(folders.parameters_file)
    producers = _chosen(folders, parameters, only, reporter)
    blocks = [(name, block) for name, block in parameters.enabled().items() if block.task in parameters.tasks]
    units = [
        Unit(data_id, one, seed, _path(folders, data_id, one, seed, parameters.seeds[0]))
        for name, block in blocks
        for data_id in block.data_ids(name)
        for one in producers
        if one.task == block.task
        for seed in parameters.seeds
    ]
    counted: Counter[Outcome] = Counter()
    with (
        only_writer(folders.submission_folder, reporter.warn),
        reporter.track("create_baselines", "submissions") as progress,
    ):
        made = Made(folders.submission_folder / ".made.jsonl")
        every = outcomes(units, lambda own: _batch(own, folders, reporter), made, progress)
        for number, outcome in enumerate(every, start=1):
            counted[outcome] += 1
            progress(number, len(units))
    counts = ", ".join(f"{count} {outcome}" for outcome, count in counted.items())
    of_ids = count_of(len({unit.data_id for unit in units}), "data id")
    others = sorted({block.task for block in parameters.enabled().values()} - set(parameters.tasks))
    left = f"; tasks that `tasks:` does not list: {', '.join(others)}" if others else ""
    reporter.say(f"create_baselines: {count_of(len(units), 'submission')} for {of_ids}: {counts or 'none'}{left}")
    return counted["failed"]


def _batch(own: Sequence[Unit], folders: Folders, reporter: Reporter) -> Batch[Unit, Any]:
    """How the units of one data id are made."""
    data_id, form = own[0].data_id, _form(own[0].producer.task, folders)
    digest = form.sha256(data_id)
    return Batch(
        {unit: _recipe(unit, digest) for unit in own},
        lambda: _read(form, data_id, reporter),
        lambda unit, loaded, progress: _make(form, unit, loaded, reporter, progress),
    )


def _read(form: _Form, data_id: str, reporter: Reporter) -> Any:
    """The input for the data id's producers, or None if it cannot be read, which is reported."""
    try:
        loaded = form.load(data_id)
    except FixfirstError as error:
        reporter.warn(f"failed: {data_id}: {error}")
        return None
    for note in getattr(loaded, "notes", ()):
        reporter.warn(f"{data_id}: {note}")
    return loaded


def _make(form: _Form, unit: Unit, loaded: Any, reporter: Reporter, progress: Progress) -> Outcome:
    """Makes and writes one submission. A producer that is unsuitable for the data is skipped, with the reason."""
    one = unit.producer
    try:
        answer, seconds, told = timed(form.call(unit, loaded, progress), one.component, one.kind)
        for line in told:
            reporter.warn(f"{one.method} on {unit.data_id}: {line}")
        form.write(unit, loaded, answer, seconds)
        for line in said_of_order(answer, one.kind):
            reporter.warn(f"{one.method} on {unit.data_id}: {line}")
    except Unsuitable as reason:
        reporter.warn(f"{one.method} left out on {unit.data_id}: {reason}")
        return "left out"
    except FixfirstError as error:
        reporter.warn(f"failed: {one.method} on {unit.data_id}: {error}")
        return "failed"
    return "written"


@dataclass(frozen=True)
class _Rankings:
    """The cleaning task: a submission is a text file of row numbers."""

    folder: Path

    def load(self, data_id: str) -> Any:
        return load_dataset(self.folder, data_id)

    def sha256(self, data_id: str) -> str:
        paths = [parquet_path(self.folder, data_id, part) for part in PARTS if part != "test"]
        return sha256_bytes(repr([None if path is None else sha256_file(path) for path in paths]).encode())

    def call(self, unit: Unit, loaded: Any, progress: Progress) -> Callable[[], Any]:
        rng = generator(unit.data_id, unit.producer.method, unit.seed)
        return lambda: unit.producer.component.member(
            loaded.train, loaded.validation, rng=rng, **watched(unit.producer.component, progress)
        )

    def write(self, unit: Unit, loaded: Any, answer: Any, seconds: float) -> None:
        write_submission(unit.path, as_ranking(answer, unit.producer.component, len(loaded.train)), seconds)


@dataclass(frozen=True)
class _Predictions:
    """A sister task: its problem.py defines what is read and written."""

    folder: Path
    files: ProblemFiles

    def load(self, data_id: str) -> Any:
        return self.files.load(self.folder / data_id)

    def sha256(self, data_id: str) -> str:
        place = self.folder / data_id
        return sha256_tree(place) if place.is_dir() else ""

    def call(self, unit: Unit, loaded: Any, progress: Progress) -> Callable[[], Any]:
        one = unit.producer
        rng = generator(unit.data_id, one.method, unit.seed)
        return lambda: one.component.member(loaded.problem, rng=rng, progress=progress, **one.options)

    def write(self, unit: Unit, loaded: Any, answer: Any, seconds: float) -> None:
        path = unit.path
        content = self.files.forms[path.suffix](answer, loaded)
        write_seconds(time_of_answer(path), seconds)
        if self.files.probabilities is not None:
            write_whole(path.parent / "probabilities" / path.name, self.files.probabilities(answer, loaded))
        write_whole(path, content)
        for suffix in self.files.forms.keys() - {path.suffix}:
            # a file left by an earlier run in another format would be a second answer of the same method
            other = path.with_name(f"{path.stem}{suffix}")
            with plain_errors(other, "remove the file"):
                other.unlink(missing_ok=True)


def _form(task: str, folders: Folders) -> _Form:
    if task == "cleaning":
        return _Rankings(folders.embedding_folder)
    return _Predictions(folders.embedding_folder, registry.problem_files(task))


def _path(folders: Folders, data_id: str, one: Producer, seed: int, first_seed: int) -> Path:
    return place_of_seed(folders.submission_folder, seed, first_seed) / f"{data_id}_{one.method}{one.suffix}"


def _chosen(folders: Folders, parameters: Parameters, only: Sequence[str], reporter: Reporter) -> list[Producer]:
    """The requested producers. One that cannot be loaded gives a warning, or an error if it was requested by name."""
    rankers, predictors = registry.rankers(folders.ranker_folder), registry.predictors(folders.ranker_folder)
    wanted = only or (parameters.rankers if parameters.rankers != "all" else ())
    for line in dict.fromkeys([*rankers.warnings(wanted), *predictors.warnings(wanted)]):
        reporter.warn(line)
    names = list(rankers) if parameters.rankers == "all" else list(parameters.rankers)
    specs = (
        [PredictorSpec(name=n) for n in predictors] if parameters.predictors == "all" else list(parameters.predictors)
    )
    if only:
        names = [name for name in only if name in rankers or name in rankers.skipped]
        listed = {spec.method or spec.name: spec for spec in specs}
        specs = [listed.get(n, PredictorSpec(name=n)) for n in only if n in listed or n in predictors]
        unknown = set(only) - set(names) - {spec.method or spec.name for spec in specs}
        for name in sorted(unknown):
            raise InvalidInput(f"--only={name}", *_not_there(name, [*rankers, *predictors]))
    for name in names:
        if registry.is_bound(name):
            raise InvalidInput(f"ranker {name!r}", *_not_there(name, rankers))
    found = [Producer(rankers[name], "cleaning", name, SUFFIX) for name in names]
    for spec in specs:
        found.append(_predictor(spec, predictors[spec.name], [one.method for one in found if one.task != "cleaning"]))
    own = {*registry.own_rankers(), *registry.own_predictors()}
    for one in found:
        if one.component.name not in own:
            reporter.say(f"loaded the {one.kind} {one.component.name} from {one.component.origin}")
    return found


def _not_there(name: str, known: Iterable[str]) -> tuple[str, str]:
    """The problem and the fix for a name that is not the name of a ranker or predictor."""
    if registry.is_bound(name):
        return "it is a bound that reads the truth", "list it under `bounds:` in parameters.yaml"
    return "there is no such ranker or predictor", suggest(name, known)


def _predictor(spec: PredictorSpec, component: Component, taken: Sequence[str]) -> Producer:
    """A predictor with its options. Raises InvalidInput for an unknown option or format, or a method already in use."""
    options = spec.model_extra or {}
    accepted = [
        name
        for name, entry in inspect.signature(component.member).parameters.items()
        if entry.kind is entry.KEYWORD_ONLY and name not in ("rng", "progress")
    ]
    for name in options:
        if name not in accepted:
            raise InvalidInput(f"predictor {spec.name}", f"unknown option {name!r}", suggest(name, accepted))
    method = spec.method or spec.name
    if method in taken:
        raise InvalidInput(f"predictor {spec.name}", f"the method {method!r} is already in use", "add `as: NAME`")
    task = registry.task_of(component)
    files = registry.problem_files(task)
    suffix = files.suffix if spec.format is None else f".{spec.format}"
    if suffix not in files.forms:
        known = ", ".join(name[1:] for name in files.forms)
        raise InvalidInput(f"predictor {spec.name}", f"unknown format {spec.format!r}", f"known: {known}")
    return Producer(component, task, method, suffix, options)


def _recipe(unit: Unit, data_sha256: str) -> str:
    """A hash of everything a submission depends on: data, code, options, seed and the versions of numeric packages."""
    one = unit.producer
    parts = (data_sha256, code_sha256(), sha256_file(one.component.origin), one.method, dict(one.options), unit.seed)
    return sha256_bytes(repr(parts).encode())
