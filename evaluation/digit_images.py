"""scikit-learn's digits as picture files, embedded by the built-in encoder."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cleaning.data import IntVector
from evaluation.embed import Request, embed
from evaluation.files import make_folder, plain_errors
from evaluation.progress import Reporter

_ZOOM = 4


@dataclass(frozen=True, eq=False)
class Digits:
    """1,797 scans (n, 8, 8) in 0 … 1, dark on white being 1, and which digit each is."""

    scans: NDArray[np.float32]
    labels: IntVector

    def shuffled(self, draw: int, purpose: str) -> tuple["Digits", np.random.Generator]:
        """The scans in an order of their own for each draw and purpose, and the generator for what follows."""
        rng = np.random.default_rng([draw, *purpose.encode()])
        order = rng.permutation(len(self.labels))
        return Digits(self.scans[order], self.labels[order]), rng


@lru_cache(maxsize=1)
def load_digit_scans() -> Digits:
    """The scans as scikit-learn has them."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return Digits((digits.images / 16).astype(np.float32), digits.target.astype(np.int64))


def write_pictures(folder: Path, scans: Mapping[str, NDArray[np.float32]]) -> None:
    """One picture of 32 × 32 a scan, black on white, under the name given; the suffix says the format."""
    from PIL import Image

    for name, scan in scans.items():
        path = folder / name
        make_folder(path.parent)
        values = (255 - np.round(scan * 255)).astype(np.uint8).repeat(_ZOOM, axis=0).repeat(_ZOOM, axis=1)
        with plain_errors(path, "write the picture"):
            if path.suffix == ".jpg":
                Image.fromarray(values).save(path, quality=95)
            else:
                Image.fromarray(values).save(path)


def embed_pictures(folder: Path, output: Path) -> None:
    """As `fixfirst embed FOLDER --output=OUTPUT` does."""
    embed(Request(folder, output), Reporter(io.StringIO(), io.StringIO()))
