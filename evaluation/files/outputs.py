"""What `--output` may name: a new file or an earlier output of the right kind, but never anything the command reads."""

from collections.abc import Iterable
from pathlib import Path

from cleaning.errors import InvalidInput
from evaluation.files.lock import sweep
from evaluation.files.whole import plain_errors


def refuse_output(output: Path, suffixes: Iterable[str], inputs: Iterable[Path]) -> None:
    """Raises InvalidInput for an output that is an input, is in an input folder, or exists and is not a regular file.

    Removes the temporary files that killed runs left beside it.

    suffixes: the suffixes of the formats the command writes; any other suffix is rejected too.
    inputs: the files and folders the command reads, which need not exist.
    """
    known = tuple(suffixes)
    if output.suffix not in known:
        raise InvalidInput(output, "the suffix does not name a format", f"name it {' or '.join(known)}")
    sweep(output.parent, output.name)
    with plain_errors(output, "look at the file"):
        for path in inputs:
            if output.exists() and path.exists() and output.samefile(path):
                raise InvalidInput(output, f"the command reads this file ({path})", "name another file")
            if path.is_dir() and output.resolve().is_relative_to(path.resolve()):
                raise InvalidInput(output, f"it is in a folder that the command reads ({path})", "name another folder")
        if output.exists() and not output.is_file():
            what = "a folder" if output.is_dir() else "not a regular file"
            raise InvalidInput(output, f"this is {what}", "name another file")
