"""Speed and memory of the `dataperf` learner compared with the published algorithm in torch, on one thread.

Run `python -m tests.benchmarks.dataperf_learner` in the project's root, in an environment that has torch in addition to
the project's packages. Times are CPU seconds, medians over interleaved rounds.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
from statistics import median
from time import process_time

import numpy as np

from cleaning import Split
from cleaning.learners._network import with_bias
from cleaning.learners.dataperf import Learner
from cleaning.simulation.label_path import LabelPath

ROWS, WIDTH, WRONG, TEST_ROWS = 300, 2048, 90, 500  # a data id of the challenge
STEPS = 20 * 5  # epochs × batches of 64 rows
CURVES = 8 * 10
WORKER = """
from tests.benchmarks.dataperf_learner import made_up, ours
path, test = made_up()
ours(path, test)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def made_up():
    """A data id of the challenge's size: non-negative features, two overlapping classes, 90 of 300 labels wrong."""
    draws = np.random.RandomState(0)
    truth, test_labels = draws.randint(0, 2, ROWS), draws.randint(0, 2, TEST_ROWS)
    direction = draws.normal(size=WIDTH)

    def features(labels):
        raw = draws.normal(size=(len(labels), WIDTH)) + 0.05 * (2 * labels[:, None] - 1) * direction
        return np.maximum(raw, 0).astype(np.float32)

    rows = draws.permutation(ROWS)[:WRONG]
    labels = truth.copy()
    labels[rows] = 1 - labels[rows]
    train, test = features(truth), features(test_labels)
    return LabelPath(train, labels, rows, truth[rows]), Split.from_arrays(test, test_labels)


def ours(path, test):
    return Learner().accuracies(path, test, lambda *_: None)


def table_rewriter(path):
    """A function that does what the published evaluator does before every fit: table to Python objects and back."""
    import pyarrow as pa

    table = pa.table(
        {"filename": [f"{row:016x}" for row in range(ROWS)], "encoding": list(path.features), "label": path.labels}
    )

    def rewrite():
        fixed = table.take(list(range(ROWS // 2))).to_pydict()
        columns = table.to_pydict()
        columns["label"][: ROWS // 2] = fixed["label"]
        again = pa.Table.from_pydict(columns)
        return np.vstack(again["encoding"].to_numpy()).astype(np.float32), np.vstack(again["label"].to_numpy())

    return rewrite


def seconds(function, *arguments):
    start = process_time()
    result = function(*arguments)
    return process_time() - start, result


def traffic_floor():
    """CPU seconds per fit if each step only read and wrote the weights and their two moments once."""
    state = np.ones((3, 128, with_bias(np.empty((0, WIDTH), np.float32)).shape[1]), np.float32)

    def steps():
        for _ in range(STEPS):
            np.multiply(state, np.float32(1), out=state)

    return seconds(steps)[0]


def torch_point(path, test, state):
    from tests.tools.torch_evaluator import Classifier

    classifier = Classifier(WIDTH).fit(path.features, path.labels_at(state))
    return classifier.accuracy(test.features, test.labels)


def peak_megabytes():
    result = subprocess.run([sys.executable, "-c", WORKER], check=True, capture_output=True, text=True)
    return int(result.stdout) / 1024


def row(name, fit, fits, torch_curve, floor):
    hours = fit * fits * CURVES / 3600
    print(
        f"{name:<44}{fit * 1e3:>9.1f}{fit * fits:>10.2f}{hours:>10.3f}"
        f"{torch_curve / (fit * fits):>9.1f}{fit / floor:>9.1f}"
    )


def measured(rounds, path, test):
    times = {name: [] for name in ("torch", "table", "floor", "ours")}
    rewrite = table_rewriter(path)
    for number in range(rounds):
        states = [(number * 3 + k) * WRONG // (3 * rounds) for k in range(3)]
        published = {}
        for state in states:
            spent, published[state] = seconds(torch_point, path, test, state)
            times["torch"].append(spent)
            times["table"].append(seconds(rewrite)[0])
        times["floor"].append(traffic_floor())
        spent, accuracy = seconds(ours, path, test)
        times["ours"].append(spent / len(path))
        different = [state for state in states if accuracy[state] != published[state]]
        if different:
            sys.exit(f"accuracies differ from torch in states {different}")
    return {name: median(values) for name, values in times.items()}


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    rounds = options.parse_args().rounds
    if importlib.util.find_spec("torch") is None:
        sys.exit(
            "This benchmark runs the published algorithm in torch, which is not installed. Fix: pip install torch into "
            "a separate environment that also has the project's packages."
        )
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(1)
    path, test = made_up()
    with threadpool_limits(limits=1):
        ours(path, test)
        torch_point(path, test, 0)
        time = measured(rounds, path, test)
    algorithm, evaluator = time["torch"], time["torch"] + time["table"]
    print(
        f"torch {torch.__version__}, numpy {np.__version__}, one thread of {os.cpu_count()}; {rounds} rounds, "
        f"{3 * rounds} points checked against torch\n"
    )
    whole = (ROWS + 1) * evaluator
    print(f"{'':<44}{'ms/fit':>9}{'s/curve':>10}{'h/80':>10}{'ratio':>9}{'x floor':>9}")
    row(f"published evaluator, torch, {ROWS + 1} fits per curve", evaluator, ROWS + 1, whole, time["floor"])
    row("the same without its table rewriting", algorithm, ROWS + 1, whole, time["floor"])
    row(f"fixfirst, {len(path)} fits per curve", time["ours"], len(path), whole, time["floor"])
    row("memory-traffic floor of our fits", time["floor"], len(path), whole, time["floor"])
    against = (ROWS + 1) * algorithm / (time["ours"] * len(path))
    print(f"\n{against:.1f} times as fast as the published algorithm without its table rewriting")
    print(f"peak memory of a process that computes one curve: {peak_megabytes():.0f} MB")


if __name__ == "__main__":
    main()
