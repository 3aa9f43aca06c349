"""Scores of the reference predictors on the default data (five draws per task), and for retrieval on all digits.

    python -m tests.benchmarks.predictors_on_digits [TASK …]

Prints the mean and Student's 95% interval over the draws, and the same for the paired gain over the baseline predictor
(the first of each task). A positive gain is better.
"""

import argparse
import csv
import io
import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import fbeta_score

from cleaning.intervals import mean_interval
from cleaning.problems import RetrievalProblem
from cleaning.vectors.search import unit_directions
from evaluation.contract import registry
from evaluation.contract.draw import Draw

DRAWS = range(5)
PREDICTORS = {
    "zero_shot": ("text_knn", "text_ridge", "two_tower"),
    "image_retrieval": ("centred_cosine", "query_expansion", "diffusion"),
    "logo": ("logistic_head", "logistic_discriminant"),
    "camera_trap": ("class_prior", "pooled_logistic", "pooled_stack"),
}


def _rows(content: bytes | str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content if isinstance(content, str) else content.decode())))


def _accuracy(content: bytes, data: Path) -> float:
    answer, truth = json.loads(content), json.loads((data / "truth.json").read_text())
    return float(np.mean([np.mean([answer[d][image] == label for image, label in truth[d].items()]) for d in truth]))


def _mean_ap(content: bytes, data: Path) -> float:
    truth = json.loads((data / "truth.json").read_text())
    total = 0.0
    for _, (query, references) in json.loads(content):
        relevant = np.array([truth["reference"][name] == truth["query"][query] for name in references])
        precision = np.cumsum(relevant) / np.arange(1, len(relevant) + 1)
        total += (precision * relevant).sum() / sum(p == truth["query"][query] for p in truth["reference"].values())
    return total / len(truth["query"])


def _f2(content: bytes, data: Path) -> float:
    answer, truth = dict(_rows(content)[1:]), dict(_rows((data / "test_labels.csv").read_text())[1:])
    labels = sorted({path.name for path in (data / "train").iterdir()})
    names = sorted(truth)
    given, true = [answer[name] for name in names], [truth[name] for name in names]
    return float(fbeta_score(true, given, beta=2, labels=labels, average="macro", zero_division=0))


def _minus_log_loss(content: bytes, data: Path) -> float:
    answer, truth = (
        np.array([row[1:] for row in rows[1:]], dtype=np.float64)
        for rows in (_rows(content), _rows((data / "test_labels.csv").read_text()))
    )
    answer = np.clip(answer, 1e-15, 1 - 1e-15)
    return float((truth * np.log(answer) + (1 - truth) * np.log(1 - answer)).mean())


SCORES: dict[str, tuple[str, Callable[[bytes, Path], float]]] = {
    "zero_shot": ("mean accuracy", _accuracy),
    "image_retrieval": ("mAP@1000", _mean_ap),
    "logo": ("macro F2", _f2),
    "camera_trap": ("minus mean log loss", _minus_log_loss),
}


def _interval(values: Any) -> str:
    low, high = mean_interval(list(values)) or (math.nan, math.nan)
    return f"{np.mean(values):.4f} ± {(high - low) / 2:.4f}"


def _table(task: str) -> None:
    label, score = SCORES[task]
    files = registry.problem_files(task)
    found: dict[str, list[float]] = {name: [] for name in PREDICTORS[task]}
    for draw in DRAWS:
        with tempfile.TemporaryDirectory() as place:
            made = Draw(task, draw, None, Path(place, "embeddings"), Path(place, "data"))
            registry.makers_of_digits()[task].member(made)
            loaded, data = files.load(made.own_embeddings), made.own_data
            for name, values in found.items():
                predict = registry.own_predictors()[name].member
                answer = predict(loaded.problem, rng=np.random.default_rng(draw))
                content = files.content(answer, loaded)
                values.append(score(content if isinstance(content, bytes) else b"".join(content), data))
    baseline = np.array(found[PREDICTORS[task][0]])
    for name, values in found.items():
        gain = _interval(np.array(values) - baseline) if name != PREDICTORS[task][0] else ""
        print(f"| {task} | {label} | {name} | {_interval(values)} | {gain} |", flush=True)


def _all_digits() -> None:
    """mAP@1000 with each of the 1,797 digits as a query and all others as references."""
    features, labels = load_digits(return_X_y=True)
    own = np.arange(len(labels))[:, None]

    def score(ranks: np.ndarray) -> float:
        others = ranks[ranks != own].reshape(len(labels), -1)[:, :1000]
        relevant = labels[others] == labels[:, None]
        precision = np.cumsum(relevant, axis=1) / np.arange(1, 1001)
        return float(np.mean((precision * relevant).sum(axis=1) / (np.bincount(labels)[labels] - 1)))

    rows = unit_directions(features)
    print(f"| all digits | mAP@1000 | cosine | {score(np.argsort(-(rows @ rows.T), axis=1, kind='stable')):.4f} | |")
    graph = {"neighbours": 50, "mutual": False, "decay": 0.8, "entries": 1}
    for name, options in (("centred_cosine", {}), ("query_expansion", {}), ("diffusion", graph), ("diffusion", {})):
        predict = registry.own_predictors()[name].member
        ranks = predict(RetrievalProblem(features, features, len(labels)), rng=np.random.default_rng(0), **options)
        shown = ", ".join(f"{key}={value}" for key, value in options.items())
        print(f"| all digits | mAP@1000 | {name} {shown} | {score(ranks):.4f} | |", flush=True)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help=f"any of {', '.join(PREDICTORS)}; default: all")
    print("| task | score | predictor | mean and 95% interval | gain over the baseline |\n|---|---|---|---|---|")
    for task in parser.parse_args().tasks or PREDICTORS:
        _table(task)
    _all_digits()


if __name__ == "__main__":
    main()
