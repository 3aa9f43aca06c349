"""Files that are written whole or not at all, and file-system errors in plain words."""

import codecs
import errno
import fcntl
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

from cleaning.errors import FixfirstError, InvalidInput, Place, foreign_reason, printable
from evaluation.files.names import not_hidden

_FIX = {
    errno.ENOSPC: "free some disk space, then try again",
    errno.EDQUOT: "free some of your quota, then try again",
    errno.EFBIG: "raise the file size limit (ulimit -f) and run the same command again",
    errno.EACCES: "give yourself write permission there, or name another folder",
    errno.EPERM: "give yourself write permission there, or name another folder",
    errno.EROFS: "name a folder on a writable file system",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "name another folder, because part of the path is a file",
    errno.EEXIST: "name another folder, because this is a file",
    errno.EISDIR: "move the folder that is in the file's place",
}


@contextmanager
def plain_errors(path: Path, doing: str) -> Iterator[None]:
    """Turns an OSError inside the block into a FixfirstError that names the path, the reason and the fix."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or foreign_reason(error)
        fix = _FIX.get(error.errno or 0, "see the reason given")
        raise FixfirstError(
            f"{printable(str(path))}: cannot {doing} ({reason}). Nothing already written has changed. Fix: {fix}."
        ) from error


def make_folder(path: Path) -> Path:
    """Creates the folder and its parents if they are missing, and returns the path."""
    with plain_errors(path, "create the folder"):
        path.mkdir(parents=True, exist_ok=True)
    return path


def write_whole(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Writes a temporary file in the same folder, syncs it and renames it: readers see the old file or the new one.

    content: the bytes, whole or in pieces that are generated while writing.

    Raises FixfirstError on failure (full disk, no permission); the old file is then unchanged.
    """
    make_folder(path.parent)
    with plain_errors(path, "write the file"):
        handle, name = _temporary(path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines([content] if isinstance(content, bytes) else content)
                file.flush()
                os.fsync(file.fileno())
                Path(name).chmod(0o666 & ~_umask())
                Path(name).replace(path)  # while it is locked
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A temporary path in the same folder for the block to write; it takes the place of `path` if the block succeeds.

    For writers that need a path. Raises FixfirstError as `write_whole` does; the old file is then unchanged.
    """
    make_folder(path.parent)
    with plain_errors(path, "write the file"):
        handle, name = _temporary(path)
        try:
            yield Path(name)
            os.fsync(handle)
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
        finally:
            os.close(handle)


def _temporary(path: Path) -> tuple[int, str]:
    """A new file beside the path, locked as long as it is open, so that nobody takes it for the leftover of a run."""
    while True:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", suffix=".tmp", dir=path.parent)
        fcntl.flock(handle, fcntl.LOCK_EX)
        if os.fstat(handle).st_nlink:
            return handle, name
        os.close(handle)  # removed as a leftover before it was locked


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text whole or not at all."""
    write_whole(path, text.encode())


def append_line(path: Path, line: str) -> None:
    """Appends one line. If that fails, for example on a full disk, the file is left as it was."""
    make_folder(path.parent)
    with plain_errors(path, "append to the file"), path.open("ab", buffering=0) as file:
        append(file, line.encode() + b"\n")


def append(file: Any, content: bytes) -> None:
    """Appends to an open file without a buffer, and waits until all is on the disk.

    If that fails, the file is left as it was.
    """
    start = file.seek(0, os.SEEK_END)
    try:
        left = memoryview(content)
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except BaseException:
        with suppress(OSError):
            file.truncate(start)
        raise


def whole_lines(path: Path, start: int) -> bytes:
    """The lines of a file from byte `start` on, without a half-written last one; empty if there is no such file."""
    if not path.exists():
        return b""
    with plain_errors(path, "read the file"), path.open("rb") as file:
        file.seek(start)
        content = file.read()
    return content[: content.rfind(b"\n") + 1]


def drop_half_line(path: Path) -> None:
    """Removes an unterminated last line, which a killed run left."""
    if not path.exists() or not path.stat().st_size:
        return
    with plain_errors(path, "repair the last line"), path.open("r+b") as file:
        file.seek(-1, 2)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)


