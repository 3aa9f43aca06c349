"""Ranking time compared with cleanlab: `python tests/benchmarks/rankers.py [--rows N] [--width D] [--classes K]`.

All run on one thread (set OMP_NUM_THREADS=1). cleanlab ranks by self-confidence, with scikit-learn's LogisticRegression
at its default settings in 5 folds, as its documentation shows. Our rankers also use 1,000 clean validation rows.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from cleanlab.rank import get_label_quality_scores
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict

from baselines.rankers import expected_use, label_posterior
from cleaning import Ranking, Split, plant_noise


def make(rows: int, width: int, classes: int, spread: float) -> tuple[Split, Split, np.ndarray]:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((classes, width))
    labels = rng.integers(0, classes, rows + 1000)
    features = centres[labels] + spread * rng.standard_normal((rows + 1000, width))
    features = np.maximum(features, 0).astype(np.float32)
    noisy = plant_noise(labels[:rows], 0.3, "symmetric", rng)
    names = [f"{row:09d}" for row in range(rows + 1000)]
    train = Split(features[:rows], noisy, tuple(names[:rows]))
    return train, Split(features[rows:], labels[rows:], tuple(names[rows:])), labels[:rows] != noisy


def cleanlab_peer(train: Split) -> np.ndarray:
    model = LogisticRegression(max_iter=100)
    probabilities = cross_val_predict(model, train.features, train.labels, cv=5, method="predict_proba")
    return np.argsort(get_label_quality_scores(train.labels.copy(), probabilities), kind="stable")


def order_of(answer: Ranking | np.ndarray) -> np.ndarray:
    return answer.order if isinstance(answer, Ranking) else Ranking.from_scores(answer).order


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--spread", type=float, default=6.0, help="deviation within a class (class centres: 1)")
    parser.add_argument("--skip-cleanlab", action="store_true")
    options = parser.parse_args()
    train, validation, wrong = make(options.rows, options.width, options.classes, options.spread)
    data = train.features.nbytes / 1e6
    contenders: dict[str, Callable[[], np.ndarray]] = {
        "label_posterior": lambda: order_of(label_posterior.rank(train, validation, rng=np.random.default_rng(0))),
        "expected_use": lambda: order_of(expected_use.rank(train, validation, rng=np.random.default_rng(0))),
    }
    if not options.skip_cleanlab:
        contenders["cleanlab, 5-fold logistic"] = lambda: cleanlab_peer(train)
    print(f"{options.rows} x {options.width}, {options.classes} classes, data {data:.0f} MB")
    print(f"{'ranker':28s} {'CPU s':>8s} {'wall s':>8s} {'peak MB':>8s} {'avg precision':>14s}")
    for name, contender in contenders.items():
        cpu, wall = time.process_time(), time.perf_counter()
        order = contender()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        place = np.empty(len(order))
        place[order] = -np.arange(len(order))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        precision = average_precision_score(wrong, place)
        print(f"{name:28s} {cpu:8.2f} {wall:8.2f} {peak:8.0f} {precision:14.3f}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
