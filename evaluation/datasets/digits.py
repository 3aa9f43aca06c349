"""scikit-learn's digits as image files, embedded by the built-in encoder."""

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
    """1,797 scans (n, 8, 8) with values from 0 (white) to 1 (ink), and the digit that each shows."""

    scans: NDArray[np.float32]
    labels: IntVector

    def shuffled(self, draw: int, purpose: str) -> tuple["Digits", np.random.Generator]:
        """The scans in an order that depends on draw and purpose, and the random generator for further draws."""
        rng = np.random.default_rng([draw, *purpose.encode()])
        order = rng.permutation(len(self.labels))
        return Digits(self.scans[order], self.labels[order]), rng


@lru_cache(maxsize=1)
def load_digit_scans() -> Digits:
    """The scans in scikit-learn's order."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return Digits((digits.images / 16).astype(np.float32), digits.target.astype(np.int64))


def write_pictures(parts: Mapping[str, Mapping[str, NDArray[np.float32]]], embeddings: Path, data: Path) -> None:
    """Embeds the scans of each part as images, and stores the images in one archive with the challenge's layout.

    parts is {folder: {path inside it: scan}}; the suffix of a path decides the image format. Writes data/pictures.zip
    and, for each part, embeddings/PART.parquet as `fixfirst embed FOLDER` would, where PART is the part's top folder.
    """
    archive: dict[str, bytes] = {}
    for folder, scans in parts.items():
        pictures = {name: _picture(name, scan) for name, scan in scans.items()}
        write_embeddings(pictures, embeddings / f"{folder.partition('/')[0]}.parquet")
        archive |= {f"{folder}/{name}": content for name, content in pictures.items()}
    write_whole(data / "pictures.zip", _zipped(archive))


def _picture(name: str, scan: NDArray[np.float32]) -> bytes:
    """An image file of 32 × 32 pixels, black on white."""
    from PIL import Image

    values = (255 - np.round(scan * 255)).astype(np.uint8).repeat(_ZOOM, axis=0).repeat(_ZOOM, axis=1)
    kind = PurePath(name).suffix[1:].replace("jpg", "jpeg")
    content = io.BytesIO()
    Image.fromarray(values).save(content, kind, **({"quality": 95} if kind == "jpeg" else {}))
    return content.getvalue()


def _zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip archive of the already compressed files; its bytes do not depend on the time."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return content.getvalue()
