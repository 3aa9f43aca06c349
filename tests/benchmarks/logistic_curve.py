"""Cleaning curves of the `logistic` learner against scikit-learn refits: `python -m tests.benchmarks.logistic_curve`.

Both run on one thread, in the same process; times are CPU seconds. The scikit-learn side is the loop that a user would
write: n + 1 fits of LogisticRegression, one per fix. It runs at the default tolerance, where accuracies are off by up
to 0.012, and at 1e-8, where they equal ours. Only a sample of its fits is run, evenly spaced along the curve. The same
goes for our blocks in the largest cases; the table shows which share of the curve was run. `--quick` runs less.

Features are real ones if ../shared (or FIXFIRST_SHARED) has them, and outputs of a random layer otherwise. Two more
tables follow: the peak memory of a process, and how the cost grows with the data.
"""

import argparse
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import mean
from time import process_time

import numpy as np
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from cleaning import LabelPath, Split, plant_noise
from cleaning.learners.logistic import Learner
from cleaning.vectors.scaling import Scaling, scaled
from evaluation.datasets.layout import load_dataset, load_truth
from tests.support import SHARED

Data = tuple[LabelPath, Split]
TIGHT = 1e-8
MEMORY = """
import sys
import numpy as np
from cleaning import LabelPath, Split
from cleaning.learners.logistic import Learner
from tests.benchmarks.logistic_curve import peak
folder, states = sys.argv[1], int(sys.argv[2])
train, test, labels, test_labels, rows, values = (np.load(f"{folder}/{k}.npy") for k in range(6))
path, test = LabelPath(train, labels, rows, values), Split.from_arrays(test, test_labels)
before = peak()
Learner().accuracies(path.part(0, min(len(path), states)), test, lambda *_: None)
print(before, peak(), train.nbytes + test.features.nbytes)
"""


@dataclass(frozen=True)
class Case:
    """blocks: how many blocks of the curve are run, of `block` states each. fits: scikit-learn fits per tolerance."""

    name: str
    data: Callable[[], Data]
    strength: float
    target: str
    blocks: int
    block: int
    fits: int
    scaling: Scaling = "none"


def made_up(rows: int, width: int, classes: int, wrong: float = 0.3) -> Data:
    """Rectified outputs of a random layer on latent vectors with a power-law spectrum; 1,000 test rows."""
    rng = np.random.default_rng([rows, width, classes])
    latent = width // 2
    scale = np.arange(1, latent + 1, dtype=np.float32) ** -0.5
    centres = rng.standard_normal((classes, latent), np.float32)
    layer = rng.standard_normal((latent, width), np.float32) / np.sqrt(latent)
    labels = rng.integers(classes, size=rows + 1000)
    features = np.empty((rows + 1000, width), np.float32)
    for start in range(0, len(features), 4096):
        own = labels[start : start + 4096]
        latents = (rng.standard_normal((len(own), latent), np.float32) + centres[own]) * scale
        np.maximum(3 * latents @ layer, 0, out=features[start : start + 4096])
    return _dirtied(features, labels, rows, wrong)


def clothing() -> Data:
    """2,000 photos of ten kinds of garment, the first 512 columns of their embeddings."""
    file = SHARED / "clothing" / "clothing_small_effnetlite0.npz"
    if not file.exists():
        return made_up(2000, 512, 10)
    content = np.load(file)
    rows = np.random.default_rng(0).permutation(len(content["y"]))
    return _dirtied(content["X"][rows, :512].astype(np.float32), content["y"][rows].astype(np.int64), 2000, 0.3)


def challenge() -> Data:
    """The first data id of the DataPerf challenge."""
    if not (SHARED / "dataperf").is_dir():
        return made_up(300, 2048, 2)
    dataset = load_dataset(SHARED / "dataperf" / "embeddings", "01g317")
    truth = load_truth(SHARED / "dataperf" / "data", dataset).labels
    rows = np.random.default_rng(0).permutation(np.flatnonzero(dataset.train.labels != truth))
    return LabelPath(dataset.train.features, dataset.train.labels, rows, truth[rows]), dataset.test


