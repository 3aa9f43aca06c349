"""What a ranker needs, found out by trying it on small data with planted noise."""

import time
from dataclasses import dataclass

import numpy as np

from cleaning import Ranking, Split, Unsuitable, plant_noise
from cleaning.data import IntVector
from cleaning.discovery import Component
from cleaning.errors import foreign_reason
from evaluation.harness.calling import accepts

_ROWS, _WIDTH = 300, 32
_SEED = 0


@dataclass(frozen=True)
class Traits:
    """What was found. validation: what becomes of the validation rows. seconds: for one ranking of 300 rows.

    again: whether it takes part in rounds.
    """

    validation: str
    seconds: float
    scale: bool
    again: bool

    def __str__(self) -> str:
        scale = "depends on the scale of the columns" if self.scale else "the scale of the columns does not matter"
        rounds = "; takes part in rounds" if self.again else ""
        return f"{self.validation}; {self.seconds:.2g} s for {_ROWS} rows; {scale}{rounds}"


def traits(ranker: Component) -> str:
    """What the ranker needs, in a line; or why it could not be tried. Runs the ranker."""
    try:
        return str(_tried(ranker))
    except Exception as error:
        return f"could not be tried ({type(error).__name__}: {foreign_reason(error)})"


def _tried(ranker: Component) -> Traits:
    rng = np.random.default_rng(_SEED)
    train, validation, other = (_blobs(rng, rows) for rows in (_ROWS, _ROWS // 3, _ROWS // 3))
    noisy = Split(train.features, plant_noise(train.labels, 0.2, "symmetric", rng), train.ids)
    _order(ranker, noisy, validation)  # what a first call loads does not count
    started = time.perf_counter()
    usual = _order(ranker, noisy, validation)
    seconds = time.perf_counter() - started
    stretch = np.geomspace(0.01, 100, _WIDTH)
    scaled = [Split(split.features * stretch, split.labels, split.ids) for split in (noisy, validation)]
    return Traits(
        _validation(ranker, noisy, usual, other),
        seconds,
        _differ(usual, _order(ranker, scaled[0], scaled[1])),
        accepts(ranker, "checked"),
    )


def _validation(ranker: Component, train: Split, usual: IntVector, other: Split) -> str:
    try:
        _order(ranker, train, None)
    except Unsuitable:
        return "needs validation rows"
    used = _differ(usual, _order(ranker, train, other))
    return "uses validation rows if there are any" if used else "uses no validation rows"


def _differ(one: IntVector, other: IntVector) -> bool:
    """Whether more than one in twenty of the first rows differ; rounding moves fewer."""
    first = len(one) // 5
    return len(np.intersect1d(one[:first], other[:first])) < 0.95 * first


def _order(ranker: Component, train: Split, validation: Split | None) -> IntVector:
    answer = ranker.member(train, validation, rng=np.random.default_rng(_SEED))
    return (answer if isinstance(answer, Ranking) else Ranking.from_scores(answer)).order


def _blobs(rng: np.random.Generator, rows: int) -> Split:
    labels = rng.integers(0, 2, rows)
    features = rng.normal(size=(rows, _WIDTH)) + 0.6 * labels[:, None]
    return Split.from_arrays(features, labels, [f"{row:03d}" for row in range(rows)])
