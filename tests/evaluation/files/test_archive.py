import io
import tarfile
import zipfile

import pytest

from cleaning import InvalidInput
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


def test_other_files_are_no_archives(tmp_path):
    (tmp_path / "a.zip").write_text("hello")
    with pytest.raises(InvalidInput, match="not a readable zip or tar archive"):
        unpack(tmp_path / "a.zip", into(tmp_path / "out"))
