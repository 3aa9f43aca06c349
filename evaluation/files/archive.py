"""Unpacking zip and tar archives that are not trusted."""

import bz2
import gzip
import lzma
import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

from cleaning.errors import FixfirstError, InvalidInput, foreign_reason
from evaluation.files.whole import make_folder, open_file, plain_errors

LARGEST = 8 * 1024**3
"""The most bytes an archive may unpack to."""

RATIO = 100
"""How many times its own size an archive may unpack to, beyond the first 64 MiB; data compress less."""

MOST_MEMBERS = 100_000
SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")

_FREE = 64 * 1024**2
_LARGEST_READ = 16 * 1024**2
_COMPRESSED: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}


class _Member(NamedTuple):
    name: str
    size: int
    is_link: bool
    is_file: bool
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, place: Callable[[str], Path | None], limit: int = LARGEST) -> list[Path]:
    """Unpacks the members for which `place` returns a path, and returns those paths.

    Checks every member first: an absolute name, a `..`, a link, a device, a total of more than `limit` bytes or of far
    more than the archive's own size, or too many members reject the whole archive (InvalidInput) before anything is
    written, and before anything beyond the limit is decompressed. Counts the bytes again while unpacking.
    """
    written: list[Path] = []
    with _opened(archive, limit) as (members, left):
        for member in members:
            target = place(member.name) if member.is_file else None
            if target is None:
                continue
            make_folder(target.parent)
            with plain_errors(target, "unpack the file"), member.open() as source, target.open("wb") as file:
                shutil.copyfileobj(_Limited(source, left, archive), file)
                left -= file.tell()
            written.append(target)
    return written


class _Limited:
    """A source that raises InvalidInput beyond the limit, whatever size the archive's headers claim."""

    def __init__(self, source: IO[bytes], limit: int, archive: Path) -> None:
        self._source, self._left, self._archive = source, limit, archive

    def read(self, size: int = -1) -> bytes:
        block = self._source.read(size)
        self._left -= len(block)
        if self._left < 0:
            raise InvalidInput(self._archive, "it unpacks to more bytes than it declares", "do not use this archive")
        return block


class _Stream:
    """The decompressed bytes of a tar archive. Raises InvalidInput before it decompresses more than the limit, and for
    a header that wants to be read into memory whole and is too large for that.
    """

    def __init__(self, source: IO[bytes], limit: int, archive: Path) -> None:
        self._source, self._limit, self._archive = source, limit, archive
        self.tell = source.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= _LARGEST_READ:
            raise InvalidInput(self._archive, f"a header has {size} bytes", "do not use this archive")
        return self._source.read(size)

    def seek(self, place: int) -> int:
        if place > self._limit:
            raise _too_large(self._archive, place, self._limit)
        return self._source.seek(place)


def _checked(archive: Path, members: Iterable[_Member], limit: int) -> list[_Member]:
    checked: list[_Member] = []
    total = 0
    for member in members:
        path = PurePosixPath(member.name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", member.name):
            raise InvalidInput(
                archive, f"the member {member.name!r} points outside the folder", "do not use this archive"
            )
        if member.is_link:
            raise InvalidInput(archive, f"the member {member.name!r} is a link or a device", "do not use this archive")
        total += member.size
        if total > limit:
            raise _too_large(archive, total, limit)
        checked.append(member)
        if len(checked) > MOST_MEMBERS:
            raise InvalidInput(archive, f"it has more than {MOST_MEMBERS} members", "check the source")
    return checked


def _too_large(archive: Path, total: int, limit: int) -> InvalidInput:
    return InvalidInput(archive, f"it unpacks to {total} bytes, more than the {limit} allowed", "check the source")


@contextmanager
def _opened(archive: Path, limit: int) -> Iterator[tuple[list[_Member], int]]:
    """The checked members, and how many bytes they may have together."""
    try:
        with plain_errors(archive, "read the archive"), open_file(archive) as file:
            most = min(limit, _FREE + RATIO * archive.stat().st_size)
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as zipped:
                    yield _checked(archive, (_of_zip(zipped, info) for info in zipped.infolist()), most), most
            else:
                file.seek(0)
                stream = _Stream(_decompressed(file), most + 4 * _FREE, archive)
                # mode r: without guessing, because only the stream knows the limit
                with tarfile.open(fileobj=stream, mode="r:") as tarred:  # type: ignore[call-overload]
                    yield _checked(archive, (_of_tar(tarred, info) for info in tarred), most), most
    except FixfirstError:
        raise
    except Exception as error:  # the decompressors and header parsers raise a dozen types
        raise InvalidInput(
            archive, f"this is not a readable zip or tar archive ({foreign_reason(error)})", "download it again"
        ) from error


def _decompressed(file: IO[bytes]) -> IO[bytes]:
    start = file.read(6)
    file.seek(0)
    found = [opened for magic, opened in _COMPRESSED.items() if start.startswith(magic)]
    opened: IO[bytes] = found[0](file) if found else file
    return opened


def _of_zip(file: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    kind = (info.external_attr >> 16) & 0o170000
    regular = kind in (0, 0o100000)
    return _Member(
        info.filename,
        info.file_size,
        not regular and kind != 0o040000,
        not info.is_dir() and regular,
        lambda: file.open(info),
    )


def _of_tar(file: tarfile.TarFile, info: tarfile.TarInfo) -> _Member:
    def opened() -> IO[bytes]:
        content = file.extractfile(info)
        if content is None:  # pragma: no cover - only regular files are opened
            raise AssertionError
        return content

    return _Member(info.name, info.size, not (info.isreg() or info.isdir()), info.isreg(), opened)
