"""`fixfirst score`: how good an order is, on data whose true labels are known. The order may come from any tool."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleaning import GroundTruth, NoisyDataset, Ranking, Split, simulate
from cleaning.data import FloatVector, IntVector
from cleaning.errors import InvalidInput
from cleaning.learners.logistic import Learner
from cleaning.progress import Progress
from cleaning.simulation.curve import reaches
from cleaning.simulation.label_path import LabelPath
from evaluation.files.csv import csv_text
from evaluation.files.whole import write_text, write_whole
from evaluation.labels.foreign import Foreign

_TARGET = 0.95
SUFFIXES = (".json", ".csv", ".png", ".svg")
# So many bootstrap samples make an interval, so many shuffles are the random order, fewer where models are fitted.
_DRAWS, _SHUFFLES, _RANDOM_ORDERS = 500, 20, 5
# At most so many models are fitted for one curve.
_STATES = 400
# The share of wrong labels to find.
_SHARE = 0.9


@dataclass(frozen=True, eq=False)
class Known:
    """Data with known truth. train: labels as given. truth (n,): the true ones. test: None if there are none."""

    name: str
    train: Split
    truth: IntVector
    test: Split | None

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Which labels are wrong, (n,)."""
        return np.asarray(self.train.labels != self.truth)

    def without(self, rows: IntVector, order: IntVector) -> tuple["Known", IntVector]:
        """The same without some rows, and an order of all rows as one of those that stay."""
        if not len(rows):
            return self, order
        stay = np.setdiff1d(np.arange(len(self.train)), rows)
        train = Split(
            self.train.features[stay], self.train.labels[stay], tuple(self.train.ids[row] for row in stay.tolist())
        )
        return replace(self, train=train, truth=self.truth[stay]), np.searchsorted(stay, order[np.isin(order, stay)])


def undecided(known: Known, found: Foreign, ranking: Path) -> tuple[Known, IntVector]:
    """The rows that had not been decided before the ranking, and their order.

    Raises InvalidInput if the labels of the others tell nothing any more.
    """
    left, order = known.without(found.decided, found.order)
    if _can_score(known) and not _can_score(left):
        which = "right" if left.wrong.any() else "wrong"
        problem = f"all {which} labels were decided before this ranking"
        raise InvalidInput(ranking, problem, "score the ranking that was made before the review")
    return left, order


