"""What `--output` may name: a new file or an older output of the right kind, and never what the command reads."""

from collections.abc import Iterable
from pathlib import Path

from cleaning.errors import InvalidInput
from evaluation.files.whole import plain_errors


def refuse_output(output: Path, suffixes: Iterable[str], inputs: Iterable[Path]) -> None:
    """Raises InvalidInput for an output that is an input, lies in an input folder, or is there and no regular file.

    suffixes: those of the forms the command writes; another one is refused too. inputs: files and folders it reads,
    which need not be there.
    """
    known = tuple(suffixes)
    if output.suffix not in known:
        raise InvalidInput(output, "the suffix tells no form", f"name it {' or '.join(known)}")
    with plain_errors(output, "look at the file"):
        for path in inputs:
            if output.exists() and path.exists() and output.samefile(path):
                raise InvalidInput(output, f"the command reads this file ({path})", "name another file")
            if path.is_dir() and output.resolve().is_relative_to(path.resolve()):
                raise InvalidInput(output, f"it lies in the folder that is read ({path})", "name another folder")
        if output.exists() and not output.is_file():
            what = "a folder" if output.is_dir() else "no regular file"
            raise InvalidInput(output, f"this is {what}", "name another file")
