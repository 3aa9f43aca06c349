"""DataPerf training-set cleaning: how few label fixes it takes to reach 95% of the clean model's test accuracy."""

import json
import os
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cleaning import CleaningCurve, GroundTruth, InvalidInput, NoisyDataset, Ranking, simulate
from cleaning.errors import FixfirstError, Place, Unsuitable, count_of, data_at_fault
from cleaning.progress import Progress
from cleaning.simulation.blocks import BlockFolder
from cleaning.simulation.curve import reference_rounding
from cleaning.simulation.simulate import Plan
from evaluation.contest.standings import leaderboard
from evaluation.contract.metric import Metric
from evaluation.contract.record import Curve, Record
from evaluation.contract.registry import bounds, is_bound, make_learner
from evaluation.contract.task import Case, Outcome, Rejected, Task
from evaluation.datasets.layout import count_training_rows, dataset_sha256, load_dataset, load_truth
from evaluation.files.whole import refuse_odd_entry, sha256_file, write_text
from evaluation.harness.seeding import generator
from evaluation.settings.folders import Folders
from evaluation.settings.parameters import LearnerSpec, Parameters
from evaluation.submissions import round_logs
from evaluation.submissions.rankings import (
    SUFFIX,
    Submission,
    SubmissionFile,
    find_submissions,
    identify,
    read_submission,
)
from evaluation.submissions.time_files import read_seconds

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# In training rows. A shorter curve is not worth splitting into jobs.
_LONG_CURVE = 2048


def load(folders: Folders, parameters: Parameters) -> list[Case | Rejected]:
    """All rankings and round logs in the submission folder, each with everything its score depends on."""
    cases: list[Case | Rejected] = []
    hashes: dict[str, str] = {}
    ids = _data_ids(folders, parameters)
    rows_of = cache(partial(count_training_rows, folders.embedding_folder))
    files = [
        found
        for suffix in (SUFFIX, round_logs.SUFFIX)
        for found in find_submissions(folders.submission_folder, ids, parameters.seeds[0], suffix)
    ]
    submissions = [(_unless_taken(found), False) for found in files]
    for found, bound in [*submissions, *((oracle, True) for oracle in _bounds(ids, parameters))]:
        if isinstance(found, Rejected):
            cases.append(found)
            continue
        try:
            submission, time = (sha256_file(found.path), None) if bound else _hashes(found, folders.submission_folder)
            rows = rows_of(found.data_id)
            every = round_logs.read_every(found.path, rows) if _is_log(found.path) else None
        except FixfirstError as error:
            cases.append(Rejected(found.path, error))
            continue
        if found.data_id not in hashes:
            hashes[found.data_id] = dataset_sha256(folders.embedding_folder, folders.groundtruth_folder, found.data_id)
        settings = {
            "learner": _learner(folders, parameters.learner_of(found.data_id)),
            "target": parameters.target,
            "budgets": parameters.budgets,
            "time_sha256": time,
            "bound": bound,
        }
        method, digest = found.method, hashes[found.data_id]
        if every is not None:
            method, settings["rounds"] = round_logs.method_in_rounds(method, every), every
        long = rows >= _LONG_CURVE
        cases.append(Case(found.data_id, method, found.seed, found.path, submission, digest, settings, folders, long))
    return cases


def _is_log(path: Path) -> bool:
    return path.suffix == round_logs.SUFFIX


def _learner(folders: Folders, spec: LearnerSpec) -> dict[str, object]:
    """The learner with all its options, validated. Raises InvalidInput that names parameters.yaml."""
    try:
        return make_learner(spec).describe()
    except InvalidInput as error:
        raise error.within(folders.parameters_file) from None


def _hashes(file: SubmissionFile, folder: Path) -> tuple[str, str | None]:
    """The sha256 of a ranking and of its time file, if there is one.

    Raises FixfirstError for anything that is not a regular file in the folder.
    """
    refuse_odd_entry(file.path, folder)
    if not os.path.lexists(file.time_path):
        return sha256_file(file.path), None
    refuse_odd_entry(file.time_path, folder)
    return sha256_file(file.path), sha256_file(file.time_path)


