"""Arrays saved by numpy.save, mapped into memory rather than read; a pickle is never opened."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.errors import InvalidInput
from evaluation.files.whole import plain_errors


def read_npy(path: Path) -> NDArray[Any]:
    """The array, memory-mapped and read-only. Raises InvalidInput for any other file, and for arrays of objects."""
    try:
        with plain_errors(path, "read the file"):
            return np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (ValueError, EOFError) as error:
        told = "it holds pickled objects, which are never opened" if "pickle" in str(error) else error
        raise InvalidInput(path, f"this is not an .npy file of numbers ({told})", "save it with numpy.save") from error
