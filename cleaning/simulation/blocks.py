"""Finished blocks of a long curve, saved so that a killed run can resume where it stopped."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path

import numpy as np

from cleaning.data import Split
from cleaning.errors import FixfirstError
from cleaning.simulation.label_path import LabelPath

_FORMAT = b"fixfirst block 2"
_CHECK_BYTES = 16


def block_names(learner: dict[str, object], path: LabelPath, test: Split, cuts: Sequence[tuple[int, int]]) -> list[str]:
    """A name per block of states start … stop - 1. It changes with anything that the block's accuracies depend on."""
    digest = hashlib.blake2b(_FORMAT, digest_size=16)
    digest.update(json.dumps(learner, sort_keys=True, default=str).encode())
    for array in (path.features, path.labels, path.rows, path.values, path.stops, test.features, test.labels):
        values = np.ascontiguousarray([] if array is None else array)
        digest.update(f"{values.dtype.str}{values.shape}".encode())
        digest.update(values.data)
    return [f"{start:08d}-{stop:08d}-{digest.hexdigest()}" for start, stop in cuts]


class BlockFolder(MutableMapping[str, bytes]):
    """A folder with one file per block, created by the first write. Files are written atomically.

    A file whose checksum does not match its content counts as missing. Raises FixfirstError if a block cannot be
    written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.block"

    def __getitem__(self, name: str) -> bytes:
        try:
            content = self._path(name).read_bytes()
        except OSError:
            raise KeyError(name) from None
        check, block = content[:_CHECK_BYTES], content[_CHECK_BYTES:]
        if check != _checksum(block):
            raise KeyError(name)
        return block

    def __setitem__(self, name: str, content: bytes) -> None:
        try:
            self._write(name, _checksum(content) + content)
        except OSError as error:
            raise FixfirstError(
                f"{self._path(name)}: a finished block of a curve cannot be saved ({error.strerror or error}). "
                "Fix: free disk space or get write permission there, then run the same command again."
            ) from error

    def _write(self, name: str, content: bytes) -> None:
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


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECK_BYTES).digest()
