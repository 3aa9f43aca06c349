"""Pickles of arrays, read without running anything in them."""

import io
import os
import pickle

import numpy as np
import pytest

from evaluation.files.pickles import ARRAYS, Array, Unpickler


def read(value, protocol=2):
    return Unpickler(io.BytesIO(pickle.dumps(value, protocol)), ARRAYS).load()


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int64).reshape(2, 3),
        np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)),
        np.array([1.5, -2], dtype=">f4"),
        np.array(7, dtype=np.int16),
    ],
)
def test_arrays_are_read_as_numpy_wrote_them(array, protocol):
    (found,) = read([array], protocol)
    assert isinstance(found, Array)
    assert np.array_equal(found.numbers(), array)
    assert found.numbers().shape == array.shape


class Runs:
    """Runs a command when it is unpickled by anything less careful."""

    def __reduce__(self):
        return os.mkdir, ("made",)


def test_a_name_that_is_not_allowed_is_refused_before_it_is_called(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError, match=r"it names \w+\.mkdir, which is not part of such a file"):
        read({"a": np.arange(3), "b": Runs()})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.array(["a", "b"]), "which are not numbers"),
        (np.array([1 + 2j]), "which are not numbers"),
        (np.array([None]), "stored in another way"),
        (np.zeros(2, dtype=[("a", np.int32)]), "which are not numbers"),
    ],
)
def test_arrays_of_anything_but_numbers_are_refused(array, problem):
    with pytest.raises(ValueError, match=problem):
        read(array).numbers()


def test_an_array_without_a_content_is_refused():
    with pytest.raises(ValueError, match="not enough values"):
        Array().numbers()