def open_file(path: Path, limit: int | None = None, *, follow: bool = True) -> BufferedReader:
    """Opens a file to read its bytes: the one door for files that somebody else may have made.

    Raises InvalidInput for anything but a regular file, which could block or never end, for more than `limit` bytes,
    and for a link unless `follow`; FixfirstError if it cannot be opened.
    """
    if not follow and path.is_symlink():
        raise InvalidInput(path, "this is a link", "give the file itself")
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    with plain_errors(path, "read the file"):
        file = os.fdopen(os.open(path, flags), "rb")
    found = os.fstat(file.fileno())
    problem = ""
    if not stat.S_ISREG(found.st_mode):
        problem = "this is not a regular file"
    elif limit is not None and found.st_size > limit:
        problem = f"{found.st_size} bytes, more than the {limit} such a file can need"
    if problem:
        file.close()
        raise InvalidInput(path, problem, "check the file")
    return file


def copy_in(source: Path, target: Path, limit: int) -> None:
    """Copies a file that somebody else made to a new, read-only file, and syncs it.

    Raises as `open_file` does, for a link too, and for a file that grows beyond `limit` bytes meanwhile.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with (
        open_file(source, limit, follow=False) as file,
        plain_errors(target, "write the file"),
        os.fdopen(os.open(target, flags, 0o444), "wb") as copy,
    ):
        while block := file.read(1 << 20):
            if copy.tell() + len(block) > limit:
                raise InvalidInput(source, "it grows while it is read", "finish writing it first")
            copy.write(block)
        copy.flush()
        os.fsync(copy.fileno())


def refuse_read_only(folder: Path) -> None:
    """Raises FixfirstError unless files can be written to the folder, so that no work is done in vain."""
    with plain_errors(folder, "write to the folder"):
        if not os.access(folder, os.W_OK | os.X_OK):
            read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
            code = errno.EROFS if read_only else errno.EACCES
            raise OSError(code, os.strerror(code))


def sync_folder(folder: Path) -> None:
    """Makes the names in the folder durable: after it, a file renamed to there survives a power failure."""
    with plain_errors(folder, "sync the folder"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def limit_by(truth: Path) -> int:
    """The most bytes of an answer to this truth, written as text, with room for any layout and number of digits."""
    with plain_errors(truth, "look at the file"):
        return 10_000_000 + 30 * truth.stat().st_size


def read_bytes(path: Path, limit: int | None = None) -> bytes:
    """The content of a file. Raises as `open_file` does."""
    with open_file(path, limit) as file, plain_errors(path, "read the file"):
        return file.read()


def read_text(path: Path, limit: int | None = None) -> str:
    """The UTF-8 text of a file, with any byte-order mark removed and all line ends converted to newlines."""
    content = read_bytes(path, limit)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        is_table = path.suffix.lower() in (".csv", ".tsv", ".txt")
        fix = "save it as plain UTF-8 text" + (" (spreadsheets call it CSV UTF-8)" if is_table else "")
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise InvalidInput(path, "this is UTF-16 text, not UTF-8", fix) from error
        place = Place(path, line=content.count(b"\n", 0, error.start) + 1)
        raise InvalidInput(place, f"byte {error.start} is not UTF-8 text", fix) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def refuse_odd_entry(path: Path, folder: Path) -> None:
    """Raises InvalidInput for anything but a file in the folder: a folder, a pipe, a broken link, a link out of it."""
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise InvalidInput(path, f"this is a link to outside {folder}", "put the file itself there")
    if not path.is_file():
        what = "a folder" if path.is_dir() else "a broken link" if path.is_symlink() else "not a regular file"
        raise InvalidInput(path, f"this is {what}", "replace it with a file, or remove it")


def sha256_bytes(content: bytes) -> str:
    """The hexadecimal sha256 of the content."""
    return hashlib.sha256(content).hexdigest()


def sha256_file(path: Path) -> str:
    """The hexadecimal sha256 of a file, read in blocks."""
    with open_file(path) as file, plain_errors(path, "read the file"):
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_tree(path: Path) -> str:
    """The sha256 of a file; for a folder, of the names and hashes of all files below it that are not hidden."""
    if not path.is_dir():
        return sha256_file(path)
    files = not_hidden((file for file in path.rglob("*") if file.is_file()), path)
    return sha256_bytes(repr([(file.relative_to(path).as_posix(), sha256_file(file)) for file in files]).encode())


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
