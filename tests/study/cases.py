"""The cases of the study: a data id drawn from a source with planted noise, or a shared data id unchanged."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cleaning import GroundTruth, NoisyDataset, Split
from cleaning.vectors.folds import out_of_fold_probabilities
from tests.study.sources import DATAPERF_IDS, SHARED, shared_id, sources

TRAIN, VALIDATION, TEST = 300, 100, 500  # the sizes of the challenge's data ids
NOISES = (
    ("symmetric", 0.05),
    ("symmetric", 0.15),
    ("symmetric", 0.30),
    ("symmetric", 0.45),
    ("class-conditional", 0.10),
    ("class-conditional", 0.30),
    ("instance-dependent", 0.10),
    ("instance-dependent", 0.30),
)
QUICK_NOISES = (("symmetric", 0.30), ("instance-dependent", 0.30))


@dataclass(frozen=True)
class Case:
    """One cell of the study. A resumed run recognises finished cases by their key."""

    source: str
    noise: str
    rate: float
    seed: int

    @property
    def key(self) -> tuple[str, str, str, str]:
        return self.source, self.noise, f"{self.rate:.2f}", str(self.seed)


def cases(seeds: int, quick: bool) -> Iterator[Case]:
    """All cases, seed by seed, so that a run stopped early leaves whole replicates.

    Shared data ids have a single seed, because nothing about them is drawn.
    """
    for seed in range(seeds):
        for source in sources(quick):
            for noise, rate in QUICK_NOISES if quick else NOISES:
                yield Case(source, noise, rate, seed)
        if seed == 0 and not quick and (SHARED / "dataperf").is_dir():
            yield from (Case(f"dataperf {name}", "as found", 0.30, 0) for name in DATAPERF_IDS)


def make(case: Case) -> tuple[NoisyDataset, GroundTruth]:
    """Builds the data of a case. The same case always gives the same bytes."""
    if case.source.startswith("dataperf "):
        return shared_id(case.source.removeprefix("dataperf "))
    rng = np.random.default_rng([case.seed, zlib.crc32("|".join(case.key).encode())])
    features, labels = sources(quick=False)[case.source].rows(case.seed)
    test = min(TEST, len(labels) - TRAIN // 2 - VALIDATION)
    train = min(TRAIN, len(labels) - VALIDATION - test)
    drawn = rng.permutation(len(labels))[: train + VALIDATION + test]
    parts = np.split(drawn, [train, train + VALIDATION])
    splits = [Split(features[rows], labels[rows], tuple(f"{row:05d}" for row in rows)) for rows in parts]
    noisy = Split(splits[0].features, plant(splits[0], case.noise, case.rate, rng), splits[0].ids)
    return NoisyDataset(str(case.key), noisy, splits[1], splits[2]), GroundTruth(splits[0].labels)


def plant(clean: Split, noise: str, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Returns labels of which exactly round(rate · n) are wrong.

    symmetric: every row is equally likely to be wrong and gets any other class. class-conditional: rows of class c are
    wrong with a probability proportional to c + 1 and get the next class (as when class A is mistaken for B more often
    than B for A). instance-dependent: rows that a logistic regression finds ambiguous are more likely to be wrong, and
    get the class it would mistake them for.
    """
    n, classes = len(clean), int(clean.labels.max()) + 1
    wrong = round(rate * n)
    noisy = clean.labels.copy()
    if noise == "symmetric":
        rows = rng.choice(n, wrong, replace=False)
        noisy[rows] = (noisy[rows] + rng.integers(1, classes, wrong)) % classes
    elif noise == "class-conditional":
        weight = (clean.labels + 1.0) / (clean.labels + 1.0).sum()
        rows = rng.choice(n, wrong, replace=False, p=weight)
        noisy[rows] = (noisy[rows] + 1) % classes
    else:
        probability = out_of_fold_probabilities(clean, classes, rng)
        probability[np.arange(n), clean.labels] = 0.0
        weight = 0.05 + probability.max(axis=1)
        rows = rng.choice(n, wrong, replace=False, p=weight / weight.sum())
        noisy[rows] = probability[rows].argmax(axis=1)
    return noisy
