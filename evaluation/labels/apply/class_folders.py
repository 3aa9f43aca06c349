"""Class folders of pictures: every picture in the folder of its right class."""

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from cleaning.errors import InvalidInput, first_three
from evaluation.files.whole import make_folder, plain_errors, read_text, write_text, written_whole
from evaluation.labels.apply.corrections import Corrections

_LISTING = ".fixfirst.json"
"""The hidden file in an output folder that lists what was written, so that a later run may replace it."""


def targets(ids: Sequence[str], corrections: Corrections) -> dict[int, PurePosixPath]:
    """Where each picture that is kept goes. ids: paths below the folder, of which the first part is the class.

    A picture whose new place is taken gets a name that says where it came from.
    """
    changed = set(corrections.changed)
    found = {row: PurePosixPath(ids[row]) for row in corrections.kept.tolist() if row not in changed}
    taken = {str(path).casefold() for path in map(PurePosixPath, ids)}
    for row in sorted(changed):
        name = str(corrections.label[row])
        _refuse_folder_name(name)
        old = PurePosixPath(ids[row])
        path = PurePosixPath(name, *old.parts[1:])
        number = 1
        while str(path).casefold() in taken:
            path = path.with_name(f"{old.stem} (from {old.parts[0]}{'' if number == 1 else f', {number}'}){old.suffix}")
            number += 1
        taken.add(str(path).casefold())
        found[row] = path
    return found


def copy_file(source: Path, target: Path) -> None:
    """Copies a file with its times."""
    with written_whole(target) as place:
        shutil.copy2(source, place)


def link_file(source: Path, target: Path) -> None:
    """Makes a hard link to a file."""
    make_folder(target.parent)
    with plain_errors(target, "make a hard link"):
        target.unlink(missing_ok=True)
        os.link(source, target)


def _refuse_foreign(output: Path) -> set[str]:
    """What an earlier run wrote into the folder. Raises InvalidInput if the folder has any other file."""
    earlier = _earlier(output)
    foreign = sorted(_files(output) - earlier - {_LISTING})
    if foreign:
        problem = f"the folder has files that this command did not write ({first_three(foreign)})"
        raise InvalidInput(output, problem, "name a new folder")
    return earlier


def write_files(
    wanted: Mapping[PurePosixPath, Path], output: Path, place: Callable[[Path, Path], None], others: Sequence[str] = ()
) -> None:
    """Places each source file at its path below the output, and removes files of an earlier run that are not wanted.

    others: names of further files, which the caller writes.

    Raises InvalidInput if the folder has a file that no earlier run wrote.
    """
    earlier = _refuse_foreign(output)
    names = {*map(str, wanted), *others}
    make_folder(output)
    # until everything is written, both what was there and what will be there is ours
    write_text(output / _LISTING, json.dumps(sorted(names | earlier), indent=0))
    for name in sorted(earlier - names):
        with plain_errors(output / name, "remove the file"):
            (output / name).unlink(missing_ok=True)
    for path, source in wanted.items():
        place(source, output / path)
    write_text(output / _LISTING, json.dumps(sorted(names), indent=0))
    for folder, _, _ in os.walk(output, topdown=False):
        if Path(folder) != output and not any(Path(folder).iterdir()):
            Path(folder).rmdir()


def _earlier(output: Path) -> set[str]:
    """What the listing in the folder says an earlier run wrote."""
    listing = output / _LISTING
    if not listing.is_file():
        return set()
    try:
        names = json.loads(read_text(listing, 1 << 30))
    except ValueError as error:
        raise InvalidInput(listing, f"this is not JSON ({error})", "name a new folder") from error
    if not isinstance(names, list) or not all(isinstance(name, str) and _is_inside(name) for name in names):
        raise InvalidInput(listing, "this is not a list of files in the folder", "name a new folder")
    return set(names)


def _files(output: Path) -> set[str]:
    with plain_errors(output, "look into the folder"):
        if output.exists() and not output.is_dir():
            raise InvalidInput(output, "this is a file", "name a new folder")
        return {
            path.relative_to(output).as_posix() for path in output.rglob("*") if not path.is_dir() or path.is_symlink()
        }


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def _refuse_folder_name(name: str) -> None:
    if name in (".", "..") or "/" in name or "\0" in name or name.startswith(".") or len(name.encode()) > 255:
        raise InvalidInput("label", f"{name!r} cannot be the name of a folder", "use another name for the class")
