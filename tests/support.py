"""Small data the tests make themselves."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml

from cleaning import GroundTruth, NoisyDataset, Split, plant_noise
from evaluation.datasets.layout import csv_path, write_csv, write_parquet
from evaluation.embedding.encoders import efficientnet_lite0

ROOT = Path(__file__).resolve().parents[1]
ENCODER = "efficientnet_lite0" if efficientnet_lite0.is_installed() else "classical"
"""The default encoder of pictures here."""
START = datetime(2021, 9, 1, 12, tzinfo=UTC)
"""Where the clock of the fixture `at` begins."""
SHARED = Path(os.environ.get("FIXFIRST_SHARED", ROOT.parent / "shared"))


def blobs(n: int, seed: int, *, classes: int = 2, width: int = 5, gap: float = 3.0) -> Split:
    """n rows of Gaussian classes whose means are `gap` apart."""
    centres = np.random.default_rng(classes * 1000 + width).normal(size=(classes, width))
    centres *= gap / np.linalg.norm(centres[0] - centres[-1])
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n) % classes)
    return Split.from_arrays(
        centres[labels] + rng.normal(size=(n, width)), labels, [f"s{seed}-{row:03d}" for row in range(n)]
    )


def noisy_blobs(
    name: str = "blobs", *, n: int = 60, rate: float = 0.3, seed: int = 0, **shape: float
) -> tuple[NoisyDataset, GroundTruth]:
    """A data id with symmetric noise, and its truth."""
    clean = blobs(n, 10 * seed + 1, **shape)
    labels = plant_noise(clean.labels, rate, "symmetric", np.random.default_rng(seed))
    train = Split(clean.features, labels, clean.ids)
    return NoisyDataset(
        name, train, blobs(n // 3, 10 * seed + 2, **shape), blobs(2 * n, 10 * seed + 3, **shape)
    ), GroundTruth(clean.labels)


def write_dataset(workspace: Path, dataset: NoisyDataset, truth: GroundTruth) -> None:
    """Writes a data id in the challenge's layout."""
    parts = {"train": dataset.train, "val": dataset.validation, "test": dataset.test}
    for part, split in parts.items():
        if split is not None:
            true = truth.labels if part == "train" else split.labels
            share = "_0.3" if part == "train" else ""
            write_parquet(workspace / "embeddings" / f"{dataset.name}_{part}{share}_{len(split)}.parquet", split)
            write_csv(csv_path(workspace / "data", dataset.name, part), split, true, "blob")


def copy_room(name: str, target: Path) -> None:
    """Copies a folder of the project, with its compiled modules but without those that a process is writing now."""
    shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("*.pyc.*"))


def write_parameters(workspace: Path, **settings: object) -> Path:
    """A parameters.yaml over the data ids `blobs` and `blobs-b`, put there by hand."""
    content = {"rankers": ["random", "knn_shapley"], "datasets": {"made": {"ids": ["blobs", "blobs-b"]}}, **settings}
    workspace.mkdir(parents=True, exist_ok=True)
    path = workspace / "parameters.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def without_pictures(patch: pytest.MonkeyPatch) -> None:
    """Figures are put together, but neither laid out nor drawn: for tests of what else a command does."""
    patch.setattr("matplotlib.figure.Figure.savefig", lambda _, file, **__: file.write(b"picture"))
    patch.setattr("evaluation.figures.canvas.settle", lambda _: None)


def with_plain_encoder(patch: pytest.MonkeyPatch) -> None:
    """Pictures are embedded as where the extra `images` is not installed, which takes a tenth of the time."""
    patch.setattr(efficientnet_lite0, "is_installed", lambda: False)
