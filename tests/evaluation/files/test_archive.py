import gzip
import io
import os
import tarfile
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cleaning.errors import FixfirstError, InvalidInput
from evaluation.files import archive as archive_module
from evaluation.files.archive import unpack


def make_zip(path, members, links=()):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        for name in links:
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o120777 << 16
            archive.writestr(info, "/etc/passwd")
    return path


def make_tar(path, members, links=()):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
    return path


@pytest.fixture(params=[make_zip, make_tar])
def make(request):
    return request.param


def into(folder):
    return lambda name: folder / name if name.endswith(".csv") else None


def test_wanted_members_are_unpacked(tmp_path, make):
    archive = make(tmp_path / "a", {"top/x.csv": b"1", "top/readme": b"2"})
    written = unpack(archive, into(tmp_path / "out"))
    assert written == [tmp_path / "out" / "top" / "x.csv"]
    assert written[0].read_bytes() == b"1"


@pytest.mark.parametrize("name", ["../x.csv", "/x.csv", "a/../../x.csv", "C:/x.csv", "a\\..\\..\\x.csv"])
def test_a_path_that_leads_out_refuses_the_archive_before_anything_is_written(tmp_path, make, name):
    archive = make(tmp_path / "a", {"fine.csv": b"1", name: b"2"})
    with pytest.raises(InvalidInput, match="points outside the folder"):
        unpack(archive, into(tmp_path / "out"))
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_links_and_sizes_refuse_the_archive(tmp_path, make):
    with pytest.raises(InvalidInput, match=r"'x\.csv' is a link"):
        unpack(make(tmp_path / "a", {}, links=["x.csv"]), into(tmp_path / "out"))
    with pytest.raises(InvalidInput, match="unpacks to 100 bytes, more than the 99"):
        unpack(make(tmp_path / "b", {"x.csv": b"0" * 100}), into(tmp_path / "out"), limit=99)


def test_a_header_that_lies_about_the_size_is_caught(tmp_path):
    archive = make_zip(tmp_path / "a.zip", {"x.csv": b"0" * 5000})
    content = bytearray(archive.read_bytes())
    real = (5000).to_bytes(4, "little")
    for _ in range(2):
        place = content.find(real)
        content[place : place + 4] = (10).to_bytes(4, "little")
    archive.write_bytes(bytes(content))
    with pytest.raises(InvalidInput):
        unpack(archive, into(tmp_path / "out"), limit=100)


def claims(path, size, members=1):
    """A small tar.gz whose headers claim a size and that ends where its data should start."""
    content = b"".join(tarfile.TarInfo(f"{n}.csv").tobuf() for n in range(members - 1))
    last = tarfile.TarInfo("last.csv")
    last.size = size
    path.write_bytes(gzip.compress(content + last.tobuf()))
    return path


def test_what_a_header_claims_is_refused_before_anything_is_decompressed(tmp_path, monkeypatch):
    monkeypatch.setattr(archive_module, "RATIO", 10**9)
    with pytest.raises(InvalidInput, match="unpacks to 8589934593 bytes, more than the 8589934592"):
        unpack(claims(tmp_path / "a", 8 * 1024**3 + 1), into(tmp_path / "out"))


def test_an_archive_unpacks_to_a_sane_multiple_of_its_size(tmp_path, make, monkeypatch):
    monkeypatch.setattr(archive_module, "_FREE", 1000)
    archive = make(tmp_path / "a", {"x.csv": b"0" * 5_000_000})
    with pytest.raises(InvalidInput, match="unpacks to 5000000 bytes, more than the"):
        unpack(archive, into(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_the_number_of_members_is_limited(tmp_path, make, monkeypatch):
    monkeypatch.setattr(archive_module, "MOST_MEMBERS", 10)
    with pytest.raises(InvalidInput, match="more than 10 members"):
        unpack(make(tmp_path / "a", {f"{n}.csv": b"" for n in range(11)}), into(tmp_path / "out"))
    assert len(unpack(make(tmp_path / "b", {f"{n}.csv": b"" for n in range(10)}), into(tmp_path / "out"))) == 10


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_fills_the_memory_is_not_read(tmp_path, kind):
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 40_000_000
    (tmp_path / "a").write_bytes(gzip.compress(info.tobuf() + bytes(50_000_000)))
    with pytest.raises(InvalidInput, match="a header has 40000000 bytes"):
        unpack(tmp_path / "a", into(tmp_path / "out"))


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_every_compression_is_unpacked(tmp_path, mode):
    with tarfile.open(tmp_path / "a", mode) as archive:
        for name in ("x.csv", "y.csv"):
            info = tarfile.TarInfo(name)
            info.size = 70_000
            archive.addfile(info, io.BytesIO(name.encode() * 14_000))
    written = unpack(tmp_path / "a", into(tmp_path / "out"))
    assert [path.read_bytes()[:5] for path in written] == [b"x.csv", b"y.csv"]


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "a.zip")
    with pytest.raises(InvalidInput, match="not a regular file"):
        unpack(tmp_path / "a.zip", into(tmp_path / "out"))


@given(st.sampled_from(["zip", "w", "w:gz", "w:bz2", "w:xz"]), st.data())
def test_a_damaged_archive_is_unpacked_or_refused(tmp_path_factory, mode, data):
    folder = tmp_path_factory.getbasetemp()
    path = folder / "damaged"
    if mode == "zip":
        make_zip(path, {"x.csv": b"1" * 50})
    else:
        with tarfile.open(path, mode) as archive:
            archive.addfile(tarfile.TarInfo("x.csv"))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(FixfirstError):
        unpack(path, into(folder / "out"))


def test_other_files_are_no_archives(tmp_path):
    (tmp_path / "a.zip").write_text("hello")
    with pytest.raises(InvalidInput, match="not a readable zip or tar archive"):
        unpack(tmp_path / "a.zip", into(tmp_path / "out"))