def _dirtied(features: np.ndarray, labels: np.ndarray, rows: int, wrong: float) -> Data:
    rng = np.random.default_rng(1)
    noisy = plant_noise(labels[:rows], wrong, "symmetric", rng)
    order = rng.permutation(np.flatnonzero(noisy != labels[:rows]))
    train = np.ascontiguousarray(features[:rows])
    return LabelPath(train, noisy, order, labels[order]), Split.from_arrays(features[rows:], labels[rows:])


WHOLE = Case("", partial(made_up, 300, 2048, 2), 1.0, "", 1, 10**9, 0)


def ours(case: Case, data: Data) -> tuple[float, float, dict[int, float]]:
    """CPU seconds of the whole curve (extrapolated from the blocks run), the share run, and accuracies by state."""
    path, test = data
    size = min(case.block, len(path))
    starts = np.unique(np.linspace(0, len(path) - size, case.blocks).astype(int)) if size < len(path) else np.array([0])
    spent, found = 0.0, {}
    for start in starts.tolist():
        began = process_time()
        learner = Learner(case.strength, case.scaling)
        accuracy = learner.accuracies(path.part(start, start + size), test, lambda *_: None)
        spent += process_time() - began
        found.update(enumerate(accuracy.tolist(), start))
    share = len(starts) * size / len(path)
    return spent / share, share, found


def theirs(case: Case, data: Data, tolerance: float, states: list[int]) -> tuple[float, dict[int, float]]:
    """CPU seconds of n + 1 refits, extrapolated from the given states, and the accuracies of these states."""
    path, test = data
    features, test_features = scaled(path.features, test.features, case.scaling)
    if tolerance <= TIGHT:  # float32 would be fitted in float32, and stop far from this tolerance
        features, test_features = features.astype(np.float64), test_features.astype(np.float64)
    spent, found = [], {}
    options = {"tol": tolerance, "max_iter": 100 if tolerance > TIGHT else 100_000}
    for state in states:
        labels = path.labels_at(state)
        began = process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # fits at the default tolerance may not converge; "off by" shows it
            model = LogisticRegression(C=case.strength, **options).fit(features, labels)
            found[state] = float(model.score(test_features, test.labels))
        spent.append(process_time() - began)
    return mean(spent) * (len(path.labels) + 1), found


@dataclass(frozen=True)
class Measured:
    """seconds: of our whole curve, of which `share` was run. loops: of scikit-learn at both tolerances, from `fits`
    fits each; off: how far their accuracies are from ours.
    """

    seconds: float
    share: float
    states: int
    fits: int
    loops: tuple[float, float]
    off: tuple[float, float]


def measured(case: Case) -> Measured:
    data = case.data()
    seconds, share, found = ours(case, data)
    states = [sorted(found)[k] for k in np.unique(np.linspace(0, len(found) - 1, case.fits).astype(int))]
    (default, near), (tight, equal) = (theirs(case, data, tolerance, states) for tolerance in (1e-4, TIGHT))
    off = [max(abs(accuracy[k] - found[k]) for k in states) for accuracy in (near, equal)]
    return Measured(seconds, share, len(data[0]), len(states), (default, tight), (off[0], off[1]))


def row(case: Case) -> None:
    found = measured(case)
    run = "whole" if found.share > 0.999 else f"{found.share:.1%}"
    ratios = " | ".join(
        f"{loop:,.1f} | {loop / found.seconds:,.0f}× | {off:.4f}"
        for loop, off in zip(found.loops, found.off, strict=True)
    )
    print(
        f"| {case.name} | {found.states} | {run} | {found.seconds:.2f} | {found.fits} | {ratios} | {case.target} |",
        flush=True,
    )


