"""The commands that run a job in a container of Docker or Podman.

Without an image of its own a job gets this machine's programs, mounted into an empty image: as in bubblewrap, and
nothing has to be downloaded or built.
"""

import io
import json
import os
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cleaning.errors import FixfirstError, foreign_reason
from evaluation.sandbox.host import Host, this_host
from evaluation.sandbox.job import OUTPUT, Job, Limits
from evaluation.sandbox.processes import crowded, most_files
from evaluation.sandbox.room import is_left, room, run_name
from evaluation.sandbox.seccomp import profile
from evaluation.sandbox.session import Session
from evaluation.sandbox.wrapper import wrapped

EMPTY = "fixfirst-empty:1"
_KEPT = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "TMPDIR")
_CLOSED = (
    *("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--ipc=private"),
    *("--pull=never", "--no-healthcheck", "--log-driver=none", "--shm-size=16m", "--ulimit=core=0"),
    *("--hostname=sandbox", "--workdir=/tmp"),
)
_ASK_AGAIN = 0.3
_NEVER_RUNS = 60.0  # seconds that a command of the engine may take which runs nothing


def create_command(engine: str, job: Job, limits: Limits, host: Host, name: str, rules: Path) -> list[str]:
    """The arguments that create the container; nothing runs yet. rules: the file with the filter of system calls."""
    user, image = host.user, job.image
    largest = max(limits.answer, limits.temporary, *(size for _, size in job.scratch))
    flags = [*_CLOSED, f"--security-opt=seccomp={rules}", f"--user={user}:{user}"]
    flags += [f"--memory={limits.memory}", f"--memory-swap={limits.memory}", f"--cpus={limits.processors}"]
    flags += [f"--pids-limit={limits.processes}", f"--ulimit=nofile={limits.open_files}:{limits.open_files}"]
    flags += [f"--ulimit=fsize={largest}:{largest}"]
    if engine == "podman":  # it knows no nr_inodes, and forgets its own limits once it is given one
        flags += ["--read-only-tmpfs=false", f"--ulimit=nproc={limits.processes}:{limits.processes}"]
        flags += [] if host.root else ["--userns=keep-id"]
    for path, size in _writable(job, limits):
        options = "nosuid,nodev,noexec" if path == OUTPUT else "nosuid,nodev,exec"
        files = "" if engine == "podman" else f",nr_inodes={most_files(size)}"
        flags += ["--tmpfs", f"{path}:rw,{options},size={size},mode=1777{files}"]
    mounts = [*(host.mounts if image is None else ()), *job.mounts]
    flags += [f"--volume={mount.source}:{mount.target}:ro" for mount in mounts]
    flags += [f"--env={name}={value}" for name, value in host.variables if image is None or name != "PATH"]
    shell, *words = wrapped(job)
    return [engine, "create", f"--name={name}", *flags, f"--entrypoint=/bin/{shell}", image or EMPTY, *words]


def _writable(job: Job, limits: Limits) -> list[tuple[str, int]]:
    return [("/tmp", limits.temporary), *job.scratch, (OUTPUT, limits.answer)]


