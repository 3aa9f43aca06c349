"""What of this machine a program may see, and as whom it runs."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from evaluation.sandbox.job import Limits, Mount

_FOLDERS = ("/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin")
_FILES = ("/etc/ld.so.cache", "/etc/alternatives")
_OWN_RANGE = 0x70000000  # above the numbers that systems and container engines give to users
_KERNELS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Host:
    """The facts that a sandbox's command depends on.

    root: whether we are root, and then run programs as the user number `user`. mounts: the system's programs and
    libraries, and this Python. links: those folders of the system that are links, with their targets. entrances: the
    files with which a process joins its control group. processor: the processors it is bound to, where no control
    group counts their time. filter: the descriptor with the filter of system calls. variables: its environment.
    """

    root: bool
    user: int
    mounts: tuple[Mount, ...]
    links: tuple[tuple[str, str], ...]
    variables: tuple[tuple[str, str], ...]
    entrances: tuple[Path, ...] = ()
    processor: str | None = None
    filter: int | None = None


def this_host(limits: Limits) -> Host:
    """The facts about this machine, without a control group and a filter."""
    root = os.geteuid() == 0
    links = tuple((name, str(Path(name).readlink())) for name in _FOLDERS if Path(name).is_symlink())
    folders = [Path(name) for name in ("/usr", *_FOLDERS) if Path(name).is_dir() and not Path(name).is_symlink()]
    python = [Path(sys.prefix), Path(sys.base_prefix)]
    shown = [*folders, *(Path(name) for name in _FILES if Path(name).exists())]
    for path in python:
        if not any(path.is_relative_to(other) for other in shown):
            shown.append(path)
    variables = {
        "PATH": f"{Path(sys.prefix) / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        **{name: str(limits.processors) for name in _THREADS},
        **{name: os.environ[name] for name in _KERNELS if name in os.environ},
    }
    return Host(
        root=root,
        user=_own_number() if root else os.geteuid(),
        mounts=tuple(Mount(path, str(path)) for path in shown),
        links=links,
        variables=tuple(variables.items()),
    )


def _own_number() -> int:
    """A user number that no other run has at the same time: the kernel counts processes per user."""
    return _OWN_RANGE + os.getpid()
