"""Writes a network as an ONNX file: the few parts of the format that a feed-forward network of pictures needs.

Each part is a message of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; the numbers are those of its fields.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_IR_VERSION = 8
_OPSET = 13
_FLOAT = 1
_INTEGER, _INTEGERS = 2, 7


def model(
    nodes: Iterable[bytes], weights: Iterable[bytes], ends: tuple[bytes, bytes], metadata: Mapping[str, str]
) -> bytes:
    """The file of a network with one input and one output, `ends`. metadata: what its users should know."""
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "network")
    graph += b"".join(_field(5, one) for one in weights) + _field(11, ends[0]) + _field(12, ends[1])
    known = b"".join(_field(14, _field(1, key) + _field(2, value)) for key, value in metadata.items())
    opset = _field(8, _field(1, "") + _field(2, _OPSET))
    return _field(1, _IR_VERSION) + _field(2, "fixfirst") + _field(7, graph) + opset + known


def node(kind: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> bytes:
    """An operation with its inputs, its one output and its attributes."""
    content = b"".join(_field(1, name) for name in inputs) + _field(2, output) + _field(4, kind)
    return content + b"".join(_field(5, _attribute(name, value)) for name, value in attributes.items())


def tensor(name: str, values: NDArray[np.float32]) -> bytes:
    """An array of weights."""
    sizes = b"".join(_field(1, size) for size in values.shape)
    return sizes + _field(2, _FLOAT) + _field(8, name) + _field(9, values.astype("<f4").tobytes())


def end(name: str, shape: Sequence[int | str]) -> bytes:
    """An input or output of float32; a size with a name is open."""
    sizes = b"".join(_field(1, _field(2 if isinstance(size, str) else 1, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, _FLOAT) + _field(2, sizes)))


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return _field(1, name) + _field(3, value) + _field(20, _INTEGER)
    return _field(1, name) + b"".join(_field(8, one) for one in value) + _field(20, _INTEGERS)


def _field(number: int, content: int | str | bytes) -> bytes:
    """A field of a message: its number and type, then a number, or the length and the bytes."""
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    content = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    """A number that is not negative, seven bits per byte, the lowest first."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