class Container:
    """Docker or Podman."""

    def __init__(self, name: str) -> None:
        self.name = name

    def missing(self) -> str | None:
        """Why it cannot be used, or None."""
        return None if shutil.which(self.name) else f"{self.name} not found"

    @contextmanager
    def session(self, job: Job, limits: Limits) -> Iterator[Session]:
        """A container for the job, removed when the block ends."""
        name = run_name()
        self._remove_left()
        if job.image is None:
            self._ensure_empty_image()
        else:
            job = replace(job, command=(*self._entry_point(job.image), *job.command))
        with room() as folder:
            rules = folder / "seccomp.json"
            rules.write_text(profile())
            self._call(create_command(self.name, job, limits, this_host(limits), name, rules)[1:])
            ending: list[threading.Thread] = []
            try:
                yield Session(
                    [self.name, "start", "--attach", name],
                    _environment(),
                    lambda _: ending.append(self._killer(name)),
                    tuple(f"{what}: {self.name}" for what in ("memory", "processes", "processors")),
                    crowded=self._crowded(name, _writable(job, limits)),
                    out_of_memory=lambda: self._out_of_memory(name),
                )
            finally:
                for thread in ending:
                    thread.join()
                self._call(["rm", "--force", "--volumes", name])

    def _remove_left(self) -> None:
        """Removes the containers of runs that were killed: unlike bubblewrap, a container outlives its organiser."""
        listed = self._try(["ps", "--all", "--filter", "name=fixfirst-run-", "--format", "{{.Names}}"])
        left = [name for name in listed.stdout.decode().split() if is_left(name)]
        if left:
            self._try(["rm", "--force", "--volumes", *left])

    def image_id(self, image: str) -> str:
        """The sha256 of an image.

        Raises FixfirstError if it is not on this machine, and if it declares volumes: they would be folders on our
        disk without a limit.
        """
        if self._inspected(image, "Config.Volumes"):
            raise FixfirstError(f"the image {image!r} declares volumes. Fix: build it without VOLUME.")
        return str(self._inspected(image, "Id")).removeprefix("sha256:")

    def _entry_point(self, image: str) -> list[str]:
        return self._inspected(image, "Config.Entrypoint") or []

    def _inspected(self, image: str, what: str) -> Any:
        found = self._try(["image", "inspect", "--format", f"{{{{json .{what}}}}}", image])
        if found.returncode:
            raise FixfirstError(f"{self.name} has no image {image!r}. Fix: load or pull it first.")
        return json.loads(found.stdout)

    def _ensure_empty_image(self) -> None:
        if self._try(["image", "inspect", EMPTY]).returncode:
            self._call(["import", "-", EMPTY], content=_empty_image())

    def _crowded(self, name: str, folders: Sequence[tuple[str, int]]) -> Callable[[int], bool]:
        """Looks at the container's files, once its first process is known. Docker counts files itself."""
        first: list[int] = []
        asked = time.monotonic()

        def look(_: int) -> bool:
            nonlocal asked
            if self.name == "docker":
                return False
            if not first and time.monotonic() - asked > _ASK_AGAIN:
                found = self._try(["inspect", "--format", "{{.State.Pid}}", name]).stdout.strip()
                first.extend([int(found)] if found.isdigit() and int(found) else [])
                asked = time.monotonic()
            return bool(first) and crowded(first[0], folders)

        return look

    def _out_of_memory(self, name: str) -> bool:
        found = self._try(["inspect", "--format", "{{json .State.OOMKilled}}", name])
        return found.returncode == 0 and json.loads(found.stdout) is True

    def _killer(self, name: str) -> threading.Thread:
        """Kills the container from another thread: the engine waits until somebody has read all its output."""
        thread = threading.Thread(target=self._try, args=(["kill", "--signal=KILL", name],))
        thread.start()
        return thread

    def _call(self, words: Sequence[str], content: bytes = b"") -> None:
        done = self._try(words, content)
        if done.returncode:
            raise FixfirstError(f"{self.name} {words[0]}: {foreign_reason(done.stderr.decode(errors='replace'))}")

    def _try(self, words: Sequence[str], content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [self.name, *words]
        try:
            return subprocess.run(
                command, input=content, capture_output=True, env=_environment(), timeout=_NEVER_RUNS, check=False
            )
        except subprocess.TimeoutExpired:
            raise FixfirstError(f"{self.name} {words[0]}: no answer within {_NEVER_RUNS:.0f} seconds") from None


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _KEPT or name.startswith("CONTAINERS_")}
    return {"PATH": os.defpath, **kept}


def _empty_image() -> bytes:
    """A tar file with nothing but /tmp, whose rights the folder in memory takes over, and this system's own links."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as image:
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        image.addfile(folder)
        for target, source in this_host(Limits()).links:
            link = tarfile.TarInfo(target.removeprefix("/"))
            link.type, link.linkname = tarfile.SYMTYPE, source
            image.addfile(link)
    return content.getvalue()