def score(case: Case, progress: Progress) -> Outcome:
    """Runs the cleaning simulation of one ranking. Raises InvalidInput for a bad submission, BadData for bad data.

    With budgets, the metrics are computed on the thinned curve, and `fraction_fixes` is left out.
    """
    with data_at_fault():
        dataset = load_dataset(case.folders.embedding_folder, case.dataset)
        truth = load_truth(case.folders.groundtruth_folder, dataset)
        learner = make_learner(LearnerSpec.model_validate(dict(case.settings["learner"])))
    file = SubmissionFile(case.path, case.dataset, case.method, case.seed)
    submission = _submission(file, dataset, truth, case)
    target, budgets = float(case.settings["target"]), case.settings["budgets"]
    blocks = None if case.unfinished is None else BlockFolder(case.unfinished)
    plan = Plan(case.engine, blocks, budgets, target)
    with data_at_fault(Unsuitable):  # if the learner cannot learn from these data, the ranking is not to blame
        curve = simulate(dataset, truth, submission.ranking, learner, progress, plan)
    wrong = int(np.count_nonzero(dataset.train.labels != truth.labels))
    metrics = {"score": curve.score(target), "fixes_needed": curve.fixes_needed(target), "area": curve.area()}
    if budgets is None:  # the reference's score needs a point for every fix
        metrics["fraction_fixes"] = curve.fraction_fixes()
    return Outcome(
        metrics=metrics,
        denominators={"n_train": len(dataset.train), "n_wrong": wrong, "n_test": len(dataset.test)},
        curve=_recorded(curve),
        seconds=submission.seconds,
        details={"order": submission.ranking.order.tolist()},
    )


def validate(path: Path, folders: Folders, parameters: Parameters) -> str:
    """Checks one ranking or round log, in any folder, against the data id that its name starts with."""
    suffix = round_logs.SUFFIX if _is_log(path) else SUFFIX
    file = _unless_taken(identify(path, _data_ids(folders, parameters), parameters.seeds[0], (suffix,)))
    if isinstance(file, Rejected):
        raise file.error
    rows = len(load_dataset(folders.embedding_folder, file.data_id).train)
    if _is_log(path):
        method = round_logs.method_in_rounds(file.method, round_logs.read_log(path, rows).every)
        seconds = read_seconds(file.time_path)
    else:
        method, seconds = file.method, read_submission(file, rows).seconds
    time = "no time file" if seconds is None else f"{seconds:g} s"
    return f"data id {file.data_id}, method {method}, {count_of(rows, 'row')}, {time}"


def figures(records: Sequence[Record]) -> Iterator[tuple[str, "Figure"]]:
    """The curves of all methods, one figure per data id."""
    from evaluation.figures.curves import curves_figure

    rows = leaderboard(records, TASK)
    for data_id in sorted({record.dataset for record in records if record.curve is not None}):
        yield f"{data_id}_evaluation", curves_figure(data_id, records, rows)


def publish(records: Sequence[Record], folders: Folders, parameters: Parameters) -> None:
    """Writes {data_id}_evaluation.json in the original evaluator's format, for tools that read that format.

    Accuracies are rounded to 2 decimals, as the original does. The file holds only submissions of the first seed whose
    curve has a point for every fix. Bounds and rounds, which read the ground truth, are left out.
    """
    for data_id in sorted({record.dataset for record in records}):
        chosen = [r for r in records if r.dataset == data_id and r.seed == parameters.seeds[0] and _is_published(r)]
        if chosen:
            text = json.dumps(_reference_shape(chosen))
            write_text(folders.results_folder / f"{data_id}_evaluation.json", text + "\n")


def _is_published(record: Record) -> bool:
    reads_the_truth = record.settings.get("bound") or record.rounds is not None
    return record.curve is not None and "fraction_fixes" in record.metrics and not reads_the_truth


