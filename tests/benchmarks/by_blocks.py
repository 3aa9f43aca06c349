"""Very many rows: `nox -s bench -- by_blocks [--rows=N --width=D --classes=K] [--jobs=J] [--with=METHOD …]`.

`--annotators=A` plants the votes of A people (5 to 45% wrong, 30% of the rows each) in place of one label per row.

Makes embeddings in a float16 npy (overlapping classes in groups of twenty, 10% wrong labels, half of them within the
group) and runs `fixfirst rank` on it in a process of its own. Says CPU seconds, also of its workers, the peak of
resident memory of the largest process, and how well the order finds the wrong labels. `--with` adds, in the same run:

* plain: `label_posterior`, which holds everything in memory
* cleanlab: self-confidence by a logistic regression in five folds (C = 0.01, up to `--steps` steps of L-BFGS)
* crowdlab: cleanlab's CROWDLAB with the probabilities of the same logistic regression; needs annotators

`--growth` measures smaller cases, draws how the time grows with rows, width, classes and Dask workers, and calculates
from it what larger ones would take; it writes by_blocks.png and by_blocks.md to tests/benchmarks/results. What is in
by_blocks.jsonl there is not measured again; `--beside` first measures two large cases with fixfirst and with
cleanlab, and `--votes` one with annotators, some CPU minutes each; they are kept in by_blocks_beside.jsonl and
by_blocks_votes.jsonl. Times are CPU seconds, since other programs may
load the machine; those on workers are of this process and of the busiest worker.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from tests.benchmarks import _crowds as crowds
from tests.benchmarks._large import Case
from tests.cluster import running_cluster
from tests.support import ROOT

RESULTS = Path(__file__).parent / "results"
OTHERS, WITH_VOTES = RESULTS / "by_blocks_beside.jsonl", RESULTS / "by_blocks_votes.jsonl"
METHODS = ("plain", "cleanlab", "crowdlab")
# The command, with a limit for what is large that every source exceeds.
BY_BLOCKS = """
import sys
from cleaning.belief.blocks import judge
from evaluation.cli import main
judge._MOST_BYTES = 0
sys.exit(main())
"""
# Each child works on one thread; more only in workers.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


@dataclass(frozen=True)
class Cost:
    """Seconds of the processors and of the clock, and the peak of the largest process in MB."""

    cpu: float
    wall: float
    peak: float


def run(command: Sequence[str]) -> Cost:
    """Runs a program of Python and waits for it and its workers."""
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, *command], env=os.environ | ENVIRONMENT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 1e3)


def ranked(folder: Path, *options: str) -> tuple[Cost, np.ndarray]:
    """What `fixfirst rank` costs where every source is ranked by blocks, and the suspicion of each row."""
    named = [f"--labels={folder / name}" for name in (crowds.VOTES,) if (folder / name).exists()]
    cost = run(["-c", BY_BLOCKS, "rank", str(folder / "X.npy"), f"--review={folder / 'review'}", *named, *options])
    table = pd.read_csv(folder / "review/ranking.csv", usecols=["row", "suspicion"])
    return cost, table.sort_values("row")["suspicion"].to_numpy()


def by_method(method: str, folder: Path, steps: int) -> tuple[Cost, np.ndarray]:
    """What another method costs, and the suspicion of each row."""
    cost = run(["-m", "tests.benchmarks.by_blocks", f"--child={method}", f"--folder={folder}", f"--steps={steps}"])
    return cost, crowds.kept(folder).doubt if method == "crowdlab" else np.load(folder / f"{method}.npy")


def judge(method: str, folder: Path, steps: int) -> None:
    """Writes the suspicion of each row by another method."""
    rows, given = np.load(folder / "X.npy").astype(np.float32), np.load(folder / "y.npy")
    if method == "plain":
        from cleaning import Split, label_posterior

        np.save(folder / "plain.npy", label_posterior(Split.from_arrays(rows, given)).suspicion)
        return
    rows -= rows.mean(axis=0)
    rows /= rows.std(axis=0)
    if method == "crowdlab":
        probabilities = np.empty((len(given), given.max() + 1))
        for held, predicted in cross_fitted(rows, given, steps):
            probabilities[held] = predicted
        crowds.crowdlab(folder, probabilities)
        return
    from cleanlab.rank import get_label_quality_scores

    quality = np.empty(len(given))
    for held, predicted in cross_fitted(rows, given, steps):
        quality[held] = get_label_quality_scores(given[held], predicted)
    np.save(folder / "cleanlab.npy", 1 - quality)


def cross_fitted(rows: np.ndarray, given: np.ndarray, steps: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The rows of each of five folds, and what a logistic regression of the others predicts for them."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    for fit, held in StratifiedKFold(5, shuffle=True, random_state=0).split(rows, given):
        yield held, LogisticRegression(C=0.01, max_iter=steps).fit(rows[fit], given[fit]).predict_proba(rows[held])


@dataclass(frozen=True)
class Beside:
    """What a method cost and found in a run with others.

    precision: average precision. first: the share of wrong labels among the first 1,000. own: with several annotators,
    these are about the labels that the method itself chooses, and so many of 1,000 are wrong.
    """

    case: Case
    method: str
    cpu: float
    peak: float
    precision: float
    first: float
    own: float | None = None


def beside(case: Case, steps: int, *methods: str, jobs: int = 1) -> Iterator[Beside]:
    """One case with fixfirst and with other methods, in one run."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        wrong = case.write(folder)
        for method in ("fixfirst rank", *methods):
            ours = method == "fixfirst rank"
            cost, found = ranked(folder, f"--jobs={jobs}") if ours else by_method(method, folder, steps)
            own = None
            if case.annotators and (ours or method == "crowdlab"):
                chosen = crowds.ranked(folder) if ours else crowds.kept(folder)
                wrong, found = chosen.labels != np.load(folder / "truth.npy"), chosen.doubt
                own = 1000 * float(wrong.mean())
            first = float(wrong[np.argsort(-found, kind="stable")[:1000]].mean())
            yield Beside(case, method, cost.cpu, cost.peak, float(average_precision_score(wrong, found)), first, own)


