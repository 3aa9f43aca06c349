import io
import pickle
import struct
from collections import OrderedDict

import numpy as np
import pytest

from cleaning import InvalidInput
from evaluation.embedding.state_dict import _MAGIC, _PROTOCOL, read_state_dict


class Name:
    """Pickled as the name of something that need not exist here."""

    def __init__(self, module, name):
        self.path = module, name


class Call:
    def __init__(self, what, *arguments):
        self.what, self.arguments = what, arguments


class Stored:
    def __init__(self, *parts):
        self.parts = parts


class Writer(pickle._Pickler):
    """Writes what torch would write, without torch."""

    dispatch = {**pickle._Pickler.dispatch}  # noqa: RUF012 - as the class above it has one

    def persistent_id(self, value):
        return value.parts if isinstance(value, Stored) else None

    def save_name(self, value):
        self.write(pickle.GLOBAL + "\n".join((*value.path, "")).encode())

    def save_call(self, value):
        self.save(value.what)
        self.save(value.arguments)
        self.write(pickle.REDUCE)

    dispatch[Name] = save_name
    dispatch[Call] = save_call


FLOATS = Name("torch", "FloatStorage")


def tensor(key, count, start, shape, steps, storage=FLOATS):
    stored = Stored("storage", storage, key, "cpu", count, None)
    return Call(Name("torch._utils", "_rebuild_tensor_v2"), stored, start, shape, steps, False, OrderedDict())


def saved(tensors, keys, *storages, magic=_MAGIC, little=True):
    file = io.BytesIO()
    for part in (magic, _PROTOCOL, {"little_endian": little}, tensors, keys):
        Writer(file, 2).dump(part)
    for values in storages:
        file.write(struct.pack("<q", len(values)) + np.asarray(values).tobytes())
    return file.getvalue()


NUMBERS = np.arange(6, dtype=np.float32)


def test_tensors_are_read_whatever_their_strides():
    tensors = OrderedDict(a=tensor("1", 6, 0, (2, 3), (3, 1)), b=tensor("1", 6, 1, (2, 2), (1, 2)))
    tensors["n"] = tensor("2", 1, 0, (), (), Name("torch", "LongStorage"))
    found = read_state_dict(saved(tensors, ["1", "2"], NUMBERS, np.array([7], dtype=np.int64)), "w.pth")
    assert list(found) == ["a", "b", "n"]
    assert found["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found["b"].tolist() == [[1, 3], [2, 4]]
    assert found["n"] == 7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "w.pth: it does not hold the weights of a network"),
        (saved({"a": tensor("1", 6, 0, (6,), (1,))}, ["1"], NUMBERS, magic=3), "another format"),
        (saved({}, [], little=False), "another format"),
        (saved({"a": Call(Name("os", "system"), "true")}, []), r"it names os\.system"),
        (saved({"a": Call(Name("builtins", "eval"), "1")}, []), r"it names builtins\.eval"),
        (saved({"a": Name("torch", "nn")}, []), r"it names torch\.nn"),
        (saved({"a": Call(FLOATS, 3)}, []), "not callable"),
        (saved({"a": tensor("1", 6, 0, (7,), (1,))}, ["1"], NUMBERS), "beyond its numbers"),
        (saved({"a": tensor("1", 6, 2, (6,), (1,))}, ["1"], NUMBERS), "beyond its numbers"),
        (saved({"a": tensor("1", 6, -2, (6,), (1,))}, ["1"], NUMBERS), "beyond its numbers"),
        (saved({"a": tensor("1", 6, 5, (6,), (-1,))}, ["1"], NUMBERS), "beyond its numbers"),
        (saved({"a": tensor("1", 6, 0, (2,), (1, 1))}, ["1"], NUMBERS), "zip"),
        (saved({"a": tensor("1", 5, 0, (5,), (1,))}, ["1"], NUMBERS), "another length than it says"),
        (saved({"a": tensor("1", 6, 0, (6,), (1,))}, ["1"], NUMBERS)[:-1], "buffer"),
        (saved({"a": tensor("1", 6, 0, (6,), (1,))}, ["2"], NUMBERS), "'2'"),
        (saved({"a": Call(Name("torch._utils", "_rebuild_tensor_v2"), 1, 0, (), ())}, []), "in another way"),
        (saved({"a": tensor("1", 6, 0, (6,), (1,), storage="x")}, ["1"], NUMBERS), "in another way"),
        (saved({"a": 3}, []), "attribute"),
        (saved(3, []), "not iterable"),
    ],
)
def test_anything_but_tensors_is_refused_before_it_is_called(content, message):
    with pytest.raises(InvalidInput, match=message):
        read_state_dict(content, "w.pth")


def test_every_truncated_file_is_refused():
    whole = saved({"a": tensor("1", 6, 0, (2, 3), (3, 1))}, ["1"], NUMBERS)
    for length in range(len(whole)):
        with pytest.raises(InvalidInput, match="does not hold the weights"):
            read_state_dict(whole[:length], "w.pth")
