"""Digits as logo classes, some of them rare: from 120 training images per class down to 3."""

import numpy as np

from evaluation.contract.draw import Draw
from evaluation.datasets.digits import load_digit_scans, write_pictures
from evaluation.files.whole import write_text

_MOST, _FEWEST, _TEST = 120, 3, 600
_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "other")
_SUFFIXES = (".png", ".jpg", ".gif")


def write(draw: Draw) -> None:
    """Writes train/<label>/<name>.<ext>, test/<name>.<ext>, the list of labels and the test labels. 9 is `other`."""
    digits, rng = load_digit_scans().shuffled(draw.number, "logo")
    sizes = dict(zip(rng.permutation(10).tolist(), np.geomspace(_MOST, _FEWEST, 10).round().astype(int), strict=True))
    taken = {label: np.flatnonzero(digits.labels == label)[:size] for label, size in sizes.items()}
    train = {
        f"{_NAMES[label]}/{number:03d}{_SUFFIXES[number % 3]}": digits.scans[row]
        for label, rows in taken.items()
        for number, row in enumerate(rows)
    }
    rest = np.setdiff1d(np.arange(len(digits.labels)), np.concatenate(list(taken.values())))
    test = np.sort(rng.permutation(rest)[:_TEST])
    names = {f"{number:04d}{_SUFFIXES[number % 3]}": row for number, row in enumerate(test)}
    parts = {"train": train, "test": {name: digits.scans[row] for name, row in names.items()}}
    write_pictures(parts, draw.own_embeddings, draw.own_data)
    lines = [f"{name},{_NAMES[digits.labels[row]]}\n" for name, row in names.items()]
    write_text(draw.own_data / "test_labels.csv", "".join(["file,category\n", *lines]))
    write_text(draw.own_data / "labels.txt", "".join(f"{name}\n" for name in _NAMES))
