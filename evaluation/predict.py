"""The create_baselines task for the sister tasks: every predictor on every data id of its task, one submission each."""

import inspect
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cleaning import FixfirstError, InvalidInput, Unsuitable
from cleaning.discovery import Component, failing_line, nearest
from evaluation import registry
from evaluation.files import make_folder, plain_errors, write_text, write_whole
from evaluation.folders import Folders
from evaluation.parameters import Parameters, PredictorSpec, load_parameters
from evaluation.problem import Loaded, ProblemFiles
from evaluation.progress import NotedUpdate, Reporter
from evaluation.seeding import generator


@dataclass(frozen=True)
class _Chosen:
    """A predictor with its options; `method` names its submissions, which end in `suffix`."""

    component: Component
    task: str
    method: str
    suffix: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Unit:
    data_id: str
    chosen: _Chosen
    seed: int


def create_predictions(folders: Folders, reporter: Reporter) -> int:
    """Writes a submission and its seconds for every (data id, predictor of its task, seed); returns how many failed.

    Seeded and reported as rankings are. Logo predictors also leave their probabilities, for `fixfirst blend`.
    """
    parameters = load_parameters(folders.parameters_file)
    blocks = {name: block for name, block in parameters.enabled().items() if block.task != "cleaning"}
    if not blocks:
        return 0
    chosen = _chosen(folders, parameters, reporter)
    pairs = [(data_id, block.task) for name, block in blocks.items() for data_id in block.data_ids(name)]
    units = [
        _Unit(data_id, one, seed)
        for data_id, task in pairs
        for one in chosen
        if one.task == task
        for seed in parameters.seeds
    ]
    make_folder(folders.submission_folder)
    failures = 0
    loaded: tuple[str, Loaded | None] = ("", None)
    with reporter.track("predict", len(units), "submissions") as update:
        for number, unit in enumerate(units):
            files = registry.problem_files(unit.chosen.task)
            if loaded[0] != unit.data_id:
                loaded = (unit.data_id, _load(unit, files, folders, reporter))
            path = submission_path(folders.submission_folder, unit, parameters.seeds[0])
            within = _within(update, number, unit.chosen.method)
            failures += not (loaded[1] is not None and _write_one(unit, files, loaded[1], path, reporter, within))
            update(number + 1)
    reporter.say(f"predict: {len(units) - failures} of {len(units)} submissions of {len(pairs)} data ids")
    return failures


def submission_path(folder: Path, unit: _Unit, first_seed: int) -> Path:
    """Where the submission of a method belongs."""
    place = folder if unit.seed == first_seed else folder / f"seed-{unit.seed}"
    return place / f"{unit.data_id}_{unit.chosen.method}{unit.chosen.suffix}"


def _chosen(folders: Folders, parameters: Parameters, reporter: Reporter) -> list[_Chosen]:
    known = registry.predictors(folders.ranker_folder)
    for line in known.skipped:
        reporter.warn(line)
    specs = [PredictorSpec(name=name) for name in known] if parameters.predictors == "all" else parameters.predictors
    chosen: list[_Chosen] = []
    for spec in specs:
        component, options = known[spec.name], spec.model_extra or {}
        accepted = [
            name
            for name, entry in inspect.signature(component.member).parameters.items()
            if entry.kind is entry.KEYWORD_ONLY and name not in ("rng", "progress")
        ]
        for name in options:
            if name not in accepted:
                raise InvalidInput(f"predictor {spec.name}", f"unknown option {name!r}", nearest(name, accepted))
        if component.name not in registry.own_predictors():
            reporter.say(f"loaded the predictor {component.name} from {component.origin}")
        method = spec.method or spec.name
        if method in (one.method for one in chosen):
            raise InvalidInput(f"predictor {spec.name}", f"the method {method!r} is there already", "add `as: NAME`")
        task = registry.task_of(component)
        chosen.append(_Chosen(component, task, method, _suffix(spec, registry.problem_files(task)), options))
    return chosen


def _suffix(spec: PredictorSpec, files: ProblemFiles) -> str:
    """How the submissions end. Raises InvalidInput for a format the task does not have."""
    suffix = files.suffix if spec.format is None else f".{spec.format}"
    if suffix not in files.forms:
        known = ", ".join(name[1:] for name in files.forms)
        raise InvalidInput(f"predictor {spec.name}", f"unknown format {spec.format!r}", f"known: {known}")
    return suffix


def _load(unit: _Unit, files: ProblemFiles, folders: Folders, reporter: Reporter) -> Loaded | None:
    try:
        loaded = files.load(folders.embedding_folder / unit.data_id)
    except FixfirstError as error:
        reporter.warn(f"failed: {unit.data_id}: {error}")
        return None
    for note in loaded.notes:
        reporter.warn(f"{unit.data_id}: {note}")
    return loaded


def _write_one(
    unit: _Unit, files: ProblemFiles, loaded: Loaded, path: Path, reporter: Reporter, update: NotedUpdate
) -> bool:
    """Predicts and writes one submission; False where the predictor failed. One that does not fit is left out."""
    method = unit.chosen.method
    try:
        answer, seconds = _timed(unit, loaded, update)
        content = files.forms[unit.chosen.suffix](answer, loaded)
    except Unsuitable as reason:
        reporter.warn(f"{method} left out on {unit.data_id}: {reason}")
        return True
    except FixfirstError as error:
        reporter.warn(f"failed: {method} on {unit.data_id}: {error}")
        return False
    write_text(path.with_name(f"{path.stem}.seconds"), f"{seconds!r}\n")
    if files.probabilities is not None:
        write_whole(path.parent / "probabilities" / path.name, files.probabilities(answer, loaded))
    write_whole(path, content)
    for suffix in files.forms.keys() - {path.suffix}:
        # the same method's answer of an earlier run in another form would make two
        other = path.with_name(f"{path.stem}{suffix}")
        with plain_errors(other, "remove the file"):
            other.unlink(missing_ok=True)
    return True


def _timed(unit: _Unit, loaded: Loaded, update: NotedUpdate) -> tuple[Any, float]:
    from threadpoolctl import threadpool_limits

    rng = generator(unit.data_id, unit.chosen.method, unit.seed)
    component = unit.chosen.component

    def progress(done: float, total: float, note: str) -> None:
        update(done / total if total else 1.0, note)

    with threadpool_limits(limits=1):
        started = time.perf_counter()
        try:
            answer = component.member(loaded.problem, rng=rng, progress=progress, **unit.chosen.options)
        except FixfirstError:
            raise
        except Exception as error:
            place = failing_line(error, component.origin)
            raise InvalidInput(
                place, f"the predictor broke ({type(error).__name__}: {error})", "correct the predictor"
            ) from error
        return answer, time.perf_counter() - started


def _within(update: NotedUpdate, number: int, method: str) -> NotedUpdate:
    """Progress of one unit as a part of all."""

    def within(done: float, note: str = "") -> None:
        update(number + min(done, 1.0), f"{method}: {note}" if note else method)

    return within
