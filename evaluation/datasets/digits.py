"""scikit-learn's digits as picture files, embedded by the built-in encoder."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from cleaning.data import IntVector
from evaluation.embedding.embed import write_embeddings
from evaluation.files.whole import write_whole

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


def write_pictures(parts: Mapping[str, Mapping[str, NDArray[np.float32]]], embeddings: Path, data: Path) -> None:
    """Embeds the scans of each part as pictures, and keeps those in one archive, laid out as the original has them.

    parts: {folder: {name below it: scan}}; the suffix of a name says its format. Writes embeddings/PART.parquet, where
    PART is the first folder of each part, as `fixfirst embed FOLDER` would, and data/pictures.zip.
    """
    archive: dict[str, bytes] = {}
    for folder, scans in parts.items():
        pictures = {name: _picture(name, scan) for name, scan in scans.items()}
        write_embeddings(pictures, embeddings / f"{folder.partition('/')[0]}.parquet")
        archive |= {f"{folder}/{name}": content for name, content in pictures.items()}
    write_whole(data / "pictures.zip", _zipped(archive))


def _picture(name: str, scan: NDArray[np.float32]) -> bytes:
    """A picture of 32 × 32, black on white."""
    from PIL import Image

    values = (255 - np.round(scan * 255)).astype(np.uint8).repeat(_ZOOM, axis=0).repeat(_ZOOM, axis=1)
    kind = PurePath(name).suffix[1:].replace("jpg", "jpeg")
    content = io.BytesIO()
    Image.fromarray(values).save(content, kind, **({"quality": 95} if kind == "jpeg" else {}))
    return content.getvalue()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """An archive of files already compressed, the same bytes at any time."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return content.getvalue()
