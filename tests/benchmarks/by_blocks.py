"""Very many rows: `nox -s bench -- by_blocks [--rows=N --width=D --classes=K] [--jobs=J] [--with=METHOD …]`.

Makes embeddings in a float16 npy (overlapping classes in groups of twenty, 10% wrong labels, half of them within the
group) and runs `fixfirst rank` on it in a process of its own. Says CPU seconds, also of its workers, the peak of
resident memory of the largest process, and how well the order finds the wrong labels. `--with` adds, in the same run:

* plain: `label_posterior`, which holds everything in memory
* cleanlab: self-confidence by a logistic regression in five folds (C = 0.01, up to `--steps` steps of L-BFGS)

`--growth` measures smaller cases, draws how the time grows with rows, width, classes and workers, and calculates from
it what larger ones would take; it writes tests/benchmarks/results/by_blocks.png and by_blocks.md.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from tests.cluster import running_cluster
from tests.support import ROOT

RESULTS = Path(__file__).parent / "results"
BLOCK = 8192
METHODS = ("plain", "cleanlab")
# Each child works on one thread; more only in workers.
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
STEPS = {"rows": (20_000, 40_000, 80_000), "width": (64, 128, 256), "classes": (50, 100, 200)}
BASE_ROWS, BASE_WIDTH, BASE_CLASSES = 20_000, 128, 100


@dataclass(frozen=True)
class Case:
    """How many rows, numbers per row, and classes; spread: of a class, relative to the distances of the classes."""

    rows: int = BASE_ROWS
    width: int = BASE_WIDTH
    classes: int = BASE_CLASSES
    spread: float = 3.5

    def write(self, folder: Path) -> np.ndarray:
        """Writes X.npy and y.npy and returns which labels are wrong."""
        rng = np.random.default_rng(0)
        group = rng.integers(0, max(2, self.classes // 20), self.classes)
        centres = rng.standard_normal((group.max() + 1, self.width))[group]
        centres += 0.7 * rng.standard_normal(centres.shape)
        mixed = rng.standard_normal((self.width, self.width)) * np.linspace(1.6, 0.2, self.width)[:, None]
        mixed = (mixed / np.sqrt(self.width)).astype(np.float32)
        truth = rng.integers(0, self.classes, self.rows)
        # fewer columns tell less, so the classes overlap as much as with 512
        spread = np.float32(self.spread * np.sqrt(self.width / 512))
        rows = np.lib.format.open_memmap(folder / "X.npy", "w+", np.float16, (self.rows, self.width))
        for start in range(0, self.rows, BLOCK):
            own = truth[start : start + BLOCK]
            noise = rng.standard_normal((2, len(own), self.width), dtype=np.float32)
            rows[start : start + BLOCK] = np.maximum(
                centres[own] + spread * (noise[0] @ mixed + np.float32(0.5) * noise[1]), 0
            )
        rows.flush()
        given = self._mislabelled(truth, group, rng)
        np.save(folder / "y.npy", given)
        return np.asarray(given != truth)

    def _mislabelled(self, truth: np.ndarray, group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        given, wrong = truth.copy(), np.flatnonzero(rng.random(self.rows) < 0.1)
        given[wrong] = (truth[wrong] + rng.integers(1, self.classes, len(wrong))) % self.classes
        for row in wrong[::2]:
            near = np.flatnonzero(group == group[truth[row]])
            near = near[near != truth[row]]
            given[row] = rng.choice(near) if len(near) else given[row]
        return given


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
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return Cost(used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 1e3)


def ranked(folder: Path, *options: str) -> tuple[Cost, np.ndarray]:
    """What `fixfirst rank` costs, and the suspicion of each row."""
    cost = run(["-m", "evaluation.cli", "rank", str(folder / "X.npy"), f"--review={folder / 'review'}", *options])
    table = pd.read_csv(folder / "review/ranking.csv", usecols=["row", "suspicion"])
    return cost, table.sort_values("row")["suspicion"].to_numpy()


def by_method(method: str, folder: Path, steps: int) -> tuple[Cost, np.ndarray]:
    """What another method costs, and the suspicion of each row."""
    cost = run(["-m", "tests.benchmarks.by_blocks", f"--child={method}", f"--folder={folder}", f"--steps={steps}"])
    return cost, np.load(folder / f"{method}.npy")


def judge(method: str, folder: Path, steps: int) -> None:
    """Writes the suspicion of each row by another method."""
    rows, given = np.load(folder / "X.npy").astype(np.float32), np.load(folder / "y.npy")
    if method == "plain":
        from cleaning import Split, label_posterior

        np.save(folder / "plain.npy", label_posterior(Split.from_arrays(rows, given)).suspicion)
        return
    from cleanlab.rank import get_label_quality_scores
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold

    rows -= rows.mean(axis=0)
    rows /= rows.std(axis=0)
    quality = np.empty(len(given))
    for fit, held in StratifiedKFold(5, shuffle=True, random_state=0).split(rows, given):
        model = LogisticRegression(C=0.01, max_iter=steps).fit(rows[fit], given[fit])
        quality[held] = get_label_quality_scores(given[held], model.predict_proba(rows[held]))
    np.save(folder / "cleanlab.npy", 1 - quality)


def said(name: str, cost: Cost, suspicion: np.ndarray, wrong: np.ndarray) -> str:
    """One line of the table."""
    first = wrong[np.argsort(-suspicion, kind="stable")[:1000]].mean()
    precision = average_precision_score(wrong, suspicion)
    return f"{name:22s} {cost.cpu:9.1f} {cost.wall:9.1f} {cost.peak:9.0f} {precision:10.4f} {first:10.3f}"


def compare(case: Case, jobs: int, methods: Sequence[str], steps: int) -> None:
    """Measures one case by ours and by other methods."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        wrong = case.write(folder)
        size = (folder / "X.npy").stat().st_size / 1e6
        print(f"{case.rows} x {case.width}, {case.classes} classes, float16 npy of {size:.0f} MB, {wrong.sum()} wrong")
        heads = ("", "CPU s", "wall s", "peak MB", "precision", "first 1000")
        print("{:22s} {:>9s} {:>9s} {:>9s} {:>10s} {:>10s}".format(*heads), flush=True)
        print(said(f"fixfirst rank --jobs={jobs}", *ranked(folder, f"--jobs={jobs}"), wrong), flush=True)
        for method in methods:
            print(said(method, *by_method(method, folder, steps), wrong), flush=True)


