"""Digits as animals: clips of 45 noisy 8 × 8 frames in which one or two digits pass; nearly half the clips are blank.

The 24 classes are blank, the ten digits upright, the ten digits rotated by 90 degrees, and 0, 1 and 2 upside down. The
digit classes go from common to rare. A clip's metadata are a frame size that carries no information, and the number of
bytes of its losslessly compressed frames.
"""

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.contract.draw import Draw
from evaluation.datasets.digits import Digits, load_digit_scans
from evaluation.files.csv import csv_text
from evaluation.files.whole import make_folder, plain_errors, write_text

_TRAIN, _TEST, _FRAMES = 500, 300, 45
_BLANK, _PAIRED = 0.45, 0.15

_CLASSES = (
    "blank",
    *(f"{pose}{digit}" for pose, count in (("", 10), ("turned ", 10), ("inverted ", 3)) for digit in range(count)),
)
_SHARES = np.geomspace(0.3, 0.01, len(_CLASSES) - 1)
_SIZES = ((1280, 720), (960, 540), (640, 480))


def write(draw: Draw) -> None:
    """Writes train.npy and test.npy (clips, 45, 64) float32, train_labels.csv, train_metadata.csv, test_metadata.csv,
    submission_format.csv, and the labels of the test clips. No scan is used in both parts.
    """
    digits, rng = load_digit_scans().shuffled(draw.number, "camera_trap")
    half = len(digits.labels) // 2
    parts = {
        "train": (_TRAIN, Digits(digits.scans[:half], digits.labels[:half])),
        "test": (_TEST, Digits(digits.scans[half:], digits.labels[half:])),
    }
    for part, (count, pool) in parts.items():
        names = [f"{part}-{number:04d}.mp4" for number in range(count)]
        labels = np.array([_animals(rng) for _ in names])
        frames = np.stack([_filmed(row, pool, rng) for row in labels])
        path = make_folder(draw.own_embeddings) / f"{part}.npy"
        with plain_errors(path, "write the clips"):
            np.save(path, frames.reshape(count, _FRAMES, 64))
        sizes = [(*_SIZES[int(rng.integers(len(_SIZES)))], _packed_bytes(clip)) for clip in frames]
        _write_csv(draw.own_embeddings / f"{part}_metadata.csv", ("width", "height", "bytes"), names, np.array(sizes))
        if part == "train":
            _write_csv(draw.own_embeddings / "train_labels.csv", _CLASSES, names, labels)
        else:
            _write_csv(draw.own_embeddings / "submission_format.csv", _CLASSES, names, np.zeros_like(labels))
            _write_csv(draw.own_data / "test_labels.csv", _CLASSES, names, labels)


def _animals(rng: np.random.Generator) -> NDArray[np.int64]:
    """The classes that a clip shows, as 24 values of 0 or 1: blank, one animal, or sometimes two."""
    row = np.zeros(len(_CLASSES), dtype=np.int64)
    if rng.random() < _BLANK:
        row[0] = 1
        return row
    shares = _SHARES / _SHARES.sum()
    row[1 + rng.choice(len(shares), size=2 if rng.random() < _PAIRED else 1, replace=False, p=shares)] = 1
    return row


def _filmed(labels: NDArray[np.int64], pool: Digits, rng: np.random.Generator) -> NDArray[np.float32]:
    """Frames (45, 8, 8) of noise on grey; each animal is visible for 3 to 14 frames, jittered by up to one pixel."""
    frames = np.clip(0.3 * rng.random() + 0.15 * rng.standard_normal((_FRAMES, 8, 8)), 0, 1)
    for animal in np.flatnonzero(labels[1:]):
        turns, digit = divmod(int(animal), 10)
        scan = np.rot90(pool.scans[rng.choice(np.flatnonzero(pool.labels == digit))], turns)
        length = int(rng.integers(3, 15))
        start = int(rng.integers(0, _FRAMES - length))
        for frame in range(start, start + length):
            shaken = np.roll(scan, tuple(rng.integers(-1, 2, size=2)), axis=(0, 1))
            frames[frame] = np.maximum(frames[frame], 0.9 * shaken)
    return frames.astype(np.float32)


def _packed_bytes(clip: NDArray[np.float32]) -> int:
    """The size in bytes under a simple lossless codec: frame differences in 16 grey levels, deflated."""
    grey = np.round(clip * 15).astype(np.uint8)
    return len(zlib.compress(np.diff(grey, axis=0).tobytes(), 1))


def _write_csv(path: Path, columns: tuple[str, ...], names: list[str], values: NDArray[np.int64]) -> None:
    rows = ((name, *row) for name, row in zip(names, values.tolist(), strict=True))
    write_text(path, csv_text(("filename", *columns), rows))
