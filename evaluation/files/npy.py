"""Arrays saved by numpy.save, memory-mapped rather than read. Pickles are never loaded."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import MAGIC_PREFIX
from numpy.typing import NDArray

from cleaning.errors import InvalidInput, foreign_reason
from evaluation.files.whole import open_file

_NUMBERS, LABELS = "biufc", "biufcSUmM"
"""Kinds of dtypes: those of numbers, and those that labels may have."""


def read_npy(path: Path, kinds: str = _NUMBERS) -> NDArray[Any]:
    """The array, memory-mapped and read-only. Raises InvalidInput for any other file, and for arrays of other kinds."""
    with open_file(path) as file:
        magic = file.read(len(MAGIC_PREFIX))
    try:
        if magic != MAGIC_PREFIX:
            raise ValueError("it does not start as one")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: NDArray[Any] = np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False))
        if found.dtype.kind not in kinds:
            raise ValueError(f"it holds {found.dtype}")
        return found
    except Exception as error:  # numpy's header parser raises a dozen types
        reason, fix = foreign_reason(error), "save it with numpy.save"
        if "pickle" in reason or "Python objects" in reason:  # the second where the file is mapped
            reason = "it holds pickled objects, which are never loaded"
            fix = "save numbers" if kinds == _NUMBERS else "save numbers, or text as y.astype(str)"
        what = "numbers" if kinds == _NUMBERS else "labels"
        raise InvalidInput(path, f"this is not an .npy file of {what} ({reason})", fix) from error