def growth(share: float) -> Iterator[tuple[str, int, Cost]]:
    """What grows, to what size, and what it costs. share: of the rows."""
    base = replace(Case(), rows=int(BASE_ROWS * share))
    for what, sizes in STEPS.items():
        for size in sizes:
            number = int(size * share) if what == "rows" else size
            with tempfile.TemporaryDirectory() as place:
                replace(base, **{what: number}).write(Path(place))
                yield what, number, ranked(Path(place))[0]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        replace(base, rows=2 * base.rows).write(folder)
        for workers in (1, 2):
            (folder / str(workers)).mkdir()
            with running_cluster(folder / str(workers), workers) as cluster:
                yield "workers", workers, ranked(folder, f"--cluster={cluster.address}", f"--seed={workers}")[0]


def main() -> None:
    """Measures what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=BASE_ROWS)
    parser.add_argument("--width", type=int, default=BASE_WIDTH)
    parser.add_argument("--classes", type=int, default=BASE_CLASSES)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--with", dest="methods", nargs="*", choices=METHODS, default=[])
    parser.add_argument("--steps", type=int, default=50, help="of L-BFGS, for cleanlab's logistic regression")
    parser.add_argument("--child", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        judge(options.child, options.folder, options.steps)
    else:
        compare(Case(options.rows, options.width, options.classes), options.jobs, options.methods, options.steps)


if __name__ == "__main__":
    main()
