"""Checks and unpacks a code archive inside a sandbox: `unpack.py ARCHIVE FOLDER BYTES [REPORT]`.

With REPORT, the problems found are written there, as a JSON list of [sentence, fix], and notes. The folder is one in
memory, and its size is the last limit; BYTES is what the files may have together.
"""

import json
import lzma
import os
import shutil
import stat
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, NamedTuple

SCRIPTS = ("setup.sh", "predict.sh")
MOST_MEMBERS = 50_000
_LONGEST = 100
_UNREADABLE = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(EOFError, NotImplementedError, RuntimeError, ValueError),
)


class Refusal(Exception):
    """What is wrong with an archive, and what to do about it."""


class Member(NamedTuple):
    """kind: file, folder, link or other. mode: its rights. target: where a link points."""

    name: str
    kind: str
    size: int
    mode: int
    target: str
    open: Callable[[], IO[bytes]]


def main(archive: str, folder: str, most: str, report: str = "") -> None:
    """Unpacks, and ends with status 1 if the archive is refused."""
    try:
        unpack(Path(archive), Path(folder), int(most))
        check_scripts(Path(folder))
    except Refusal as problem:
        if report:
            Path(report).write_text(json.dumps({"refused": list(problem.args), "notes": []}))
            return
        sys.exit(f"{problem.args[0]}. Fix: {problem.args[1]}.")
    if report:
        notes = [] if zipfile.is_zipfile(archive) else notes_on(Path(folder))
        Path(report).write_text(json.dumps({"refused": None, "notes": notes}))


def unpack(archive: Path, folder: Path, most: int) -> None:
    """Unpacks an archive of untrusted origin. Raises Refusal."""
    seen: dict[PurePosixPath, str] = {}
    try:
        for member in _members(archive):
            path = _checked(member, seen)
            most -= member.size
            if most < 0:
                raise Refusal("it unpacks to more than allowed", "leave out what is not needed")
            if path is not None:
                seen[path] = member.kind
                _write(member, folder / path)
    except OSError as error:
        raise Refusal(f"it cannot be unpacked ({error.strerror or error})", "leave out what is not needed") from None
    except _UNREADABLE as error:
        reason = str(error).partition(":")[0].partition("\n")[0]
        problem = f"it is not a zip or tar archive that can be read ({reason})"
        raise Refusal(problem, "pack a zip, tar or tar.gz") from None
    if not seen:
        raise Refusal("the archive is empty", f"pack {' and '.join(SCRIPTS)}")


def check_scripts(folder: Path) -> None:
    """Raises Refusal if one of the two scripts is not there or cannot run."""
    top = sorted(path.name for path in folder.iterdir())
    for name in SCRIPTS:
        path = folder / name
        if not path.is_file():
            raise Refusal(f"there is no {name} at the top of the archive", _advice(name, folder, top))
        if b"\r\n" in path.read_bytes()[:100_000]:
            raise Refusal(f"{name} has Windows line ends, which sh cannot read", "save it with line ends of Unix (LF)")


def notes_on(folder: Path) -> list[str]:
    """Sentences about what is unusual and does no harm. Zip archives often keep no rights."""
    plain = [name for name in SCRIPTS if not os.access(folder / name, os.X_OK)]
    return [f"{' and '.join(plain)} cannot be executed, which does no harm: sh runs them"] if plain else []


def _advice(name: str, folder: Path, top: list[str]) -> str:
    other = next((entry for entry in top if entry.lower() == name), None)
    if other is not None:
        return f"rename {other} to {name}"
    inside = next((entry for entry in top if (folder / entry / name).is_file()), None)
    if inside is None:
        return f"add {name}; answers are handed in file by file, not in an archive"
    return f"pack what is in the folder {inside!r}, without the folder itself"


def _checked(member: Member, seen: dict[PurePosixPath, str]) -> PurePosixPath | None:
    """Where the member goes, or None for the top folder. Raises Refusal."""
    path, shown = PurePosixPath(member.name), ascii(member.name[:_LONGEST])
    if path.is_absolute() or ".." in path.parts or "\0" in member.name:
        raise Refusal(f"the member {shown} points outside the archive", "pack with relative paths")
    if member.kind == "other":
        raise Refusal(f"the member {shown} is a device, a pipe or a hard link", "pack plain files")
    if member.kind == "link" and _leaves(path, member.target):
        raise Refusal(f"the link {shown} points outside the archive", "pack the file itself")
    if member.kind == "file" and member.mode & (stat.S_ISUID | stat.S_ISGID):
        raise Refusal(f"the member {shown} asks for the rights of another user (set-uid)", "take these rights away")
    if not path.parts:
        return None
    if path in seen and not member.kind == seen[path] == "folder":
        raise Refusal(f"the member {shown} is there twice", "keep one of them")
    above = next((other for other in path.parents if seen.get(other, "folder") != "folder"), None)
    if above is not None:
        raise Refusal(f"the member {str(above)[:_LONGEST]!a} is both a file and a folder", "rename one of them")
    if len(seen) >= MOST_MEMBERS:
        raise Refusal(f"it has more than {MOST_MEMBERS} members", "leave out what is not needed")
    return path


def _leaves(path: PurePosixPath, target: str) -> bool:
    depth = len(path.parts) - 1
    for part in PurePosixPath(target).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return target.startswith("/")


def _write(member: Member, path: Path) -> None:
    if member.kind == "folder":
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.kind == "link":
        path.symlink_to(member.target)
        return
    with member.open() as source, path.open("xb") as file:
        shutil.copyfileobj(source, file)
        if file.tell() != member.size:
            raise Refusal(f"the member {member.name[:_LONGEST]!a} is not as long as it says", "pack it again")
    path.chmod(0o755 if member.mode & 0o111 else 0o644)


def _members(archive: Path) -> Iterator[Member]:
    """The members one by one; those of a tar archive without a list of them first."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            yield from (_of_zip(zipped, info) for info in zipped.infolist())
    else:
        with tarfile.open(archive, "r:*") as tarred:
            yield from (_of_tar(tarred, info) for info in tarred)


def _of_zip(zipped: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    mode = info.external_attr >> 16
    kind, target = "folder" if info.is_dir() else "file", ""
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
        kind = "other"
    elif stat.S_ISLNK(mode):
        kind, target = "link", zipped.read(info)[:4096].decode(errors="replace")
    return Member(info.filename, kind, info.file_size, mode, target, lambda: zipped.open(info))


def _of_tar(tarred: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    kind = "file" if info.isreg() else "folder" if info.isdir() else "link" if info.issym() else "other"

    def opened() -> Any:
        return tarred.extractfile(info)

    return Member(info.name, kind, info.size if kind == "file" else 0, info.mode, info.linkname, opened)


if __name__ == "__main__":
    main(*sys.argv[1:])
