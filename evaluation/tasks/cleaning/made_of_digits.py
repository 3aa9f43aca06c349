"""Digits, odd or even: DataPerf-shaped data ids made from scikit-learn's handwritten digits.

There are 1,797 real 8 × 8 scans. The embedding is the 64 pixel values; the positive class is an odd digit. Each data id
draws 900 scans: 300 for training, 100 clean ones for validation and 500 clean ones for testing, as in DataPerf.
"""

import zlib

import numpy as np

from cleaning import InvalidInput, Split, plant_noise
from evaluation.contract.draw import Draw
from evaluation.datasets.layout import Part, csv_path, write_csv, write_parquet

_SIZES: dict[Part, int] = {"train": 300, "val": 100, "test": 500}


def write(draw: Draw) -> None:
    """Writes the three parquet and three csv files of a data id.

    The draw decides which scans are used and which labels are wrong. Raises InvalidInput for a block without `noise:`,
    which would have nothing to clean.
    """
    from sklearn.datasets import load_digits

    noise = draw.noise
    if noise is None:
        fix = "add `noise: {kind: symmetric, rate: 0.3}` to the block"
        raise InvalidInput(f"data id {draw.data_id}", "the labels of sklearn:digits are clean", fix)
    digits = load_digits()
    rng = np.random.default_rng([draw.number, zlib.crc32(noise.kind.encode()), round(noise.rate * 1_000_000)])
    chosen = rng.permutation(len(digits.target))[: sum(_SIZES.values())]
    start = 0
    for part, size in _SIZES.items():
        rows = chosen[start : start + size]
        start += size
        truth = (digits.target[rows] % 2).astype(np.int64)
        labels = plant_noise(truth, noise.rate, noise.kind, rng) if part == "train" else truth
        features = digits.data[rows].astype(np.float32) / np.float32(16)
        split = Split(features, labels, tuple(f"digit-{row:04d}" for row in rows))
        share = f"_{noise.rate:g}" if part == "train" else ""
        write_parquet(draw.embeddings / f"{draw.data_id}_{part}{share}_{size}.parquet", split)
        write_csv(csv_path(draw.data, draw.data_id, part), split, truth, "odd digit")
