"""The ranking study: `nox -s study -- [--quick] [--seeds=10] [--sets=NAME,…] [--rankers=NAME,…] [--report]`.

Runs every ranker and every bound on every case; our own rankers also without the validation rows. Each result becomes
one line of rows.csv per case and ranker. The lines of a case are written as soon as it is done, so a stopped run can
resume. Then it writes the tables (table.csv, table.md) and the figure (study.png, study.svg).

Other tables in results/ were made with these options, each with its own --out:

    ten_classes   --sets="digits 10,mnist 10,clothing 10" --seeds=16
                  --noises="symmetric 0.30,class-conditional 0.10,instance-dependent 0.30"
    challenge     --sets=challenge --noises="symmetric 0.30,class-conditional 0.30" --rankers=…
"""

import argparse
import csv
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score

from cleaning import GroundTruth, Learner, NoisyDataset, Ranking, Unsuitable, label_posterior, simulate
from cleaning.discovery import Component, Registry
from evaluation.contract.registry import bounds, own_rankers
from evaluation.contract.registry import learners as known_learners
from tests.study.cases import Case, cases, make
from tests.study.report import ALONE, OURS, write_report

COLUMNS = ["source", "noise", "rate", "seed", "ranker", "learner", "score", "fraction_fixes", "area", "precision"]
COLUMNS += ["seconds", "wrong", "expected", "low", "high"]


# Two classes and one learner, so that the means are comparable. Ten classes and the redrawn challenge pictures must be
# requested with --sets.
_SETS = "digits 3v8,digits 4v9,mnist 3v8,mnist 4v9,clothing 1v5,clothing 4v9,synthetic,dataperf"
# The same as scikit-learn's LogisticRegression with its defaults, on the embeddings as they are.
_LOGISTIC: dict[str, Any] = {"C": 1.0, "scaling": "none"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="only three data sets and two kinds of noise")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--out", type=Path, help="default: dist/study, or dist/study-quick with --quick")
    parser.add_argument(
        "--sets", default=_SETS, help="comma-separated prefixes of data set names; default: %(default)s"
    )
    parser.add_argument("--noises", default="", help="comma-separated prefixes of noises, such as symmetric 0.30")
    parser.add_argument("--rankers", help="comma-separated names; default: all")
    parser.add_argument("--report", action="store_true", help="run nothing; only redo tables and figure from rows.csv")
    options = parser.parse_args()
    folder = options.out or Path("dist") / ("study-quick" if options.quick else "study")
    folder.mkdir(parents=True, exist_ok=True)
    if not options.report:
        rankers = {**own_rankers(), **bounds()}
        rankers |= {name + ALONE: rankers[name] for name in OURS}
        names = options.rankers.split(",") if options.rankers else list(rankers)
        todo = [case for case in cases(options.seeds, options.quick) if _wanted(case, options)]
        run(folder / "rows.csv", todo, {name: rankers[name] for name in names})
    print(write_report(folder / "rows.csv", folder))


def _wanted(case: Case, options: argparse.Namespace) -> bool:
    noise = f"{case.noise} {case.rate:.2f}"
    return case.source.startswith(tuple(options.sets.split(","))) and noise.startswith(tuple(options.noises.split(",")))


def run(path: Path, todo: list[Case], rankers: dict[str, Component]) -> None:
    """Appends the missing rows to the csv file at `path`."""
    done = set()
    if path.exists():
        with path.open(newline="") as file:
            done = {
                (row["source"], row["noise"], row["rate"], row["seed"], row["ranker"]) for row in csv.DictReader(file)
            }
    learners = known_learners()
    started, fresh = time.perf_counter(), not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if fresh:
            writer.writeheader()
        for number, case in enumerate(todo, start=1):
            missing = [name for name in rankers if (*case.key, name) not in done]
            if missing:
                writer.writerows(_rows(case, {name: rankers[name] for name in missing}, learners))
                file.flush()
            spent = time.perf_counter() - started
            print(
                f"\r{number} of {len(todo)} cases, {spent:.0f} s, {spent / number * (len(todo) - number):.0f} s left",
                end="",
            )
            sys.stdout.flush()
    print()


def _rows(case: Case, rankers: dict[str, Component], learners: Registry) -> list[dict[str, object]]:
    dataset, truth = make(case)
    name = "dataperf" if case.source.startswith(("dataperf ", "challenge ")) else "logistic"
    learner = learners[name].member(**({} if name == "dataperf" else _LOGISTIC))
    wrong = dataset.train.labels != truth.labels
    rows = []
    for ranker, component in rankers.items():
        head = dict(zip(COLUMNS, [*case.key, ranker, name], strict=False))
        given = replace(dataset, validation=None) if ranker.endswith(ALONE) else dataset
        try:
            row = _row(component, given, truth, learner, case.seed)
        except Unsuitable:
            continue
        if ranker.startswith("label_posterior"):
            bounds = label_posterior(given.train, given.validation).wrong_labels()
            row |= dict(zip(("expected", "low", "high"), bounds, strict=True))
        rows.append({**head, **row, "wrong": int(wrong.sum())})
    return rows


def _row(
    component: Component, dataset: NoisyDataset, truth: GroundTruth, learner: Learner, seed: int
) -> dict[str, object]:
    rng, started = np.random.default_rng(seed), time.process_time()
    known = (
        (dataset.train, dataset.validation, truth)
        if component.name in bounds()
        else (dataset.train, dataset.validation)
    )
    answer = component.member(*known, rng=rng)
    seconds = time.process_time() - started
    ranking = answer if isinstance(answer, Ranking) else Ranking.from_scores(answer)
    curve = simulate(dataset, truth, ranking, learner)
    place = np.empty(len(ranking))
    place[ranking.order] = -np.arange(len(ranking))
    return {
        "score": curve.score(),
        "fraction_fixes": curve.fraction_fixes(),
        "area": curve.area(),
        "precision": average_precision_score(dataset.train.labels != truth.labels, place),
        "seconds": seconds,
    }


if __name__ == "__main__":
    main()
