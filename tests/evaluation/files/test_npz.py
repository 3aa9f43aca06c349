"""Files that only look like an npz: every one is an InvalidInput that names it."""

import io
import struct
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning import InvalidInput
from evaluation.files.npz import read_npz
from evaluation.submissions.ranked_lists import read_lists, write_npz

LIMIT = 1_000_000


def read(path):
    return read_npz(path, ["x"], LIMIT, "numbers", "write numbers")["x"]


def write(path, member, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("x.npy", member)
    return path


def header(text, version=(1, 0)):
    body = text.encode("latin-1") + b"\n"
    return b"\x93NUMPY" + bytes(version) + struct.pack("<H", len(body)) + body


def npy(array):
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_arrays_are_read_whatever_the_compression(tmp_path, compression):
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    assert np.array_equal(read(write(tmp_path / "a.npz", npy(array), compression)), array)


BROKEN = {
    "no array": b"hello",
    "no closing bracket": header("{'descr': '<i4', 'fortran_order': False, 'shape': (1,"),
    "an open string": header("{'descr': '''<i4"),
    "nested": header("-" * 9000 + "1"),
    "more than there is": header("{'descr': '<i8', 'fortran_order': False, 'shape': (100000000000,), }"),
    "beyond 64 bits": header(
        "{'descr': '<i4', 'fortran_order': False, 'shape': (2**9, 2**90), }".replace("2**90", "9" * 30)
    ),
    "a negative shape": header("{'descr': '<i4', 'fortran_order': False, 'shape': (-1,), }"),
    "an unknown type": header("{'descr': 'what', 'fortran_order': False, 'shape': (1,), }"),
    "an unknown version": header("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", (9, 0)),
    "a pickle": npy(np.array([{}, None], dtype=object)),
    "cut off": npy(np.arange(50))[:-1],
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.filterwarnings("default")
def test_a_member_that_is_no_array_is_named(tmp_path, kind):
    with pytest.raises(InvalidInput, match=r"a\.npz: this is not an npz of numbers \(.+\)\. Fix: write numbers"):
        read(write(tmp_path / "a.npz", BROKEN[kind]))


@pytest.mark.parametrize(("place", "value"), [("flags", 1), ("method", 99), ("version", 99)])
def test_an_encrypted_or_unknown_member_is_named(tmp_path, place, value):
    path = write(tmp_path / "a.npz", npy(np.arange(3)))
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\1\2")
    local, listed = {"flags": (6, 8), "method": (8, 10), "version": (4, 6)}[place]
    content[local] = content[central + listed] = value
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=r"a\.npz: this is not an npz of numbers"):
        read(path)


@given(st.data())
@pytest.mark.filterwarnings("default")
def test_flipped_bytes_never_end_in_another_error(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "flipped.npz"
    write(path, npy(np.arange(20, dtype=np.int32)), zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with suppress(InvalidInput):
        assert read(path).nbytes <= LIMIT


def test_names_that_no_text_can_hold_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    write_npz(path, ["q"], ["r"], np.zeros((1, 1), dtype=np.int32))
    with np.load(path) as file:
        parts = dict(file)
    parts["query_ids"] = np.frombuffer(b"\xff\xff\xff\x7f", dtype="<U1")
    np.savez(path, **parts)
    with pytest.raises(InvalidInput, match="query_ids: a name is not valid Unicode text"):
        read_lists(path, ["q"], ["r"], 10, lenient=False)
