"""Pickles that may name nothing but what they are known to need, so that nothing in them can run code.

A pickle can still ask for any amount of memory: compare the hash of a file with the one it should have before it comes
here.
"""

import pickle
import struct
from collections.abc import Mapping
from math import prod
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

BROKEN = (
    pickle.UnpicklingError,
    EOFError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    MemoryError,
    RecursionError,
    struct.error,
)
"""What a damaged pickle raises."""


class Unpickler(pickle.Unpickler):
    """Reads pickles that name only what is `allowed`, by module and name.

    encoding: what text of Python 2 becomes, as in the standard library.
    """

    def __init__(self, file: IO[bytes], allowed: Mapping[tuple[str, str], Any], *, encoding: str = "ASCII") -> None:
        super().__init__(file, encoding=encoding)
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        """What stands for the name. Raises UnpicklingError for a name that is not allowed, before it is imported."""
        if (module, name) not in self._allowed:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is not part of such a file")
        return self._allowed[module, name]


class _Kind:
    """Stands for numpy's dtype."""

    def __init__(self, code: Any, *_options: object) -> None:
        self._code, self._order = code.decode() if isinstance(code, bytes) else str(code), "|"

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        self._order = order.decode() if isinstance(order, bytes) else str(order)

    def dtype(self) -> np.dtype[Any]:
        """The type of numbers. Raises ValueError for anything else."""
        found = np.dtype(self._order.replace("|", "") + self._code)
        if found.kind not in "iuf" or found.shape:
            raise ValueError(f"an array holds {found}, which are not numbers")
        return found


class Array:
    """Stands for a numpy array in a pickle; `numbers` makes one of it."""

    def __init__(self) -> None:
        self._state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._state = state

    def numbers(self) -> NDArray[Any]:
        """The array. Raises ValueError if its content does not fit its shape."""
        _version, shape, kind, by_column, content = self._state
        if not isinstance(kind, _Kind) or not isinstance(content, bytes):
            raise ValueError("an array is stored in another way")
        numbers = np.frombuffer(content, kind.dtype())
        if min(shape, default=0) < 0 or prod(shape) != len(numbers):
            raise ValueError("an array has another shape than it says")
        return numbers.reshape(shape, order="F" if by_column else "C")


def _empty_array(*_arguments: object) -> Array:
    return Array()


def _content(text: Any, encoding: Any) -> bytes:
    if encoding not in ("latin1", b"latin1"):
        raise ValueError("bytes are stored in another way")
    return bytes(str(text).encode("latin1"))


ARRAYS: Mapping[tuple[str, str], Any] = {
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): _Kind,
    ("numpy.core.multiarray", "_reconstruct"): _empty_array,
    ("numpy._core.multiarray", "_reconstruct"): _empty_array,
    ("_codecs", "encode"): _content,
}
"""What numpy arrays of numbers are made of."""