def cases(quick: bool) -> list[Case]:
    fits, default = 4 if quick else 20, Learner()
    one = f"unit rows, C = {default.C:g}"
    small = [
        Case("300 × 2048, 2 classes, C = 0.001", challenge, 1e-3, "50×", 1, 10**9, 2 * fits),
        Case("300 × 2048, 2 classes, C = 1", challenge, 1.0, "20×", 1, 10**9, 2 * fits),
        Case(f"300 × 2048, 2 classes, {one}", challenge, default.C, "", 1, 10**9, 2 * fits, default.scaling),
    ]
    garments = [
        Case("2,000 × 512, 10 classes, C = 0.001", clothing, 1e-3, "50×", 1, 10**9, fits),
        Case("2,000 × 512, 10 classes, C = 0.01", clothing, 1e-2, "50×", 1, 10**9, fits),
        Case("2,000 × 512, 10 classes, C = 1", clothing, 1.0, "50×", 1, 10**9, fits),
        Case(f"2,000 × 512, 10 classes, {one}", clothing, default.C, "", 1, 10**9, fits, default.scaling),
    ]
    two, ten = (partial(made_up, 50_000, 512, classes) for classes in (2, 10))
    large = [
        Case("50,000 × 512, 2 classes, C = 1", two, 1.0, "1,000×", 1, 2048 if quick else 10**9, fits),
        Case(f"50,000 × 512, 2 classes, {one}", two, default.C, "", 1, 2048, fits, default.scaling),
        Case(f"50,000 × 512, 10 classes, {one}", ten, default.C, "", 1, 512, 1, default.scaling),
    ]
    return [*small, *garments, *(large[:2] if quick else large)]


def peak() -> int:
    """The peak memory of this process, in bytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024


def memory(rows: int, width: int, classes: int, states: int) -> None:
    path, test = made_up(rows, width, classes)
    with tempfile.TemporaryDirectory() as folder:
        for number, array in enumerate(
            (path.features, test.features, path.labels, test.labels, path.rows, path.values)
        ):
            np.save(f"{folder}/{number}.npy", array)
        command = [sys.executable, "-c", MEMORY, folder, str(states)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    before, after, data = map(int, printed.split())
    print(
        f"| {rows:,} × {width}, {classes} classes | {data / 1e6:.0f} | {before / 1e6:.0f} | {after / 1e6:.0f} | "
        f"{(after - before + data) / data:.2f}× | {after / data:.2f}× |",
        flush=True,
    )


GROWTH = {
    "rows": (4000, 8000, 16000, 32000),
    "width": (64, 128, 256, 512),
    "classes": (2, 3, 10, 30),
    "wrong labels": (200, 400, 800, 1600),
}


def growth(sizes: int) -> Iterator[tuple[str, int, int, float]]:
    """Yields what grows, its size, and the states and CPU seconds of a curve; all else stays as it is."""
    for what, values in GROWTH.items():
        for value in values[:sizes]:
            base = {"rows": 8000, "width": 128, "classes": 2, "wrong labels": 400, what: value}
            rows, width, classes, wrong = base.values()
            seconds, _, found = ours(WHOLE, made_up(rows, width, classes, wrong / rows))
            yield what, value, len(found), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="run less of each curve; skip 50,000 rows with ten classes"
    )
    parser.add_argument("--only", choices=["curves", "memory", "growth"])
    options = parser.parse_args()
    with threadpool_limits(limits=1):
        if options.only in (None, "curves"):
            ours(WHOLE, WHOLE.data())  # warm-up: do not count one-time loading
            columns = (
                "case | states | run | s | fits | loop, s | ratio | off by | tol 1e-8, s | ratio | off by | target"
            )
            print(f"| {columns} |\n|{'---|' * (1 + columns.count('|'))}", flush=True)
            for case in cases(options.quick):
                row(case)
        if options.only in (None, "memory"):
            print("\n| process | data, MB | before, MB | peak, MB | data and growth / data | all / data |")
            print("|---|---|---|---|---|---|", flush=True)
            for classes in (2, 10):
                memory(50_000, 512, classes, 200 if classes == 2 else 40)
        if options.only in (None, "growth"):
            print("\n| what grows | to | states | s | ms per state |\n|---|---|---|---|---|")
            for what, value, states, seconds in growth(2 if options.quick else 4):
                print(f"| {what} | {value:,} | {states} | {seconds:.2f} | {1e3 * seconds / states:.2f} |", flush=True)


if __name__ == "__main__":
    main()
