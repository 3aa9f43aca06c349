"""Probabilities as one more voice, beside cleanlab on the same ones (`python -m tests.benchmarks.probabilities`).

    python -m tests.benchmarks.probabilities [--seeds N] [--rows N]

scikit-learn's digits with planted noise. The model of the user sees all 64 pixels, and is asked out of sample (five
folds); the features that the ranking gets are a few of the pixels, or all of them. Means over seeds, 95% intervals:

* AP: average precision of the wrong labels
* said: expected number of wrong labels, per cent of the true one; held: share of seeds whose interval has the true one

For cleanlab, `said` is the number of issues that it estimates. The last lines count how often probabilities were
refused as in-sample: those of models that were fitted on the same rows, and those asked out of sample.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from cleaning import InvalidInput, Posterior, Split, label_posterior, plant_noise
from cleaning.intervals import mean_interval

MODELS: dict[str, ClassifierMixin] = {
    "logistic regression": LogisticRegression(C=0.25, max_iter=1000),
    "random forest": RandomForestClassifier(100, random_state=0),
}
OVERFITTED: dict[str, ClassifierMixin] = {
    "random forest": RandomForestClassifier(100, random_state=0),
    "one tree": DecisionTreeClassifier(random_state=0),
    "nearest neighbour": KNeighborsClassifier(1),
}
NOISES = {"20% symmetric": ("symmetric", 0.2), "5% symmetric": ("symmetric", 0.05)}
PIXELS = {"12 of 64 pixels": 12, "all pixels": 64}


@dataclass(frozen=True, eq=False)
class Case:
    """Rows (n, 64) with the labels they have and those they should have; `seen`: the pixels that the ranking gets."""

    pixels: np.ndarray
    seen: np.ndarray
    given: np.ndarray
    truth: np.ndarray
    model: ClassifierMixin

    @cached_property
    def own(self) -> np.ndarray:
        """Out-of-sample probabilities."""
        return np.asarray(cross_val_predict(clone(self.model), self.pixels, self.given, cv=5, method="predict_proba"))

    @property
    def train(self) -> Split:
        """What the ranking gets."""
        return Split.from_arrays(self.seen, self.given)


@dataclass(frozen=True)
class Answer:
    """How suspicious each label is, how many are wrong, and from how many to how many."""

    suspicion: np.ndarray
    count: float
    low: float = np.nan
    high: float = np.nan


def case(noise: str, pixels: int, model: ClassifierMixin, rows: int, seed: int) -> Case:
    """One draw of rows, pixels and noise."""
    rng = np.random.default_rng(seed)
    features, truth = load_digits(return_X_y=True)
    features = features / 16
    chosen = rng.permutation(len(truth))[:rows]
    columns = rng.permutation(np.flatnonzero(features.std(axis=0) > 1 / 16))[:pixels] if pixels < 64 else np.arange(64)
    kind, rate = NOISES[noise]
    given = plant_noise(truth[chosen], rate, kind, rng)
    return Case(features[chosen], features[chosen][:, columns], given, truth[chosen], model)


def _answer(found: Posterior) -> Answer:
    return Answer(found.suspicion, *found.wrong_labels())


def without(one: Case) -> Answer:
    """Ours from the features alone."""
    return _answer(label_posterior(one.train))


def with_both(one: Case) -> Answer:
    """Ours from both."""
    return _answer(label_posterior(one.train, probabilities=one.own))


def alone(one: Case) -> Answer:
    """Ours from the probabilities alone."""
    return _answer(label_posterior(Split.from_arrays(one.own, one.given), probabilities=one.own))


def with_cleanlab(one: Case) -> Answer:
    """cleanlab's self-confidence and its estimated number of issues."""
    from cleanlab.count import num_label_issues
    from cleanlab.rank import get_self_confidence_for_each_label

    suspicion = 1 - get_self_confidence_for_each_label(one.given, one.own)
    return Answer(suspicion, float(num_label_issues(labels=one.given, pred_probs=one.own)))


METHODS: dict[str, Callable[[Case], Answer]] = {
    "features": without,
    "features and probabilities": with_both,
    "probabilities alone": alone,
    "cleanlab": with_cleanlab,
}


def refused(one: Case, own: np.ndarray) -> bool:
    """Whether probabilities are refused as in-sample."""
    try:
        label_posterior(one.train, probabilities=own)
    except InvalidInput as error:
        return "fitted on these rows" in str(error)
    return False


def main() -> None:
    """Prints a table per noise, features and model; then how many probabilities were refused."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=500)
    options = parser.parse_args()
    for noise in NOISES:
        for name, pixels in PIXELS.items():
            for model, kind in MODELS.items():
                print(f"{noise}, {name}, {model}")
                _compare([case(noise, pixels, kind, options.rows, seed) for seed in range(options.seeds)])
            for model, kind in OVERFITTED.items():
                drawn = [case(noise, pixels, kind, options.rows, seed) for seed in range(options.seeds)]
                fitted = [clone(kind).fit(one.pixels, one.given).predict_proba(one.pixels) for one in drawn]
                inside = sum(refused(one, own) for one, own in zip(drawn, fitted, strict=True))
                outside = sum(refused(one, one.own) for one in drawn)
                print(f"  refused, {model}: in sample {inside} of {len(drawn)}, out of sample {outside}", flush=True)


def _compare(drawn: list[Case]) -> None:
    for method, judge in METHODS.items():
        precision, said, held = [], [], []
        for one in drawn:
            found, wrong = judge(one), one.given != one.truth
            precision.append(float(average_precision_score(wrong, found.suspicion)))
            said.append(100 * found.count / wrong.sum())
            held.append(bool(found.low <= wrong.sum() <= found.high))
        low, high = mean_interval(precision) or (np.nan, np.nan)
        shown = "" if method == "cleanlab" else f"  held {np.mean(held):.2f}"
        cells = f"AP {np.mean(precision):.3f} [{low:.3f}, {high:.3f}]  said {np.mean(said):.0f}%{shown}"
        print(f"  {method:28} {cells}", flush=True)


if __name__ == "__main__":
    main()