def _can_score(known: Known) -> bool:
    return 0 < int(known.wrong.sum()) < len(known.wrong)


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval, by bootstrap, and what random order has on average (None: not computed)."""

    value: float
    low: float
    high: float
    random: float | None

    def __str__(self) -> str:
        against = "" if self.random is None else f"; random order {self.random:.3f}"
        return f"{self.value:.3f} (95% interval {self.low:.3f} to {self.high:.3f}{against})"


@dataclass(frozen=True, eq=False)
class Scored:
    """What an order is worth.

    precision: the average precision of the wrong labels; its interval is over rows. looks: the share of rows to look at
    until 90% of the wrong labels are found, likewise. score: the share of rows to fix until a retrained model reaches
    95% of its accuracy on clean labels; its interval is over test rows. None without test rows.
    fixes, found, accuracy: the curve: wrong labels found and test accuracy after so many fixes.
    """

    rows: int
    wrong: int
    precision: Estimate
    looks: Estimate
    score: Estimate | None
    clean: float | None
    fixes: IntVector
    found: IntVector
    accuracy: FloatVector | None


def score(known: Known, order: IntVector, progress: Progress) -> Scored:
    """Scores an order, (n,), every row once. Raises InvalidInput if no label is wrong, or all are."""
    wrong = known.wrong
    if not _can_score(known):
        raise InvalidInput(
            known.name, f"{wrong.sum()} of {len(wrong)} labels are wrong", "give labels as they were, and the true ones"
        )
    rng = np.random.default_rng(0)
    hits = wrong[order]
    usual = _found(hits, np.ones(len(hits)))
    drawn = np.array([_found(hits, _weights(len(hits), rng)) for _ in range(_DRAWS)])
    chance = np.mean([_found(rng.permutation(hits), np.ones(len(hits))) for _ in range(_SHUFFLES)], axis=0)
    precision, looks = (_estimate(usual[kind], drawn[:, kind], float(chance[kind])) for kind in (0, 1))
    cleaning, clean, fixes, accuracy = (None, None, np.arange(len(hits) + 1), None)
    if known.test is not None:
        cleaning, clean, fixes, accuracy = _cleaned(known, known.test, order, rng, progress)
    found = np.concatenate(([0], np.cumsum(hits)))[fixes]
    return Scored(len(hits), int(hits.sum()), precision, looks, cleaning, clean, fixes, found, accuracy)


def _found(hits: NDArray[np.bool_], weights: FloatVector) -> tuple[float, float]:
    """Average precision, and the share of rows looked at until 90% is found; weights: how often each row counts."""
    seen, known = np.cumsum(weights), np.cumsum(weights * hits)
    total = max(float(known[-1]), 1.0)
    place = int(np.argmax(known >= _SHARE * total - 1e-9))
    return float((weights * hits * known / np.maximum(seen, 1)).sum()) / total, float(seen[place] / seen[-1])


def _weights(count: int, rng: np.random.Generator) -> FloatVector:
    """How often each of so many rows is drawn, with replacement."""
    return rng.multinomial(count, np.full(count, 1 / count)).astype(np.float64)


def _cleaned(
    known: Known, test: Split, order: IntVector, rng: np.random.Generator, progress: Progress
) -> tuple[Estimate, float, IntVector, FloatVector]:
    """The score, the accuracy on clean labels, and the curve; its interval draws the test rows again."""
    changed = known.wrong[order]
    rows = order[changed]
    path = LabelPath(known.train.features, known.train.labels, rows, known.truth[rows])
    states = np.unique(np.linspace(0, len(path) - 1, min(len(path), _STATES)).round().astype(np.int64))
    right = Learner().correct(path.at(states), test, progress)
    fixes = np.concatenate(([0], np.flatnonzero(changed) + 1))[states]
    draws = np.array([_weights(len(test), rng) for _ in range(_DRAWS)], dtype=np.float32)
    accuracy = right.mean(axis=1)
    drawn = (right.astype(np.float32) @ draws.T).astype(np.float64) / len(test)
    shares = [float(_reached(fixes, one)) / len(order) for one in drawn.T]
    dataset = NoisyDataset(known.name, known.train, None, test)
    orders = [Ranking(rng.permutation(len(order))) for _ in range(_RANDOM_ORDERS)]
    truth = GroundTruth(known.truth)
    random = [simulate(dataset, truth, one, Learner()).score(_TARGET) for one in orders] if len(path) <= _STATES else []
    value = _reached(fixes, accuracy) / len(order)
    estimate = _estimate(value, np.array(shares), float(np.mean(random)) if random else None)
    return estimate, float(accuracy[-1]), fixes, accuracy


def _reached(fixes: IntVector, accuracy: FloatVector) -> int:
    return int(fixes[np.argmax(reaches(accuracy, _TARGET * accuracy[-1]))])


def _estimate(value: float, drawn: FloatVector, random: float | None) -> Estimate:
    low, high = np.quantile(drawn, (0.025, 0.975))
    return Estimate(value, min(value, float(low)), max(value, float(high)), random)


def told(scored: Scored) -> list[str]:
    """What to print."""
    lines = [
        f"{scored.wrong} of {scored.rows} labels {'is' if scored.wrong == 1 else 'are'} wrong",
        f"average precision of the wrong labels (higher is better): {scored.precision}",
        f"share of rows to look at until 90% of them are found (lower is better): {scored.looks}",
    ]
    if scored.score is None:
        return [*lines, "no cleaning score, which needs test rows: --test=SOURCE"]
    goal = f"{_TARGET:.0%} of the clean accuracy {scored.clean:.3f}"
    lines.append(f"score, the share of labels to fix until {goal} (lower is better): {scored.score}")
    if not scored.score.value:
        lines.append("the model is that good before any fix, so this score cannot tell a good order from a bad one")
    return lines


def write_scored(scored: Scored, output: Path, title: str) -> None:
    """Writes the numbers (.json), the curve (.csv), or its picture (.png, .svg)."""
    if output.suffix == ".json":
        numbers = {
            "rows": scored.rows,
            "wrong": scored.wrong,
            "average_precision": asdict(scored.precision),
            "looks_for_90_percent": asdict(scored.looks),
            "score": None if scored.score is None else asdict(scored.score),
            "clean_accuracy": scored.clean,
        }
        write_text(output, json.dumps(numbers, indent=1) + "\n")
    elif output.suffix == ".csv":
        columns = [scored.fixes.tolist(), scored.found.tolist()]
        columns.append([""] * len(scored.fixes) if scored.accuracy is None else scored.accuracy.tolist())
        write_text(output, csv_text(["fixes", "wrong_labels_found", "accuracy"], list(zip(*columns, strict=True))))
    else:
        from evaluation.figures.canvas import render
        from evaluation.figures.found import found_figure

        figure = found_figure(title, scored.rows, scored.fixes, scored.found, scored.accuracy)
        write_whole(output, render(figure, output.suffix[1:]))