def compare(case: Case, jobs: int, methods: Sequence[str], steps: int) -> None:
    """Measures one case with fixfirst and with other methods."""
    print(f"{described(case)}, {jobs} jobs")
    heads = ("", "CPU s", "peak MB", "precision", "first 1000", "own wrong")
    print("{:22s} {:>9s} {:>9s} {:>10s} {:>10s} {:>10s}".format(*heads), flush=True)
    for one in beside(case, steps, *methods, jobs=jobs):
        own = "" if one.own is None else f"{one.own:.1f}"
        numbers = f"{one.cpu:9.1f} {one.peak:9.0f} {one.precision:10.4f} {1000 * one.first:10.0f} {own:>10s}"
        print(f"{one.method:22s} {numbers}", flush=True)


WIDE = Case(width=512, classes=1000)
BESIDE = [Case(rows=131_072, width=128, classes=classes) for classes in (200, 1000)]
CROWD = Case(rows=131_072, width=16, classes=50, spread=8.0, annotators=10)
VOTED = [CROWD]
GROWTH = {
    "rows": [replace(WIDE, rows=rows) for rows in (16_384, 32_768, 130_000)],
    "width": [replace(Case(), width=width) for width in (64, 128, 256, 512)],
    "classes": [replace(Case(), classes=classes) for classes in (100, 200, 400)],
}
# Cases and workers. The work of the process that hands out the blocks is calculated from the first two.
NARROW = Case(width=128, classes=100)
SPREAD = [(NARROW, 2), (replace(NARROW, rows=65_536), 2), (replace(NARROW, rows=65_536), 1)]


@dataclass(frozen=True)
class Point:
    """What a case cost: CPU seconds of the process that ranks, and of the busiest worker, if there are any."""

    what: str
    case: Case
    cpu: float
    peak: float
    workers: int = 0
    busiest: float = 0.0


Measured = TypeVar("Measured", Point, Beside)


def growth(known: Sequence[Point]) -> Iterator[Point]:
    """Measures every case that is not known yet."""
    for what, cases in GROWTH.items():
        for case in cases:
            found = [one for one in known if one.case == case and not one.workers]
            if not found:
                with tempfile.TemporaryDirectory() as place:
                    case.write(Path(place))
                    cost, _ = ranked(Path(place))
                found = [Point(what, case, cost.cpu, cost.peak)]
            yield replace(found[0], what=what)
    for case, workers in SPREAD:
        found = [one for one in known if one.case == case and one.workers == workers]
        yield found[0] if found else on_workers(case, workers)


