"""The command that runs a job in bubblewrap.

Root's bubblewrap makes the mounts, and the program then gets a user number of its own: with capabilities dropped but
still as root it could write to /proc/sys. For everybody else the mounts are made in a user namespace.
"""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import PurePosixPath

from cleaning.errors import FixfirstError
from evaluation.sandbox.cgroup import make_group
from evaluation.sandbox.host import Host, this_host
from evaluation.sandbox.job import OUTPUT, Job, Limits
from evaluation.sandbox.processes import children, crowded, descendants, kill_children, memory_of
from evaluation.sandbox.seccomp import open_program, program
from evaluation.sandbox.session import Session, Used
from evaluation.sandbox.wrapper import wrapped

_JOIN = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ >"$1" || exit 1; shift; n=$((n - 1)); done; exec "$@"'
_SHARED_MEMORY = 16 << 20
_ADDRESSES = 2 << 30  # libraries reserve far more addresses than they use memory
_NAMESPACES = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")


def command(job: Job, limits: Limits, host: Host) -> list[str]:
    """The arguments to start, the program's own last."""
    start = ["taskset", "--cpu-list", host.processor] if host.processor is not None else []
    if host.entrances:
        start = ["sh", "-c", _JOIN, "sh", str(len(host.entrances)), *map(str, host.entrances), *start]
    box = ["bwrap", *_isolation(host), *_places(job, limits, host), "--"]
    return [*start, *box, *_as_nobody(job, limits, host), *wrapped(job)]


def _isolation(host: Host) -> list[str]:
    if host.root:
        kept = [word for name in ("SETUID", "SETGID", "SETPCAP") for word in ("--cap-add", f"CAP_{name}")]
        flags = [*_NAMESPACES, "--cap-drop", "ALL", *kept]
    else:
        flags = ["--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL", "--uid", str(host.user)]
    flags += ["--die-with-parent", "--new-session", "--hostname", "sandbox", "--clearenv"]
    for name, value in host.variables:
        flags += ["--setenv", name, value]
    return flags if host.filter is None else [*flags, "--seccomp", str(host.filter)]


def _places(job: Job, limits: Limits, host: Host) -> list[str]:
    """The file system, made in this order and then read-only but for the folders in memory."""
    links = [word for target, source in host.links for word in ("--symlink", source, target)]
    made = ["--proc", "/proc", "--dev", "/dev", *links, *_in_memory(*_writable(job, limits)[0])]
    mounts = [*host.mounts, *job.mounts]
    made += [word for path in _parents(mount.target for mount in mounts) for word in ("--perms", "0755", "--dir", path)]
    made += [word for mount in mounts for word in ("--ro-bind", str(mount.source), mount.target)]
    made += [word for path, size in _writable(job, limits)[1:] for word in _in_memory(path, size)]
    return [*made, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]


def _writable(job: Job, limits: Limits) -> list[tuple[str, int]]:
    """The folders in memory with their sizes; /tmp first, because mounts may be below it."""
    return [("/tmp", limits.temporary), *job.scratch, (OUTPUT, limits.answer), ("/dev/shm", _SHARED_MEMORY)]


def _in_memory(path: str, size: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size), "--tmpfs", path]


def _parents(targets: Iterable[str]) -> list[str]:
    """The folders above the targets, outermost first. Bubblewrap would make them for root alone."""
    found = [str(path) for target in targets for path in reversed(PurePosixPath(target).parents)]
    return [path for path in dict.fromkeys(found) if path not in ("/", "/tmp")]


def _as_nobody(job: Job, limits: Limits, host: Host) -> list[str]:
    largest = max(limits.answer, limits.temporary, *(size for _, size in job.scratch))
    bounds = [f"--nproc={limits.processes}", f"--as={limits.memory + _ADDRESSES}", f"--fsize={largest}", "--core=0"]
    bounds += [f"--nofile={limits.open_files}", "--memlock=65536", "--msgqueue=0"]
    change = ["setpriv", f"--reuid={host.user}", f"--regid={host.user}", "--clear-groups", "--no-new-privs"]
    change += ["--bounding-set=-all", "--inh-caps=-all"]
    return [*(change if host.root else []), "prlimit", *bounds, "--"]


class Bwrap:
    """Bubblewrap."""

    name = "bwrap"

    def missing(self) -> str | None:
        """Why it cannot be used, or None."""
        tools = ["bwrap", "prlimit", *(["setpriv"] if os.geteuid() == 0 else [])]
        absent = [tool for tool in tools if shutil.which(tool) is None]
        if absent:
            return f"{' and '.join(absent)} not found (packages bubblewrap and util-linux)"
        try:
            program()
        except FixfirstError as error:
            return str(error)
        return None

    @contextmanager
    def session(self, job: Job, limits: Limits) -> Iterator[Session]:
        """A sandbox for the job, in a control group where one can be made."""
        group = make_group(limits)
        counted = set() if group is None else set(group.folders)
        host = replace(this_host(limits), filter=open_program())
        if group is not None:
            host = replace(host, entrances=group.entrances)
        if "cpu" not in counted:
            host = replace(host, processor=_some_processors(limits.processors))
        enforced = () if group is None else group.enforced
        enforced += () if "memory" in counted else ("memory: watched",)
        enforced += () if "cpu" in counted else ("processors: affinity",)
        try:
            yield Session(
                command(job, limits, host),
                {"PATH": os.environ.get("PATH", os.defpath)},
                kill_children,
                enforced,
                descriptors=() if host.filter is None else (host.filter,),
                memory=None if "memory" in counted else lambda number: memory_of(descendants(number), limits.memory),
                crowded=lambda number: any(crowded(child, _writable(job, limits)) for child in children(number)),
                used=Used if group is None else group.used,
            )
        finally:
            if host.filter is not None:
                os.close(host.filter)
            if group is not None:
                group.end()


def _some_processors(count: int) -> str:
    """The numbers of `count` of the processors that we may use, chosen by our own process number."""
    ours = sorted(os.sched_getaffinity(0))
    first = os.getpid() % len(ours)
    return ",".join(str(number) for number in (ours[first:] + ours[:first])[:count])
