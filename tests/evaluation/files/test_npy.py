import io
import os
import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import InvalidInput
from evaluation.files.npy import read_npy


def saved(array, **options):
    content = io.BytesIO()
    np.save(content, array, **options)
    return content.getvalue()


def header(text):
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def test_an_array_is_mapped(tmp_path):
    (tmp_path / "a.npy").write_bytes(saved(np.arange(6.0).reshape(2, 3)))
    assert isinstance(read_npy(tmp_path / "a.npy"), np.memmap)
    assert read_npy(tmp_path / "a.npy").tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        b"PK\x05\x06" + b"\0" * 18,
        b"\x93NUMPY",
        b"\x93NUMPY\x09\x00",
        header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,"),
        header(b"{'descr': [('a', 'O')], 'fortran_order': False, 'shape': (1,), }\n"),
        header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999,), }\n"),
        header(b"{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }\n"),
        header(b"-" * 9000 + b"1"),
        header(b"{[]: 1}"),
        header(b"{'descr': '<f,', 'fortran_order': False, 'shape': (0,), }\n"),
        saved(np.array(["a", "b"])),
        header(b"{'descr': 3, 'fortran_order': False, 'shape': (1,), }\n"),
        saved(np.array([{}, None], dtype=object), allow_pickle=True),
    ],
)
def test_anything_else_is_refused(tmp_path, content):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"a\.npy: this is not an \.npy file of numbers"):
        read_npy(tmp_path / "a.npy")


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.npy")
    with pytest.raises(InvalidInput, match="not a regular file"):
        read_npy(tmp_path / "a.npy")


@given(st.data())
def test_a_damaged_file_is_read_or_refused(tmp_path_factory, data):
    content = bytearray(saved(np.arange(4.0)))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "a.npy"
    path.write_bytes(content)
    with suppress(InvalidInput):
        assert read_npy(path).nbytes <= len(content)
