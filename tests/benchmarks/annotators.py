"""Several labels per row, beside cleanlab's multiannotator module (`python -m tests.benchmarks.annotators`).

    python -m tests.benchmarks.annotators [--seeds N] [--rows N]

scikit-learn's digits, labelled by planted annotators of different quality. Every method gets the same votes; cleanlab
also gets out-of-sample probabilities (five-fold logistic regression on the majority labels), as its tutorial does, and
so does one of our rows. Means over seeds with 95% intervals:

* wrong: how many consensus labels are wrong, per cent; each method has its own consensus
* own: average precision of the errors of the own consensus, by its probability
* majority: average precision of the errors of the majority labels, by the method's quality of these labels; cleanlab's
  majority labels differ from ours where there is a tie, so each method is judged on its own
* quality: rank correlation of the annotators' estimated with their true accuracy
"""

import argparse
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict

from cleaning import consensus
from cleaning.belief.ballots import majority
from cleaning.intervals import mean_interval


@dataclass(frozen=True, eq=False)
class Case:
    """Rows with votes (n, A), -1 for none, and the truth."""

    features: np.ndarray
    truth: np.ndarray
    votes: np.ndarray

    @property
    def accuracy(self) -> np.ndarray:
        """The share of right votes of each annotator."""
        return np.array([(one == self.truth)[one >= 0].mean() for one in self.votes.T])


@dataclass(frozen=True, eq=False)
class Answer:
    """Consensus labels and their quality, majority labels and their quality, and the quality of the annotators."""

    labels: np.ndarray
    quality: np.ndarray
    majority: np.ndarray
    of_majority: np.ndarray
    of_annotators: np.ndarray


@dataclass(frozen=True)
class Crowd:
    """How many annotators there are, the votes per row, and the range of their error rates."""

    annotators: int
    votes: int
    least: float
    most: float
    confused: bool = False


CROWDS = {
    "5 people, all vote, 10-50% wrong": Crowd(5, 5, 0.1, 0.5),
    "8 people, 3 votes per row, 5-60% wrong": Crowd(8, 3, 0.05, 0.6),
    "8 people who confuse pairs, 3 votes, 5-60%": Crowd(8, 3, 0.05, 0.6, confused=True),
    "100 people, 3 votes per row, 5-60% wrong": Crowd(100, 3, 0.05, 0.6),
    "4 people, 1 or 2 votes, 5-50% wrong": Crowd(4, 0, 0.05, 0.5),
}


def crowd(kind: Crowd, rows: int, seed: int) -> Case:
    """Digits with planted annotators; votes = 0 means one or two per row."""
    rng = np.random.default_rng(seed)
    features, truth = load_digits(return_X_y=True)
    chosen = rng.permutation(len(truth))[:rows]
    features, truth = features[chosen], truth[chosen]
    rates = rng.permutation(np.linspace(kind.least, kind.most, kind.annotators))
    votes = np.empty((len(truth), kind.annotators), dtype=np.int64)
    for one, rate in enumerate(rates):
        shift = rng.integers(1, 10, 10)[truth] if kind.confused else rng.integers(1, 10, len(truth))
        votes[:, one] = np.where(rng.random(len(truth)) < rate, (truth + shift) % 10, truth)
    for row in votes:
        there = kind.votes or int(rng.integers(1, 3))
        row[rng.permutation(kind.annotators)[there:]] = -1
    return Case(features, truth, votes)


def out_of_sample(case: Case) -> np.ndarray:
    """Five-fold probabilities of a logistic regression on the majority labels."""
    model = LogisticRegression(C=0.01, max_iter=500)
    return np.asarray(cross_val_predict(model, case.features / 16, majority(case.votes), cv=5, method="predict_proba"))


def with_fixfirst(case: Case) -> Answer:
    """Ours from the features."""
    return _ours(case, None)


def with_both(case: Case) -> Answer:
    """Ours from the features and the probabilities that cleanlab gets."""
    return _ours(case, out_of_sample(case))


def with_probabilities(case: Case) -> Answer:
    """Ours from these probabilities alone."""
    own = out_of_sample(case)
    return _ours(Case(own, case.truth, case.votes), own)


def _ours(case: Case, own: np.ndarray | None) -> Answer:
    found = consensus(case.features, case.votes, probabilities=own)
    return Answer(
        found.labels, found.probability, found.posterior.given, found.posterior.quality, found.annotator_quality
    )


def with_cleanlab(case: Case) -> Answer:
    """CROWDLAB."""
    import pandas as pd
    from cleanlab.multiannotator import get_label_quality_multiannotator

    votes = pd.DataFrame(np.where(case.votes < 0, np.nan, case.votes))
    own = out_of_sample(case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        asked = {"return_detailed_quality": False, "verbose": False}
        best = get_label_quality_multiannotator(votes, own, consensus_method="best_quality", **asked)
        plain = get_label_quality_multiannotator(votes, own, consensus_method="majority_vote", **asked)
    labels = best["label_quality"]["consensus_label"].to_numpy()
    quality = best["label_quality"]["consensus_quality_score"].to_numpy()
    its_majority = plain["label_quality"]["consensus_label"].to_numpy()
    of_majority = plain["label_quality"]["consensus_quality_score"].to_numpy()
    stats = best["annotator_stats"].sort_index()
    return Answer(labels, quality, its_majority, of_majority, stats["annotator_quality"].to_numpy())


METHODS: dict[str, Callable[[Case], Answer]] = {
    "fixfirst": with_fixfirst,
    "fixfirst and probabilities": with_both,
    "fixfirst, probabilities alone": with_probabilities,
    "cleanlab (CROWDLAB)": with_cleanlab,
}


def measured(case: Case, answer: Answer) -> dict[str, float]:
    """The numbers that the head of this file explains."""
    wrong, of_majority = answer.labels != case.truth, answer.majority != case.truth
    return {
        "wrong": 100 * float(wrong.mean()),
        "own": float(average_precision_score(wrong, 1 - answer.quality)) if wrong.any() else 1.0,
        "majority": float(average_precision_score(of_majority, 1 - answer.of_majority)),
        "quality": float(spearmanr(answer.of_annotators, case.accuracy).statistic),
    }


def main() -> None:
    """Prints one table per crowd."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=1797)
    options = parser.parse_args()
    for name, kind in CROWDS.items():
        cases = [crowd(kind, options.rows, seed) for seed in range(options.seeds)]
        majorities = [100 * float((majority(case.votes) != case.truth).mean()) for case in cases]
        print(f"{name}; majority vote wrong {np.mean(majorities):.1f}%")
        for method, judge in METHODS.items():
            found = [measured(case, judge(case)) for case in cases]
            cells = []
            for key in found[0]:
                values = [one[key] for one in found]
                low, high = mean_interval(values) or (np.nan, np.nan)
                cells.append(f"{key} {np.mean(values):.3f} [{low:.3f}, {high:.3f}]")
            print(f"  {method:30} {'  '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
