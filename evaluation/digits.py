"""The default data: DataPerf-shaped data ids made from scikit-learn's handwritten digits.

1,797 real 8 × 8 scans; the embedding is the 64 pixel values, the question whether the digit is odd (the positive
class). 900 of them are drawn for a data id: 300 to train on, 100 clean for validation, 500 clean for the test.
"""

import zlib
from pathlib import Path

import numpy as np

from cleaning import Split, plant_noise
from evaluation.datafiles import Part, csv_path, write_csv, write_parquet
from evaluation.parameters import Noise

SIZES: dict[Part, int] = {"train": 300, "val": 100, "test": 500}


def write_digits(data_id: str, noise: Noise, draw: int, embedding_folder: Path, groundtruth_folder: Path) -> list[Path]:
    """Writes the three parquet and three csv files of a data id and returns their paths.

    The draw decides which scans are taken and whose labels are wrong; the same draw writes the same bytes.
    """
    from sklearn.datasets import load_digits

    digits = load_digits()
    rng = np.random.default_rng([draw, zlib.crc32(noise.kind.encode()), round(noise.rate * 1_000_000)])
    chosen = rng.permutation(len(digits.target))[: sum(SIZES.values())]
    written = []
    start = 0
    for part, size in SIZES.items():
        rows = chosen[start : start + size]
        start += size
        truth = (digits.target[rows] % 2).astype(np.int64)
        labels = plant_noise(truth, noise.rate, noise.kind, rng) if part == "train" else truth
        split = Split(
            digits.data[rows].astype(np.float32) / np.float32(16), labels, tuple(f"digit-{row:04d}" for row in rows)
        )
        share = f"_{noise.rate:g}" if part == "train" else ""
        written += [
            embedding_folder / f"{data_id}_{part}{share}_{size}.parquet",
            csv_path(groundtruth_folder, data_id, part),
        ]
        write_parquet(written[-2], split)
        write_csv(written[-1], split, truth, "odd digit")
    return written
