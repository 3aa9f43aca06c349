"""Reads the weights of a network as torch 1.5 and older saved them, without torch.

Such a file holds four pickles and then the numbers of each tensor. The pickles may name nothing but what tensors are
made of; anything else is refused before it is called.
Source of the format: `torch/serialization.py`, `_legacy_load`.
"""

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cleaning.errors import InvalidInput, foreign_reason
from evaluation.files.pickles import BROKEN, Unpickler

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_TYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


@dataclass(frozen=True)
class _Numbers:
    """The numbers of a tensor, which follow the pickles."""

    key: str
    type: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    numbers: _Numbers
    start: int
    shape: tuple[int, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True)
class _Type:
    name: str


def read_state_dict(content: bytes, name: str) -> dict[str, NDArray[Any]]:
    """The tensors of a file by their names. Raises InvalidInput, with the name of the file, for anything else.

    Nothing in the file can run code, but a pickle can ask for any amount of memory, so compare the hash of a file with
    the one it should have before it comes here.
    """
    try:
        return _read(io.BytesIO(content))
    except BROKEN as error:
        raise InvalidInput(
            name, f"it does not hold the weights of a network ({foreign_reason(error)})", "get the file again"
        ) from error


def _read(file: io.BytesIO) -> dict[str, NDArray[Any]]:
    if _unpickled(file) != _MAGIC or _unpickled(file) != _PROTOCOL or _unpickled(file)["little_endian"] is not True:
        raise ValueError("another format")
    tensors, keys = dict(_unpickled(file)), list(_unpickled(file))
    kinds = {tensor.numbers.key: tensor.numbers for tensor in tensors.values()}
    stored = {key: _stored(file, kinds[key]) for key in keys}
    return {str(name): _array(tensor, stored[tensor.numbers.key]) for name, tensor in tensors.items()}


def _unpickled(file: io.BytesIO) -> Any:
    return _Unpickler(file, _ALLOWED).load()


def _stored(file: io.BytesIO, numbers: _Numbers) -> NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    if count != numbers.count:
        raise ValueError("a tensor has another length than it says")
    kind = np.dtype(numbers.type)
    content = file.getbuffer()[file.tell() : file.tell() + count * kind.itemsize]
    file.seek(len(content), io.SEEK_CUR)
    return np.frombuffer(content, kind, count)


def _array(tensor: _Tensor, stored: NDArray[Any]) -> NDArray[Any]:
    last = tensor.start + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.steps, strict=True))
    if min(tensor.start, *tensor.shape, *tensor.steps, 0) < 0 or last >= len(stored):
        raise ValueError("a tensor reaches beyond its numbers")
    steps = [step * stored.itemsize for step in tensor.steps]
    return np.lib.stride_tricks.as_strided(stored[tensor.start :], tensor.shape, steps, writeable=False)


class _Unpickler(Unpickler):
    def persistent_load(self, pid: Any) -> _Numbers:
        kind, storage, key, _place, count, view = pid
        if kind != "storage" or not isinstance(storage, _Type) or view is not None:
            raise pickle.UnpicklingError("a tensor is stored in another way")
        return _Numbers(str(key), storage.name, int(count))


def _tensor(numbers: Any, start: int, shape: tuple[int, ...], steps: tuple[int, ...], *_rest: object) -> _Tensor:
    """Stands for torch's `_rebuild_tensor_v2`."""
    if not isinstance(numbers, _Numbers):
        raise pickle.UnpicklingError("a tensor is stored in another way")
    return _Tensor(numbers, int(start), tuple(map(int, shape)), tuple(map(int, steps)))


_ALLOWED: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    **{("torch", name): _Type(kind) for name, kind in _TYPES.items()},
}
