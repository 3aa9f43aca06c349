"""Container engines on a bare Debian machine: install, start and stop them; make a base image without a registry."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BASE = "docker.io/library/python:3.11-slim"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
PACKAGES = {
    "image": ["mmdebstrap"],
    "docker": ["docker.io"],
    "podman": ["podman", "runc", "uidmap", "slirp4netns"],
    "user": ["python3-venv", "make"],
}
PODMAN_LIMITS = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
{network}
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
"""


@dataclass(frozen=True)
class Engine:
    """A running container engine. environment: the variables its command needs. user: who calls it, if not root."""

    name: str
    environment: dict[str, str]
    user: str = ""

    @property
    def prefix(self) -> list[str]:
        """What comes before a command that the user calls."""
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups"] if self.user else []

    def __call__(self, *arguments: object, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs the engine's command. If `check`, a failure raises AssertionError with its output."""
        done = subprocess.run(
            [*self.prefix, self.name, *map(str, arguments)],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{self.name} {arguments}: {done.stdout}\n{done.stderr}")
        return done


def why_not() -> str | None:
    """Why the engines cannot be installed here, or None."""
    if os.environ.get("FIXFIRST_CONTAINERS") != "1":
        return "container tests run only in their own session (nox -s containers)"
    if os.geteuid() != 0:
        return "only root may install a container engine"
    if shutil.which("apt-get") is None:
        return "this is not Debian: apt-get is missing"
    return None


def install(name: str) -> None:
    """Installs what an engine, the base image or a user needs from Debian, unless it is installed already."""
    wanted = [package for package in PACKAGES[name] if not _is_installed(package)]
    if wanted:
        quiet = {"check": True, "capture_output": True, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *wanted], **quiet)


def base_image(folder: Path) -> Path:
    """Makes a minimal Debian with python3 as a tar file; imported, it stands in for `python:3.11-slim`."""
    target = folder / "base.tar"
    unneeded = [f"--dpkgopt=path-exclude=/usr/share/{place}/*" for place in ("doc", "man", "locale")]
    subprocess.run(
        [
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            "--dpkgopt=force-unsafe-io",
            *unneeded,
            '--aptopt=Acquire::Languages "none"',
            f"--customize-hook=upload {CERTIFICATES} {CERTIFICATES}",
            "--include=python3,python3-venv,ca-certificates",
            "bookworm",
            str(target),
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "TMPDIR": "/dev/shm"},
    )
    return target


@contextmanager
def running(name: str, folder: Path, base: Path, user: str = "") -> Iterator[Engine]:
    """A running engine that has only the base image. Its data are below the folder and are deleted with it.

    user: who calls it, if not root. Docker's daemon is root's all the same.
    """
    context = _docker(folder, user) if name == "docker" else _podman(folder, user)
    with context as engine:
        engine("import", "--change", f"ENV PIP_CERT={CERTIFICATES}", base, BASE)
        yield engine


@contextmanager
def _docker(folder: Path, user: str) -> Iterator[Engine]:
    socket = f"unix://{folder}/docker.sock"
    log = (folder / "dockerd.log").open("w")
    command = [
        "dockerd",
        "-H",
        socket,
        "--data-root",
        folder / "data",
        "--exec-root",
        folder / "exec",
        "--pidfile",
        folder / "docker.pid",
    ]
    daemon = subprocess.Popen(command, stdout=log, stderr=log)
    # Debian's client comes first, even if another `docker` is on the path
    path = f"/usr/bin:{os.environ['PATH']}"
    engine = Engine("docker", _home({**os.environ, "DOCKER_HOST": socket, "PATH": path}, folder, user), user)
    try:
        for _ in range(100):
            if user and (folder / "docker.sock").exists():
                (folder / "docker.sock").chmod(0o666)
            if engine("info", check=False).returncode == 0:
                break
            time.sleep(0.2)
        else:
            raise AssertionError((folder / "dockerd.log").read_text()[-2000:])
        yield engine
    finally:
        daemon.terminate()
        daemon.wait(timeout=60)
        log.close()


@contextmanager
def _podman(folder: Path, user: str) -> Iterator[Engine]:
    # a network of its own needs a device that not every machine gives to a user
    (folder / "containers.conf").write_text(PODMAN_LIMITS.format(network='netns = "host"' if user else ""))
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{folder}/data"\nrunroot = "{folder}/exec"\n'
    )
    environment = {
        **os.environ,
        "CONTAINERS_CONF": str(folder / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "DOCKER_HOST": "unix:///nonexistent.sock",
    }
    engine = Engine("podman", _home(environment, folder, user), user)
    try:
        yield engine
    finally:
        engine("system", "reset", "--force", check=False)


@contextmanager
def a_user() -> Iterator[str]:
    """A user without root, who is removed afterwards."""
    name = "fixfirst-test"
    subprocess.run(["useradd", "--create-home", name], check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(["userdel", "--force", "--remove", name], check=False, capture_output=True)


def _home(environment: dict[str, str], folder: Path, user: str) -> dict[str, str]:
    """The variables with a home and a runtime folder of the user's, below the folder."""
    if not user:
        return environment
    for place in (folder, folder / "home", folder / "run"):
        place.mkdir(exist_ok=True)
        shutil.chown(place, user, user)
    return {**environment, "HOME": str(folder / "home"), "XDG_RUNTIME_DIR": str(folder / "run")}


def _is_installed(package: str) -> bool:
    done = subprocess.run(["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True, check=False)
    return done.stdout.startswith("install ok installed")
