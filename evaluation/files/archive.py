"""Unpacking zip and tar archives that are not trusted."""

import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from cleaning.errors import InvalidInput
from evaluation.files.whole import make_folder, plain_errors

LARGEST = 8 * 1024**3
"""The most bytes an archive may unpack to."""

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")


class _Member(NamedTuple):
    name: str
    size: int
    is_link: bool
    is_file: bool
    open: Callable[[], IO[bytes]]


def unpack(archive: Path, place: Callable[[str], Path | None], limit: int = LARGEST) -> list[Path]:
    """Unpacks the members for which `place` returns a path, and returns those paths.

    Checks every member first: an absolute name, a `..`, a link, a device, or a total of more than `limit` bytes rejects
    the whole archive (InvalidInput) before anything is written. Counts the bytes again while unpacking.
    """
    written: list[Path] = []
    with _opened(archive) as members:
        _refuse_unsafe(archive, members, limit)
        left = limit
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


def _refuse_unsafe(archive: Path, members: list[_Member], limit: int) -> None:
    for member in members:
        path = PurePosixPath(member.name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", member.name):
            raise InvalidInput(
                archive, f"the member {member.name!r} points outside the folder", "do not use this archive"
            )
        if member.is_link:
            raise InvalidInput(archive, f"the member {member.name!r} is a link or a device", "do not use this archive")
    total = sum(member.size for member in members)
    if total > limit:
        raise InvalidInput(archive, f"it unpacks to {total} bytes, more than the {limit} allowed", "check the source")


@contextmanager
def _opened(archive: Path) -> Iterator[list[_Member]]:
    try:
        with plain_errors(archive, "read the archive"):
            if zipfile.is_zipfile(archive):
                with zipfile.ZipFile(archive) as file:
                    yield [_of_zip(file, info) for info in file.infolist()]
            else:
                with tarfile.open(archive) as file_:
                    yield [_of_tar(file_, info) for info in file_.getmembers()]
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise InvalidInput(
            archive, f"this is not a readable zip or tar archive ({error})", "download it again"
        ) from error


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
