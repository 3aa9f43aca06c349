"""Arrays of an untrusted npz: pickles are never loaded, and no more memory is allocated than the file's content needs.

The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from cleaning.errors import FixfirstError, InvalidInput, foreign_reason
from evaluation.files.whole import open_file

_OVERHEAD = 100_000
"""How many bytes the file itself may have beyond those it unpacks to."""
_HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


def read_npz(path: Path, names: Sequence[str], limit: int, what: str, fix: str) -> dict[str, NDArray[Any]]:
    """The arrays with these names. what: what the npz should contain, for the error.

    Raises InvalidInput for a file that unpacks to more than `limit` bytes, and for any file that is not such an npz.
    """
    file = open_file(path, limit + _OVERHEAD)
    try:
        with file, zipfile.ZipFile(file) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size <= limit:
                for name in names:
                    _header(archive, f"{name}.npy")
                return {name: _array(archive, f"{name}.npy") for name in names}
    except Exception as error:  # zipfile, its decompressors and numpy's header parser raise a dozen types
        reason = foreign_reason(error)
        raise InvalidInput(path, f"this is not an npz of {what} ({reason})", fix) from None
    problem = f"it unpacks to {size} bytes, more than the {limit} such a file can need"
    raise InvalidInput(path, problem, "check the file")


def npz_headers(path: Path, fix: str) -> dict[str, tuple[tuple[int, ...], np.dtype[Any]]]:
    """The shape and the type of every array, without reading any. Raises InvalidInput for a file that is not an npz."""
    try:
        with open_file(path) as file, zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            return {name.removesuffix(".npy"): _header(archive, name) for name in names}
    except FixfirstError:
        raise
    except Exception as error:  # see read_npz
        raise InvalidInput(path, f"this is not an npz ({foreign_reason(error)})", fix) from None


def _header(archive: zipfile.ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and the type. Raises ValueError for an array that is larger than what is stored of it, before memory
    is allocated for it.
    """
    size = archive.getinfo(name).file_size
    with archive.open(name) as member:
        version = npy.read_magic(member)
        if version not in _HEADERS:
            raise ValueError(f"{name} has format version {version}")
        shape, _, dtype = _HEADERS[version](member)
    declared = math.prod(shape) * dtype.itemsize
    if declared > size and not dtype.hasobject:
        raise ValueError(f"{name} declares {declared} bytes but holds {size}")
    return shape, dtype


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as member:
        found: NDArray[Any] = npy.read_array(member, allow_pickle=False)
    return found
