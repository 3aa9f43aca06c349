"""The create_baselines task: every ranker on every data id, one submission each."""

import inspect
import time
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from cleaning import FixfirstError, InvalidInput, NoisyDataset, Ranking, Unsuitable
from cleaning.discovery import Component, Registry, failing_line
from evaluation import registry
from evaluation.datafiles import load_dataset
from evaluation.files import make_folder
from evaluation.folders import Folders
from evaluation.parameters import Parameters, load_parameters
from evaluation.progress import Reporter, Update
from evaluation.seeding import generator
from evaluation.submissions import submission_path, write_submission
from evaluation.task import Step


@dataclass(frozen=True)
class _Unit:
    data_id: str
    ranker: Component
    seed: int


def create_baselines(folders: Folders, reporter: Reporter) -> int:
    """Writes a ranking and its time for every (data id, ranker, seed) and returns how many rankers failed.

    The generator of each is seeded by these three alone, so the same seed writes the same ranking, whatever else runs.
    Only the call of the ranker is timed. A ranker that fails is reported, and the others go on.
    """
    parameters = load_parameters(folders.parameters_file)
    known = registry.rankers(folders.ranker_folder)
    for line in known.skipped:
        reporter.warn(line)
    chosen = _chosen(known, parameters)
    for component in chosen:
        if component.name not in registry.own_rankers():
            reporter.say(f"loaded the ranker {component.name} from {component.origin}")
    make_folder(folders.submission_folder)
    ids = [d for name, block in parameters.enabled("cleaning").items() for d in block.data_ids(name)]
    total = len(ids) * len(chosen) * len(parameters.seeds)
    done = 0
    outcomes: Counter[str] = Counter()
    with reporter.track("rank", total, "rankings") as update:
        for data_id in ids:
            dataset = load_dataset(folders.embedding_folder, data_id)
            for unit in (_Unit(data_id, component, seed) for component in chosen for seed in parameters.seeds):
                inside = _within(update, done)
                outcomes[_write_one(unit, dataset, folders, parameters, reporter, inside)] += 1
                done += 1
                update(done)
    reporter.say(
        f"rank: {outcomes['written']} of {total} rankings of {len(ids)} data ids by {len(chosen)} rankers"
        + "".join(f", {outcomes[name]} {name}" for name in ("left out", "failed") if outcomes[name])
    )
    return outcomes["failed"]


def _chosen(known: Registry, parameters: Parameters) -> list[Component]:
    """The rankers asked for. Raises InvalidInput for a bound, which reads the truth and is no ranker."""
    if parameters.rankers == "all":
        return [component for component in known.values() if component.bound is None]
    for name in parameters.rankers:
        if known[name].bound is not None:
            raise InvalidInput(f"ranker {name!r}", "it is a bound that reads the truth", "list it under `bounds:`")
    return [known[name] for name in parameters.rankers]


def _within(update: Update, done: int) -> Step:
    return lambda part, whole: update(done + part / whole)


def _write_one(
    unit: _Unit, dataset: NoisyDataset, folders: Folders, parameters: Parameters, reporter: Reporter, progress: Step
) -> Literal["written", "left out", "failed"]:
    """Ranks and writes one submission; a ranker that does not fit the data is left out, with its reason."""
    path = submission_path(folders.submission_folder, unit.data_id, unit.ranker.name, unit.seed, parameters.seeds[0])
    try:
        ranking, seconds = _timed(unit, dataset, progress)
    except Unsuitable as reason:
        reporter.warn(f"{unit.ranker.name} left out on {unit.data_id}: {reason}")
        return "left out"
    except FixfirstError as error:
        reporter.warn(f"failed: {unit.ranker.name} on {unit.data_id}: {error}")
        return "failed"
    write_submission(path, ranking, seconds)
    return "written"


def _timed(unit: _Unit, dataset: NoisyDataset, progress: Step) -> tuple[Ranking, float]:
    from threadpoolctl import threadpool_limits

    rng = generator(unit.data_id, unit.ranker.name, unit.seed)
    watched = {"progress": progress} if "progress" in inspect.signature(unit.ranker.member).parameters else {}
    with threadpool_limits(limits=1):
        started = time.perf_counter()
        try:
            result = unit.ranker.member(dataset.train, dataset.validation, rng=rng, **watched)
        except FixfirstError:
            raise
        except Exception as error:
            place = failing_line(error, unit.ranker.origin)
            raise InvalidInput(
                place, f"the ranker broke ({type(error).__name__}: {error})", "correct the ranker"
            ) from error
        seconds = time.perf_counter() - started
    try:
        ranking = result if isinstance(result, Ranking) else Ranking.from_scores(result)
    except InvalidInput as error:
        raise error.within(unit.ranker.origin) from None
    if len(ranking) != len(dataset.train):
        raise InvalidInput(
            unit.ranker.origin, f"{len(ranking)} rows ranked of {len(dataset.train)}", "return one score a training row"
        )
    return ranking, seconds
