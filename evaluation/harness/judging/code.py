"""What is handed in to the closed division: a ranker, a code archive or a container image."""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cleaning.errors import InvalidInput
from evaluation.files.names import is_hidden
from evaluation.files.whole import plain_errors, sha256_bytes, sha256_file, sha256_tree
from evaluation.files.yaml import LocatedYaml
from evaluation.sandbox.room import room

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
IMAGE = "image:"
"""In front of the name of a container image."""

_RANKERS = ("rank.py", "__init__.py")
"""What makes a folder a ranker."""
_MIB = 1 << 20
_LONGEST = 100


@dataclass(frozen=True)
class Code:
    """An algorithm that was handed in.

    name: what its records are named after, if no team is given. path: our own copy of it, which nobody changes any
    more; None for an image. sha256: of this copy, or of the image. arguments: what the image is called with.
    """

    kind: Literal["ranker", "archive", "image"]
    name: str
    sha256: str
    path: Path | None = None
    image: str | None = None
    arguments: tuple[str, ...] = ()


def is_code(entry: str) -> bool:
    """Whether an argument names an algorithm, not a file of answers."""
    path = Path(entry)
    return entry.startswith(IMAGE) or path.is_dir() or path.name.lower().endswith((".py", *_ARCHIVES))


@contextmanager
def taken_in(entry: str, most_mb: int) -> Iterator[Code]:
    """The algorithm that an argument names, copied for the block.

    Raises InvalidInput for anything but a Python file, a folder, an archive or an image, for one of more than `most_mb`
    megabytes, and for a folder with links to outside.
    """
    if entry.startswith(IMAGE):
        yield _image(entry.removeprefix(IMAGE))
        return
    path = Path(entry)
    if (path / "mlcube.yaml").is_file():
        yield _cube(path / "mlcube.yaml")
        return
    suffix = next((end for end in _ARCHIVES if path.name.lower().endswith(end)), None)
    kind: Literal["ranker", "archive"] = "ranker" if suffix is None else "archive"
    if not os.path.lexists(path):
        raise InvalidInput(path, "there is no such file or folder", f"check the path; an image is named {IMAGE}NAME")
    if kind == "archive" or not path.is_dir():
        _refuse_odd_file(path, kind, most_mb)
    elif not any((path / name).is_file() for name in _RANKERS):
        problem = f"the folder has none of {', '.join(_RANKERS)} and mlcube.yaml"
        raise InvalidInput(path, problem, "add one; pack scripts as an archive, and hand in answers file by file")
    with room() as folder:
        target = folder / _safe(path.resolve().name)
        with plain_errors(path, "copy it"):
            if path.is_dir():
                _copy_folder(path, target, most_mb * _MIB)
            else:
                shutil.copyfile(path, target)
            make_readable(target)
            digest = sha256_tree(target) if target.is_dir() else sha256_file(target)
        name = path.resolve().name
        yield Code(kind, name.removesuffix(suffix or ".py") if path.is_file() else name, digest, target)


def make_readable(folder: Path) -> None:
    """Lets every user read a file or folder of ours: inside the sandbox the program is somebody else.

    The folder around it stays closed, so that nobody else on this machine gets there.
    """
    if folder.is_file():
        folder.chmod(0o644)
    for place, _, files in os.walk(folder):
        Path(place).chmod(0o755)
        for name in files:
            path = Path(place, name)
            if not path.is_symlink() and not path.stat().st_mode & stat.S_IROTH:
                path.chmod(0o644)


def _refuse_odd_file(path: Path, kind: str, most_mb: int) -> None:
    if not path.is_file():
        raise InvalidInput(path, "this is not a regular file", "hand in a file, a folder or an archive")
    size = path.stat().st_size
    if size > most_mb * _MIB:
        raise InvalidInput(path, f"it has {size / _MIB:.0f} MB, more than the {most_mb} allowed", "hand in less")
    if kind == "ranker" and path.suffix != ".py":
        known = ", ".join(_ARCHIVES)
        raise InvalidInput(path, "this is neither a Python file nor an archive", f"hand in .py, a folder, or {known}")


def _copy_folder(source: Path, target: Path, most: int) -> None:
    """Copies a folder without what is hidden. Raises InvalidInput for links and for more than `most` bytes."""
    for place, folders, files in os.walk(source):
        folders[:] = [name for name in folders if not is_hidden(name) and name != "__pycache__"]
        here = target / Path(place).relative_to(source)
        here.mkdir()
        for name in [name for name in files if not is_hidden(name)]:
            path = Path(place, name)
            if not stat.S_ISREG(path.lstat().st_mode):
                raise InvalidInput(path, "this is not a regular file", "hand in plain files and folders")
            most -= path.stat().st_size
            if most < 0:
                raise InvalidInput(source, "it is larger than allowed", "hand in less")
            shutil.copyfile(path, here / name)
        linked = [name for name in folders if Path(place, name).is_symlink()]
        if linked:
            raise InvalidInput(Path(place, linked[0]), "this is a link", "hand in plain files and folders")


def _safe(name: str) -> str:
    """A name that Python can import and no command misunderstands."""
    stem, dot, suffix = name.partition(".")
    return (re.sub(r"\W", "_", stem, flags=re.ASCII)[:_LONGEST] or "entry") + dot + re.sub(r"[^\w.]", "_", suffix)


def _image(name: str, arguments: tuple[str, ...] = ("rank", "--input={input}", "--output={output}")) -> Code:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,250}", name):
        raise InvalidInput(f"{IMAGE}{name}", "this is not the name of a container image", f"write {IMAGE}NAME:TAG")
    short = re.split("[@:]", name.rpartition("/")[2])[0]
    return Code("image", short, sha256_bytes(name.encode()), image=name, arguments=arguments)


def _cube(path: Path) -> Code:
    """The image of an MLCube and how its task `rank` is called: with one folder to read and one file to write."""
    content = LocatedYaml(path).data
    image, tasks = (content.get(name) for name in ("docker", "tasks"))
    name = image.get("image") if isinstance(image, dict) else None
    rank = tasks.get("rank") if isinstance(tasks, dict) else None
    parameters = rank.get("parameters") if isinstance(rank, dict) else None
    words = []
    for kind, place in (("inputs", "{input}"), ("outputs", "{output}")):
        named = parameters.get(kind) if isinstance(parameters, dict) else None
        if not isinstance(name, str) or not isinstance(named, dict) or len(named) != 1:
            raise InvalidInput(
                path,
                "there is no docker image, or no task `rank` with one input and one output",
                "give it `rank: {parameters: {inputs: {input: FOLDER}, outputs: {output: FILE}}}`",
            )
        words.append(f"--{next(iter(named))}={place}")
    return _image(str(name), ("rank", *words))
