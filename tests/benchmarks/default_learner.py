"""Which scaling and C should the `logistic` learner have? `python -m tests.benchmarks.default_learner [--draws N]`.

The data are digits (odd or even, and ten classes; symmetric and one-directional noise) and the shared DataPerf ids, if
present. Prints a Markdown table with one row per setting; the numbers are means over data ids:

* the accuracy of a model trained on the noisy labels (dirty) and on the true labels (clean), and the mean accuracy
  along a random cleaning between the two
* the scores of a random order and of KNN-Shapley
* the roughness of the random curve: the sum of its steps, up and down
* the time per curve
"""

import argparse
import time
from collections.abc import Iterator

import numpy as np
from sklearn.datasets import load_digits

from baselines.rankers import knn_shapley
from cleaning import GroundTruth, NoisyDataset, Ranking, Split, plant_noise, simulate
from cleaning.learners.logistic import Learner
from evaluation.datasets.layout import load_dataset, load_truth
from tests.support import SHARED

SHARED_IDS = ("01g317", "01g317-flipped", "04rky", "04rky-flipped")
STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


def digits(draw: int, kind: str, classes: int) -> tuple[NoisyDataset, GroundTruth]:
    """300 training rows (30% wrong), 100 validation rows, 500 test rows."""
    data = load_digits()
    rng = np.random.default_rng([draw, classes])
    rows = rng.permutation(len(data.target))[:900]
    truth = (data.target[rows] % classes).astype(np.int64)
    features = (data.data[rows] / 16).astype(np.float32)
    noisy = plant_noise(truth[:300], 0.3, kind, rng)
    parts = [Split.from_arrays(features[a:b], truth[a:b]) for a, b in ((300, 400), (400, 900))]
    name = f"digits-{classes}-{kind}-{draw}"
    return NoisyDataset(name, Split.from_arrays(features[:300], noisy), *parts), GroundTruth(truth[:300])


def data_ids(draws: int) -> Iterator[tuple[str, NoisyDataset, GroundTruth]]:
    for draw in range(draws):
        for kind in ("symmetric", "one_directional"):
            yield "digits odd", *digits(draw, kind, 2)
        yield "digits 10", *digits(draw, "symmetric", 10)
    if (SHARED / "dataperf").is_dir():
        for name in SHARED_IDS:
            dataset = load_dataset(SHARED / "dataperf" / "embeddings", name)
            yield "dataperf", dataset, load_truth(SHARED / "dataperf" / "data", dataset)


def measure(learner: Learner, cases: list[tuple[str, NoisyDataset, GroundTruth]]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for kind, dataset, truth in cases:
        rng = np.random.default_rng(0)
        shuffled = Ranking(rng.permutation(len(dataset.train)))
        judged = Ranking.from_scores(knn_shapley.rank(dataset.train, dataset.validation, rng=rng))
        started = time.process_time()
        curves = [simulate(dataset, truth, ranking, learner) for ranking in (shuffled, judged)]
        seconds = time.process_time() - started
        numbers = {
            "dirty": curves[0].dirty,
            "clean": curves[0].clean,
            "mean": curves[0].area(),
            "random": curves[0].score(),
            "KNN-Shapley": curves[1].score(),
        }
        for name, value in numbers.items():
            found.setdefault(f"{kind}: {name}", []).append(value)
        found.setdefault("roughness", []).append(float(np.abs(np.diff(curves[0].accuracy)).sum()))
        found.setdefault("ms per curve", []).append(500 * seconds)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=5)
    cases = list(data_ids(parser.parse_args().draws))
    header = False
    for scaling in ("none", "standard", "unit"):
        for strength in STRENGTHS:
            found = measure(Learner(C=strength, scaling=scaling), cases)
            if not header:
                print(f"| scaling | C | {' | '.join(found)} |\n|---|---|{'---|' * len(found)}")
                header = True
            cells = [
                f"{np.mean(v):.3f}" if name != "ms per curve" else f"{np.mean(v):.0f}" for name, v in found.items()
            ]
            print(f"| {scaling} | {strength:g} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
