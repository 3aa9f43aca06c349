"""Own data at size: memory, time and what is found, beside cleanlab's Datalab (`python -m tests.benchmarks.own_data`).

    python -m tests.benchmarks.own_data [--rows N] [--width D] [--forms npz,csv,parquet] [--folder DIR]

Ranks the labels of synthetic rows (default: 50,000 × 256 in float64, ten overlapping classes, 10% of the labels wrong)
from each form, and those of scikit-learn's digits from an npz. Each job runs in its own process on one thread; its peak
memory and CPU seconds are those that the kernel counts for the process. Datalab needs the dependency group `bench`.

The limit of a job is 3 × the data + 300 MB, where the data are rows × width × 8 bytes.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from cleaning import plant_noise

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
DATALAB = """
import numpy as np
from cleanlab import Datalab
data = np.load(SOURCE)
lab = Datalab(data={"y": data["y"]}, label_name="y", verbosity=0)
lab.find_issues(features=data["X"], issue_types={"label": {}})
issues = lab.get_issues("label").sort_values("label_score")
issues.rename_axis("row").to_csv(OUTPUT)
"""
WITH_A_MODEL = """
import numpy as np
from cleanlab import Datalab
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
data = np.load(SOURCE)
model = LogisticRegression(max_iter=1000)
probabilities = cross_val_predict(model, data["X"], data["y"], cv=5, method="predict_proba")
lab = Datalab(data={"y": data["y"]}, label_name="y", verbosity=0)
lab.find_issues(pred_probs=probabilities, features=data["X"], issue_types={"label": {}})
issues = lab.get_issues("label").sort_values("label_score")
issues.rename_axis("row").to_csv(OUTPUT)
"""


@dataclass(frozen=True)
class Case:
    """Rows with the labels they have and those they should have."""

    features: np.ndarray
    given: np.ndarray
    truth: np.ndarray

    @property
    def megabytes(self) -> float:
        return self.features.size * 8 / 1e6

    def write(self, path: Path) -> None:
        """npz, csv or parquet, by the suffix."""
        if path.suffix == ".npz":
            np.savez(path, X=self.features, y=self.given)
            return
        frame = pd.DataFrame(self.features, columns=[f"e{place}" for place in range(self.features.shape[1])])
        frame["label"] = self.given
        if path.suffix == ".csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_parquet(path, index=False)


@dataclass(frozen=True)
class Cost:
    """What a process cost."""

    cpu: float
    peak: float


def synthetic(rows: int, width: int, classes: int = 10, spread: float = 7.0, rate: float = 0.1) -> Case:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((classes, width))
    truth = rng.integers(0, classes, rows)
    features = centres[truth] + spread * rng.standard_normal((rows, width))
    return Case(features, plant_noise(truth, rate, "symmetric", rng), truth)


def digits(rate: float = 0.1) -> Case:
    found = load_digits()
    return Case(found.data, plant_noise(found.target, rate, "symmetric", np.random.default_rng(0)), found.target)


def measured(command: list[str], folder: Path) -> Cost:
    """Runs a command and waits for it. Raises CalledProcessError if it fails."""
    with (folder / "output.txt").open("w") as output:
        child = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, **ONE_THREAD})
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command, (folder / "output.txt").read_text())
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3)


def with_fixfirst(source: Path, output: Path) -> Cost:
    return measured([sys.executable, "-m", "evaluation.cli", "rank", str(source), f"--output={output}"], output.parent)


def with_program(program: str) -> Callable[[Path, Path], Cost]:
    def job(source: Path, output: Path) -> Cost:
        text = program.replace("SOURCE", repr(str(source))).replace("OUTPUT", repr(str(output)))
        return measured([sys.executable, "-c", text], output.parent)

    return job


def found_among(case: Case, output: Path, first: int) -> int:
    """How many of the first rows of a list have a wrong label."""
    rows = pd.read_csv(output)["row"].to_numpy()[:first]
    return int(np.count_nonzero(case.given[rows] != case.truth[rows]))


def report(name: str, case: Case, job: Callable[[Path, Path], Cost], source: Path, lines: int) -> Cost:
    output = source.with_name("list.csv")
    cost = job(source, output)
    wrong = int(np.count_nonzero(case.given != case.truth))
    depths = [max(1, wrong // 10), wrong // 2, wrong]
    found = ", ".join(f"{found_among(case, output, depth)} of {depth}" for depth in depths)
    print(f"{name:34s} {lines:5d} {cost.cpu:8.1f} {cost.peak:8.0f}  {found}")
    sys.stdout.flush()
    return cost


def beside(name: str, case: Case, source: Path) -> None:
    """The same job in Datalab: with the features alone, and with a model's out-of-fold probabilities."""
    for label, program in (("Datalab", DATALAB), ("Datalab, 5-fold logistic", WITH_A_MODEL)):
        report(f"{label}, {name}", case, with_program(program), source, len(program.strip().splitlines()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--forms", default="npz,csv,parquet")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    peer = importlib.util.find_spec("datasets") is not None
    with tempfile.TemporaryDirectory() as place:
        folder = options.folder or Path(place)
        small, large = digits(), synthetic(options.rows, options.width)
        limit = 3 * large.megabytes + 300
        print(f"{options.rows} × {options.width}: data {large.megabytes:.0f} MB, limit {limit:.0f} MB")
        print(f"{'job':34s} {'lines':>5s} {'CPU s':>8s} {'peak MB':>8s}  wrong labels found among the first n")
        small.write(folder / "digits.npz")
        report("fixfirst rank digits.npz", small, with_fixfirst, folder / "digits.npz", 1)
        if peer:
            beside("digits.npz", small, folder / "digits.npz")
        for form in options.forms.split(","):
            source = folder / f"rows.{form}"
            large.write(source)
            cost = report(f"fixfirst rank rows.{form}", large, with_fixfirst, source, 1)
            if cost.peak > limit:
                print(f"{form} needs more than {limit:.0f} MB")
            if peer and form == "npz":
                beside("rows.npz", large, source)
        if not peer:
            print("Datalab is not installed: pip install 'cleanlab[datalab]'")


if __name__ == "__main__":
    main()
