"""Twelve rows to clean, three of them with a wrong label."""

from pathlib import Path

import numpy as np

from cleaning import Split
from evaluation.contract.example import DATA_ID, Example
from evaluation.datasets.layout import Part, csv_path, write_csv, write_parquet

_WRONG = (3, 6, 10)


def write(embeddings: Path, data: Path) -> Example:
    """Writes the three parts of a data id. The good ranking has the wrong rows first, the broken one repeats a row."""
    rng = np.random.default_rng(0)
    sizes: dict[Part, int] = {"train": 12, "val": 6, "test": 20}
    for part, size in sizes.items():
        truth = np.arange(size) % 2
        labels = np.where(np.isin(np.arange(size), _WRONG), 1 - truth, truth) if part == "train" else truth
        features = rng.normal(size=(size, 4)) + 2.0 * truth[:, None]
        split = Split.from_arrays(features, labels, [f"{part}-{row:02d}" for row in range(size)])
        write_parquet(embeddings / f"{DATA_ID}_{part}_{size}.parquet", split)
        write_csv(csv_path(data, DATA_ID, part), split, truth, "odd row")
    order = [*_WRONG, *(row for row in range(12) if row not in _WRONG)]
    return Example(".txt", _text(order), _text([*order[:5], order[2], *order[6:]]))


def _text(order: list[int]) -> str:
    return "".join(f"{row}\n" for row in order)
