"""`fixfirst rounds`: every ranker that can be asked again cleans every data id in rounds; the logs are its submissions.

This process holds the truth and runs no ranker. A ranker that it asks learns the right label of a row only by having
the row fixed, and every row that is fixed is in the log, which is what `evaluate` scores.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from pydantic import Field

from cleaning import FixfirstError, GroundTruth, InvalidInput, Unsuitable
from cleaning.errors import Place, count_of, printable
from cleaning.progress import Progress
from cleaning.simulation.rounds import clean_in_rounds
from evaluation.contract.loading import load_parameters
from evaluation.datasets.layout import dataset_sha256, load_dataset, load_truth
from evaluation.files.lock import only_writer
from evaluation.files.progress import Reporter
from evaluation.files.whole import append_line, drop_half_line, plain_errors, read_text, sha256_bytes, write_text
from evaluation.harness.made import Batch, Made, Outcome, code_sha256, outcomes
from evaluation.harness.rounds.asking import asked, offered
from evaluation.harness.rounds.worker import CHECKED, Job, Offered
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import Parameters
from evaluation.submissions.rankings import place_of_seed
from evaluation.submissions.round_logs import SUFFIX, Round, log_text, parsed_line
from evaluation.submissions.time_files import time_of_ranking, write_seconds

_UNFINISHED = ".unfinished"
"""The folder in the submission folder that keeps the rounds of logs that are not complete yet."""


class _Timed(Round):
    """A round, and how long the ranker took."""

    seconds: float = Field(ge=0, allow_inf_nan=False)


@dataclass(frozen=True, eq=False)
class _Unit:
    """One log to make."""

    data_id: str
    ranker: Offered
    seed: int
    path: Path

    @property
    def title(self) -> str:
        """What its progress is called."""
        return f"{self.ranker.name} in rounds"


@dataclass(frozen=True)
class _Bench:
    """What all logs are made with."""

    folders: Folders
    every: int
    reporter: Reporter

    def recipe(self, unit: _Unit) -> str:
        """A hash of everything that a log depends on: data and truth, code, number of fixes per round, and seed."""
        folders, ranker = self.folders, unit.ranker
        data = dataset_sha256(folders.embedding_folder, folders.groundtruth_folder, unit.data_id)
        parts = (data, code_sha256(), ranker.sha256, ranker.name, self.every, unit.seed)
        return sha256_bytes(repr(parts).encode())

    def unfinished(self, recipe: str) -> Path:
        """The rounds of a log so far."""
        return self.folders.submission_folder / _UNFINISHED / f"{recipe}.jsonl"

    def truth(self, data_id: str) -> GroundTruth | None:
        """The truth of a data id; None if it cannot be read, which is reported."""
        try:
            dataset = load_dataset(self.folders.embedding_folder, data_id)
            return load_truth(self.folders.groundtruth_folder, dataset)
        except FixfirstError as error:
            self.reporter.warn(f"failed: {data_id}: {error}")
            return None


def make_rounds(folders: Folders, reporter: Reporter, *, only: Sequence[str] = ()) -> int:
    """Writes a round log, and the seconds it took, for every (data id, ranker that can be asked again, seed).

    only: the names of the rankers, whatever parameters.yaml lists. Returns how many failed. Each failure is reported,
    and the others are still made. A log that the same code already made from the same data is kept, and one that was
    interrupted goes on after its last round. Raises InvalidInput if parameters.yaml does not say `rounds:`.
    """
    parameters = load_parameters(folders.parameters_file)
    if parameters.rounds is None:
        place = Place(folders.parameters_file, key="rounds")
        raise InvalidInput(place, "it is not set", "add a line `rounds: 20`, to ask again after every 20 fixes")
    units = _units(folders, parameters, _chosen(folders, parameters, only, reporter))
    bench = _Bench(folders, parameters.rounds, reporter)
    counted: Counter[Outcome] = Counter()
    with (
        only_writer(folders.submission_folder, reporter.warn),
        reporter.track("rounds", "submissions") as progress,
    ):
        made = Made(folders.submission_folder / ".made.jsonl")
        for number, outcome in enumerate(outcomes(units, lambda own: _batch(own, bench), made, progress), start=1):
            counted[outcome] += 1
            progress(number, len(units))
        if not only and not counted["failed"]:  # what is left belongs to other code or data
            rmtree(folders.submission_folder / _UNFINISHED, ignore_errors=True)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in counted.items())
    made_of = f"{count_of(len(units), 'submission')} in rounds of {count_of(parameters.rounds, 'fix')}"
    reporter.say(f"rounds: {made_of}: {counts or 'none'}")
    return counted["failed"]


def _chosen(folders: Folders, parameters: Parameters, only: Sequence[str], reporter: Reporter) -> list[Offered]:
    """The requested rankers, as far as they can be asked again."""
    offer = offered(folders.ranker_folder)
    for line in offer.warnings:
        reporter.warn(printable(line))
    known = {one.name: one for one in offer.rankers}
    for name in only:
        if name not in known:
            reporter.warn(f"{name} has no rounds: it is not a ranker with an argument `{CHECKED}`")
    wanted = only or (list(known) if parameters.rankers == "all" else parameters.rankers)
    found = [known[name] for name in wanted if name in known]
    for one in found:
        if one.origin is not None:
            reporter.say(printable(f"asking the ranker {one.name} from {one.origin}"))
    return found


def _units(folders: Folders, parameters: Parameters, rankers: Sequence[Offered]) -> list[_Unit]:
    places = {seed: place_of_seed(folders.submission_folder, seed, parameters.seeds[0]) for seed in parameters.seeds}
    return [
        _Unit(data_id, one, seed, places[seed] / f"{data_id}_{one.name}{SUFFIX}")
        for name, block in parameters.enabled("cleaning").items()
        for data_id in block.data_ids(name)
        for one in rankers
        for seed in parameters.seeds
    ]


def _batch(own: Sequence[_Unit], bench: _Bench) -> Batch[_Unit, GroundTruth]:
    """How the logs of one data id are made."""
    recipes = {unit: bench.recipe(unit) for unit in own}
    return Batch(
        recipes,
        lambda: bench.truth(own[0].data_id),
        lambda unit, truth, progress: _make(unit, truth, bench, recipes[unit], progress),
    )


def _make(unit: _Unit, truth: GroundTruth, bench: _Bench, recipe: str, progress: Progress) -> Outcome:
    """Makes and writes one log. A ranker that is unsuitable for the data is skipped, with the reason."""
    told = f"{unit.ranker.name} on {unit.data_id}"
    try:
        rounds = _rounds(unit, truth, bench, bench.unfinished(recipe), progress)
        seconds = sum(one.seconds for one in rounds)
        write_seconds(time_of_ranking(unit.path), seconds)
        write_text(unit.path, log_text(bench.every, [Round(rows=one.rows, labels=one.labels) for one in rounds]))
        _drop(bench.unfinished(recipe))
    except Unsuitable as reason:
        bench.reporter.warn(f"{told} left out in rounds: {reason}")
        return "left out"
    except FixfirstError as error:
        bench.reporter.warn(f"failed: {told} in rounds: {error}")
        return "failed"
    return "written"


def _rounds(unit: _Unit, truth: GroundTruth, bench: _Bench, path: Path, progress: Progress) -> list[_Timed]:
    """All rounds; those that an earlier run has finished are not made again."""
    rounds = _finished(path, truth, bench.every)
    fixed = [row for one in rounds for row in one.rows]
    folders, name = bench.folders, unit.ranker.name
    job = Job(folders.embedding_folder, folders.ranker_folder, unit.data_id, name, unit.seed)
    with asked(job, len(truth.labels)) as ranker:
        for chosen in clean_in_rounds(ranker.rank, truth, bench.every, fixed):
            rows, labels = tuple(chosen.tolist()), tuple(truth.labels[chosen].tolist())
            rounds.append(_Timed(rows=rows, labels=labels, seconds=ranker.seconds))
            append_line(path, rounds[-1].model_dump_json())
            progress(sum(len(one.rows) for one in rounds), len(truth.labels))
        for line in ranker.told:
            bench.reporter.warn(f"{name} on {unit.data_id} in rounds: {line}")
    return rounds


def _finished(path: Path, truth: GroundTruth, every: int) -> list[_Timed]:
    """The rounds that an interrupted run has finished; none, without the file, if they are not such rounds."""
    drop_half_line(path)
    lines = read_text(path).splitlines() if path.exists() else []
    try:
        found = [parsed_line(_Timed, line, Place(path, line=number)) for number, line in enumerate(lines, start=1)]
        rows = [row for one in found for row in one.rows]
        right = len(set(rows)) == len(rows) and all(
            row < len(truth.labels) and truth.labels[row] == label
            for one in found
            for row, label in zip(one.rows, one.labels, strict=True)
        )
        whole = all(len(one.rows) == every for one in found[:-1])
    except (InvalidInput, ValueError):
        right = whole = False
    if right and whole:
        return found
    _drop(path)
    return []


def _drop(path: Path) -> None:
    """Removes the rounds of a log, and the folder if it is then empty."""
    with plain_errors(path, "remove the file"):
        path.unlink(missing_ok=True)
        if path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()
