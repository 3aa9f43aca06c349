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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cleaning.errors import FixfirstError, foreign_reason
from evaluation.sandbox.host import Host, this_host
from evaluation.sandbox.job import OUTPUT, Job, Limits
from evaluation.sandbox.processes import most_files
from evaluation.sandbox.room import is_left, room, run_name
from evaluation.sandbox.seccomp import profile
from evaluation.sandbox.session import Session, Used
from evaluation.sandbox.watched import Watched
from evaluation.sandbox.wrapper import wrapped

_EMPTY = "fixfirst-empty:1"
_KEPT = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "TMPDIR")
_CLOSED = (
    *("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--ipc=private"),
    *("--pull=never", "--no-healthcheck", "--log-driver=none", "--shm-size=16m", "--ulimit=core=0"),
    *("--hostname=sandbox", "--workdir=/tmp", "--interactive", "--stop-timeout=0"),
)
_CAN_LIMIT = {"docker": ("{{.MemoryLimit}}", "true"), "podman": ("{{json .Host.CgroupControllers}}", '"memory"')}
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
    return [engine, "create", f"--name={name}", *flags, f"--entrypoint=/bin/{shell}", image or _EMPTY, *words]


def _writable(job: Job, limits: Limits) -> list[tuple[str, int]]:
    return [("/tmp", limits.temporary), *job.scratch, (OUTPUT, limits.answer)]


class Container:
    """Docker or Podman."""

    def __init__(self, name: str) -> None:
        self.name = name

    def missing(self) -> str | None:
        """Why it cannot be used, or None."""
        if shutil.which(self.name) is None:
            return f"{self.name} not found"
        # without root an engine may ignore a limit of memory and go on
        asked, enough = _CAN_LIMIT[self.name]
        found = self._try(["info", "--format", asked])
        if found.returncode == 0 and enough not in found.stdout.decode(errors="replace"):
            return "it cannot limit memory here; without root it needs cgroup v2 and its controller `memory`"
        return None

    @contextmanager
    def session(self, job: Job, limits: Limits) -> Iterator[Session]:
        """A container for the job, removed when the block ends or we are killed."""
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
            # Docker counts files itself
            folders = () if self.name == "docker" else _writable(job, limits)
            watched = Watched(lambda: self._first_process(name), limits, folders)
            ending: list[threading.Thread] = []
            with self._removed(name):
                try:
                    yield Session(
                        [self.name, "start", "--attach", "--interactive", name],
                        _environment(),
                        lambda _: ending.append(self._killer(name)),
                        tuple(f"{what}: {self.name}" for what in ("memory", "processes", "processors")),
                        crowded=watched.crowded,
                        measure=watched.measure,
                        used=lambda: self._used(name, watched.used),
                    )
                finally:
                    for thread in ending:
                        thread.join()

    @contextmanager
    def _removed(self, name: str) -> Iterator[None]:
        """Removes the container when the block ends, and also if we are killed: a process waits for the end of a pipe.

        Unlike bubblewrap's, the processes of a container are not below ours.
        """
        words = ["sh", "-c", 'read -r _; exec "$@"', "sh", self.name, "rm", "--force", "--volumes", name]
        remover = subprocess.Popen(
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,
        )
        try:
            yield
        finally:
            try:
                said = remover.communicate(timeout=_NEVER_RUNS)[1]
            except subprocess.TimeoutExpired:
                remover.kill()
                remover.communicate()
                raise self._silent("rm") from None
            if remover.returncode:
                raise self._failed("rm", said)

    def _remove_left(self) -> None:
        """Removes the containers of runs that were killed together with the process that removes theirs."""
        listed = self._try(["ps", "--all", "--filter", "name=fixfirst-run-", "--format", "{{.Names}}"])
        left = [name for name in listed.stdout.decode().split() if is_left(name)]
        if left:
            self._try(["rm", "--force", "--volumes", *left])

    def image_id(self, image: str) -> str:
        """The sha256 of an image.

        Raises FixfirstError if it is not on this machine, and if it declares volumes: they would be folders on our
        disk without a limit.
        """
        found = self._inspected(image)
        if (found.get("Config") or {}).get("Volumes"):
            raise FixfirstError(f"the image {image!r} declares volumes. Fix: build it without VOLUME.")
        return str(found["Id"]).removeprefix("sha256:")

    def _entry_point(self, image: str) -> list[str]:
        return (self._inspected(image).get("Config") or {}).get("Entrypoint") or []

    def _inspected(self, image: str) -> dict[str, Any]:
        # with --format the engines know different fields
        found = self._try(["image", "inspect", image])
        if found.returncode:
            raise FixfirstError(f"{self.name} has no image {image!r}. Fix: load or pull it first.")
        first: dict[str, Any] = json.loads(found.stdout)[0]
        return first

    def _ensure_empty_image(self) -> None:
        if self._try(["image", "inspect", _EMPTY]).returncode:
            self._call(["import", "-", _EMPTY], content=_empty_image())

    def _first_process(self, name: str) -> int | None:
        found = self._try(["inspect", "--format", "{{.State.Pid}}", name]).stdout.strip()
        return int(found) or None if found.isdigit() else None

    def _used(self, name: str, measured: Used) -> Used:
        """What was measured, and what the engine says when the container has ended."""
        found = self._try(["inspect", "--format", "{{json .State.OOMKilled}}", name])
        killed = found.returncode == 0 and json.loads(found.stdout) is True
        return replace(measured, out_of_memory=measured.out_of_memory or killed)

    def _killer(self, name: str) -> threading.Thread:
        """Kills the container from another thread: the engine waits until somebody has read all its output."""
        thread = threading.Thread(target=self._try, args=(["kill", "--signal=KILL", name],))
        thread.start()
        return thread

    def _call(self, words: Sequence[str], content: bytes = b"") -> None:
        done = self._try(words, content)
        if done.returncode:
            raise self._failed(words[0], done.stderr)

    def _try(self, words: Sequence[str], content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [self.name, *words]
        try:
            return subprocess.run(
                command, input=content, capture_output=True, env=_environment(), timeout=_NEVER_RUNS, check=False
            )
        except subprocess.TimeoutExpired:
            raise self._silent(words[0]) from None

    def _failed(self, what: str, said: bytes) -> FixfirstError:
        return FixfirstError(f"{self.name} {what}: {foreign_reason(said.decode(errors='replace'))}")

    def _silent(self, what: str) -> FixfirstError:
        return FixfirstError(f"{self.name} {what}: no answer within {_NEVER_RUNS:.0f} seconds")


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
