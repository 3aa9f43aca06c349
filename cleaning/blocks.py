"""Finished blocks of a long curve, kept so that a killed run goes on where it was."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cleaning.data import Split

if TYPE_CHECKING:
    from cleaning.simulate import LabelPath

_FORMAT = b"fixfirst block 1"


def block_name(learner: dict[str, object], path: "LabelPath", test: Split, start: int, stop: int) -> str:
    """A name that changes with anything the accuracies of the states start … stop - 1 depend on."""
    digest = hashlib.blake2b(_FORMAT, digest_size=16)
    digest.update(json.dumps(learner, sort_keys=True, default=str).encode())
    part = path.part(start, stop)
    for array in (part.features, part.labels, part.rows, part.values, part.stops, test.features, test.labels):
        values = np.ascontiguousarray([] if array is None else array)
        digest.update(f"{values.dtype.str}{values.shape}".encode())
        digest.update(values.data)
    return f"{start:08d}-{stop:08d}-{digest.hexdigest()}"


class BlockFolder(MutableMapping[str, bytes]):
    """A folder with one file a block. A file is there whole or not at all; the folder is made at the first write."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.block"

    def __getitem__(self, name: str) -> bytes:
        try:
            return self._path(name).read_bytes()
        except FileNotFoundError:
            raise KeyError(name) from None

    def __setitem__(self, name: str, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self._folder, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(self._path(name))
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def __delitem__(self, name: str) -> None:
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        return (path.stem for path in sorted(self._folder.glob("*.block")))

    def __len__(self) -> int:
        return sum(1 for _ in self)