def kept(path: Path, kind: type[Measured]) -> list[Measured]:
    """The points in a file of measurements."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [kind(**{**line, "case": Case(**line["case"])}) for line in lines]


def keep(path: Path, measured: Iterable[Point | Beside]) -> None:
    """Writes the points to a file of measurements."""
    path.write_text("".join([f"{json.dumps(asdict(one))}\n" for one in measured]))


def on_workers(case: Case, workers: int) -> Point:
    """Measures a case on a Dask cluster of this machine."""
    from distributed import Client

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        case.write(folder)
        (folder / "dask").mkdir()
        with running_cluster(folder / "dask", workers) as cluster, Client(cluster.address) as client:
            client.wait_for_workers(workers)
            before = client.run(time.process_time)
            cost, _ = ranked(folder, f"--cluster={cluster.address}")
            after = client.run(time.process_time)
        busiest = max(after[name] - before[name] for name in after)
    return Point("workers", case, cost.cpu, cost.peak, workers, busiest)


def draw(points: Sequence[Point], path: Path) -> None:
    """One panel per thing that grows; both axes logarithmic, with the slope of proportional growth."""
    from matplotlib.figure import Figure

    picture = Figure(figsize=(11, 3), layout="constrained")
    for axes, what in zip(picture.subplots(1, 4), [*GROWTH, "workers"], strict=True):
        found = [one for one in points if one.what == what]
        if what == "workers":
            found = sorted((one for one in found if one.case == found[-1].case), key=lambda one: one.workers)
        sizes = [one.workers if what == "workers" else getattr(one.case, what) for one in found]
        seconds = [one.cpu + one.busiest for one in found]
        power = -1 if what == "workers" else 1
        axes.loglog(sizes, seconds, "o-")
        axes.loglog(sizes, [seconds[0] * (size / sizes[0]) ** power for size in sizes], ":", color="grey")
        axes.set_xlabel(what)
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        ends = min(seconds), max(seconds)
        axes.set_yticks(ends, [f"{one:.0f}" for one in ends])
        axes.minorticks_off()
        axes.set_title(described(found[0].case, what), fontsize=8)
    picture.axes[0].set_ylabel("CPU seconds")
    picture.savefig(path, dpi=120)


def described(case: Case, without: str = "") -> str:
    """A case in a few words, without what grows."""
    parts = {"rows": f"{case.rows:,} rows", "width": f"{case.width} numbers", "classes": f"{case.classes:,} classes"}
    parts |= {"annotators": f"{case.annotators} annotators"} if case.annotators else {}
    return ", ".join(text for name, text in parts.items() if name != without)


def per_row(points: Sequence[Point]) -> tuple[float, float]:
    """CPU seconds that do not grow with the rows, and those of each row, by least squares."""
    slope, fixed = np.polyfit([one.case.rows for one in points], [one.cpu for one in points], 1)
    return max(float(fixed), 0.0), float(slope)


def beside_others(others: Sequence[Beside]) -> list[str]:
    """The table of cases with one label per row."""
    what = "(self-confidence of a logistic regression in five folds), on the same rows (`--beside`)"
    heads = ["case", "method", "CPU s", "peak MB", "average precision", "wrong of the first 1,000"]
    lines = ["", f"Beside cleanlab {what}:", "", *headed(heads)]
    for one in others:
        numbers = f"{one.cpu:,.0f} | {one.peak:,.0f} | {one.precision:.3f} | {1000 * one.first:,.0f}"
        lines.append(f"| {described(one.case)} | {one.method} | {numbers} |")
    return lines


def beside_crowdlab(voted: Sequence[Beside]) -> list[str]:
    """The table of cases with the votes of several annotators."""
    heads = ["case", "method", "CPU s", "peak MB", "wrong of 1,000 consensus labels", "average precision"]
    lines = ["", "Several annotators, each of whom has labelled 30% of the rows, beside cleanlab's CROWDLAB (with the"]
    lines += ["probabilities of such a logistic regression), on the same votes (`--votes`). The average precision is"]
    lines += ["that of the errors of the method's own consensus labels, by its probabilities:", "", *headed(heads)]
    for one in voted:
        numbers = f"{one.cpu:,.0f} | {one.peak:,.0f} | {one.own:.1f} | {one.precision:.3f}"
        lines.append(f"| {described(one.case)} | {one.method} | {numbers} |")
    return lines


def headed(names: Sequence[str]) -> list[str]:
    """The first two lines of a table."""
    return [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]


def page(points: Sequence[Point], others: Sequence[Beside], voted: Sequence[Beside]) -> str:
    """What was measured, and what is calculated from it, in Markdown."""
    lines = ["# Very many rows", "", "Made by `nox -s bench -- by_blocks --growth`. Measured:", ""]
    lines += ["| case | workers | CPU s | of the busiest worker | peak MB |", "|---|---|---|---|---|"]
    for one in points:
        own, busiest = (str(one.workers), f"{one.busiest:.0f}") if one.workers else ("", "")
        lines.append(f"| {described(one.case)} | {own} | {one.cpu:.0f} | {busiest} | {one.peak:,.0f} |")
    lines += beside_others(others)
    lines += beside_crowdlab(voted)
    fixed, slope = per_row([one for one in points if one.what == "rows"])
    spread = [one for one in points if one.what == "workers" and one.workers == SPREAD[0][1]]
    alone, handing = per_row(spread)
    lines += ["", f"Calculated, not measured, for {described(WIDE, 'rows')}, from {fixed:.0f} s and"]
    lines += [f"{1e6 * slope:.0f} s per million rows, of which {1e6 * handing:.0f} s in the one process that hands out"]
    lines += [f"the blocks and writes the table (measured with {described(spread[0].case, 'rows')}). The names and the"]
    lines += [
        "table of 100 million rows would take some 54 GB of memory in that process (0.7 GB for 1,300,000 rows).",
        "",
    ]
    lines += ["| rows | on | hours |", "|---|---|---|"]
    for rows, cores in ((1_300_000, 1), (1_300_000, 2), (100_000_000, 2), (100_000_000, 20), (100_000_000, 200)):
        hours = (alone + handing * rows + max(fixed - alone, 0) + (slope - handing) * rows / cores) / 3600
        lines.append(f"| {rows:,} | {cores} core{'s' * (cores > 1)} | {hours:.2f} |")
    return "\n".join([*lines, "", "![Time against rows, width, classes and workers](by_blocks.png)", ""])


def main() -> None:
    """Measures what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--growth", action="store_true", help="draw how the time grows, and calculate the rest")
    parser.add_argument("--beside", action="store_true", help="with --growth: measure cases beside cleanlab too")
    parser.add_argument("--votes", action="store_true", help="with --growth: measure cases with annotators too")
    parser.add_argument("--rows", type=int, default=Case.rows)
    parser.add_argument("--width", type=int, default=Case.width)
    parser.add_argument("--classes", type=int, default=Case.classes)
    parser.add_argument("--spread", type=float, default=Case.spread)
    parser.add_argument("--annotators", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--with", dest="methods", nargs="*", choices=METHODS, default=[])
    parser.add_argument("--steps", type=int, default=50, help="of L-BFGS, for cleanlab's logistic regression")
    parser.add_argument("--child", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if "crowdlab" in options.methods and not options.annotators:
        parser.error("crowdlab needs --annotators=A")
    if options.child:
        judge(options.child, options.folder, options.steps)
    elif options.growth:
        RESULTS.mkdir(exist_ok=True)
        if options.beside:
            keep(OTHERS, (one for case in BESIDE for one in beside(case, options.steps, "cleanlab")))
        if options.votes:
            keep(WITH_VOTES, (one for case in VOTED for one in beside(case, options.steps, "crowdlab")))
        path, points = RESULTS / "by_blocks.jsonl", []
        known = kept(path, Point)
        for one in growth(known):
            points.append(one)
            keep(path, [*points, *(each for each in known if each not in points)])
            print(one, flush=True)
        draw(points, RESULTS / "by_blocks.png")
        (RESULTS / "by_blocks.md").write_text(page(points, kept(OTHERS, Beside), kept(WITH_VOTES, Beside)))
    else:
        case = Case(options.rows, options.width, options.classes, options.spread, options.annotators)
        compare(case, options.jobs, options.methods, options.steps)


if __name__ == "__main__":
    main()
