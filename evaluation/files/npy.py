"""Arrays saved by numpy.save, memory-mapped rather than read. Pickles are never loaded."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.errors import FixfirstError, InvalidInput
from evaluation.files.whole import plain_errors


def read_npy(path: Path) -> NDArray[Any]:
    """The array, memory-mapped and read-only. Raises InvalidInput for any other file, and for object arrays."""
    try:
        with plain_errors(path, "read the file"):
            return np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except FixfirstError:
        raise
    except Exception as error:  # numpy's header parser raises what Python's tokenizer and parser raise
        reason = "it holds pickled objects, which are never loaded" if "pickle" in str(error) else error
        raise InvalidInput(
            path, f"this is not an .npy file of numbers ({reason})", "save it with numpy.save"
        ) from error
