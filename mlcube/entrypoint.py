"""The cube's entry point: MLCube runs `entrypoint.py TASK --parameter=/mlcube_ioN …` in the container.

The work is done by fixfirst's command line. This script only adds ownership and an end. A container that runs as root
would leave files that its caller cannot delete, so they are given to the owner of the mounted folder. And `docker stop`
sends SIGTERM, which the first process of a container ignores unless it asks for it.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any


def hand_over(arguments: list[str]) -> None:
    """Gives files owned by root at or below each named path to the owner of that folder (of a file: of its parent)."""
    for argument in arguments:
        path = Path(argument.partition("=")[2])
        if not argument.startswith("--") or not path.is_absolute():
            continue
        folder = path if path.is_dir() else path.parent
        if not folder.is_dir() or (owner := folder.stat()).st_uid == 0:
            continue
        for item in [path, *path.rglob("*")] if path.is_dir() else [path]:
            if item.exists() and item.lstat().st_uid == 0:
                os.chown(item, owner.st_uid, owner.st_gid, follow_symlinks=False)


def main(arguments: list[str]) -> int:
    """Runs one task and returns its exit status; 143 at once when the container is stopped.

    Files appear whole or not at all, so nothing has to be tidied up before.
    """

    def stop(*_: Any) -> None:
        if os.getuid() == 0:
            hand_over(arguments)
        os._exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    from evaluation.cli import main as fixfirst

    try:
        return fixfirst(arguments)
    finally:
        if os.getuid() == 0:
            hand_over(arguments)


if __name__ == "__main__":
    os.environ.setdefault("HOME", "/tmp")
    os.environ.setdefault("MPLCONFIGDIR", "/tmp/mpl")
    sys.exit(main(sys.argv[1:]))