def _reference_shape(records: Sequence[Record]) -> dict[str, object]:
    curves = [(record.method, record.curve) for record in records if record.curve is not None]
    return {
        "before_acc": reference_rounding(np.array([curves[0][1].dirty])).item(),
        "submitted_evaluations": [
            {"submission": method, "accuracy": accuracy, "fixes": fixes}
            for method, curve in curves
            for fixes, accuracy in zip(curve.fixes, reference_rounding(np.array(curve.accuracy)).tolist(), strict=True)
            if fixes
        ],
        "auc_score": {r.method: {"auc": -1, "fraction_fixes": r.metrics["fraction_fixes"]} for r in records},
    }


def _bounds(ids: Sequence[str], parameters: Parameters) -> list[SubmissionFile]:
    """The requested bounds, with the module of each treated as its submission to every data id."""
    found = []
    for name in parameters.bounds:
        component = bounds()[name]
        found += [SubmissionFile(component.origin, data_id, name, parameters.seeds[0]) for data_id in ids]
    return found


def _unless_taken(found: SubmissionFile | Rejected) -> SubmissionFile | Rejected:
    """The file found, or a rejection if it has the name of a bound or of rounds and would share their records.

    This applies to every bound, whether parameters.yaml lists it or not.
    """
    if isinstance(found, Rejected):
        return found
    in_rounds = round_logs.ranker_in_rounds(found.method) is not None
    if not in_rounds and not is_bound(found.method):
        return found
    what = "a ranker in rounds" if in_rounds else "a bound"
    problem = f"{found.method!r} is the name of {what}, not of a submission"
    return Rejected(found.path, InvalidInput(found.path, problem, "rename the file"))


def _submission(file: SubmissionFile, dataset: NoisyDataset, truth: GroundTruth, case: Case) -> Submission:
    """The order of a case, wherever it comes from. Raises InvalidInput for one that is not a ranking of all rows."""
    if case.bound:
        return _bound(file, dataset, truth)
    if case.rounds is None:
        return read_submission(file, len(dataset.train))
    log = round_logs.read_log(file.path, len(dataset.train))
    log.refuse_other_labels(file.path, truth)
    return Submission(file.data_id, file.method, log.ranking, read_seconds(file.time_path))


def _bound(file: SubmissionFile, dataset: NoisyDataset, truth: GroundTruth) -> Submission:
    """The order of a bound, which receives the ground truth; it has no time, which would mean nothing."""
    rng = generator(file.data_id, file.method, file.seed)
    order = bounds()[file.method].member(dataset.train, dataset.validation, truth, rng=rng)
    ranking = order if isinstance(order, Ranking) else Ranking.from_scores(order)
    return Submission(file.data_id, file.method, ranking, None)


def _data_ids(folders: Folders, parameters: Parameters) -> tuple[str, ...]:
    """The data ids of the enabled blocks. Raises InvalidInput if there are none."""
    blocks = parameters.enabled("cleaning")
    for name, block in blocks.items():
        if block.split is not None:
            place = Place(folders.parameters_file, key=f"datasets.{name}.split")
            raise InvalidInput(place, "the task cleaning does not split its test rows", "remove `split:`")
    ids = tuple(d for name, block in blocks.items() for d in block.data_ids(name))
    if not ids:
        raise InvalidInput(
            folders.parameters_file,
            "no data set of the task cleaning is enabled",
            "add a block under `datasets:`, set `enabled: true`, or list only tasks that have data under `tasks:`",
        )
    return ids


def _recorded(curve: CleaningCurve) -> Curve:
    return Curve(
        fixes=tuple(curve.fixes.tolist()), accuracy=tuple(curve.accuracy.tolist()), dirty=curve.dirty, clean=curve.clean
    )


TASK = Task(
    name="cleaning",
    version=3,
    suffixes=(SUFFIX,),
    main=Metric("score", "share of labels fixed to reach the target", greater_is_better=False),
    others=(
        Metric("fraction_fixes", "fraction_fixes of the reference evaluator", greater_is_better=False),
        Metric("fixes_needed", "labels fixed to reach the target", greater_is_better=False, limits=(0.0, None)),
        Metric("area", "mean accuracy over all fixes", greater_is_better=True),
    ),
    load=load,
    score=score,
    validate=validate,
    figures=figures,
    publish=publish,
)
