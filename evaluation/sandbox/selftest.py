"""Which engine to use: the first that a probe of our own does not get out of."""

import json
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cleaning.errors import FixfirstError, foreign_reason, printable
from evaluation.sandbox.bwrap import Bwrap
from evaluation.sandbox.containers import Container
from evaluation.sandbox.host import this_host
from evaluation.sandbox.job import MIB, OUTPUT, TOOLS, Job, Limits, Mount
from evaluation.sandbox.run import run
from evaluation.sandbox.session import Engine

INSIDE = Mount(Path(__file__).parent / "inside", f"{TOOLS}/inside")
"""Our own programs for the sandbox."""

_LIMITS = Limits(seconds=20.0, memory=512 * MIB)
_FIRST_PROCESS = ("PWD", "OLDPWD", "SHLVL", "_", "HOSTNAME", "TERM", "container")


_Engine = TypeVar("_Engine", bound=Engine)


@dataclass(frozen=True)
class Checked:
    """An engine, and why it is not used (None: it holds)."""

    engine: Engine
    reason: str | None


def engines() -> tuple[Engine, ...]:
    """Every engine, the preferred one first."""
    return Bwrap(), *container_engines()


def container_engines() -> tuple[Container, ...]:
    """The engines that run container images."""
    return Container("docker"), Container("podman")


def checked(engine: Engine) -> Checked:
    """Runs the probe in the engine's sandbox, if it is there."""
    try:
        return Checked(engine, engine.missing() or _escapes(engine))
    except (FixfirstError, OSError) as error:
        return Checked(engine, foreign_reason(error))


def chosen(among: Sequence[_Engine]) -> _Engine:
    """The first engine that holds. Raises FixfirstError that says why none does."""
    reasons = []
    for engine in among:
        found = checked(engine)
        if found.reason is None:
            return engine
        reasons.append(f"{engine.name}: {found.reason}")
    raise FixfirstError(
        f"nothing here can run somebody else's code safely ({'; '.join(reasons)}). "
        "Fix: install bubblewrap, Docker or Podman and look at `fixfirst doctor`; for your own code, add --trust."
    )


def _escapes(engine: Engine) -> str | None:
    """What the probe could do, in words; None if it could do nothing."""
    with _canaries() as known:
        job = Job(
            (sys.executable, "-I", f"{TOOLS}/inside/probe.py", json.dumps(known), f"{OUTPUT}/worked.json"),
            "worked.json",
            (INSIDE,),
        )
        outcome = run(job, _LIMITS, engine)
    if outcome.answer is None:
        said = outcome.log.decode(errors="replace").strip().splitlines()
        return printable(f"a test program does not run in it ({said[-1][:200] if said else outcome.problem})")
    worked = json.loads(outcome.answer)
    return f"it does not hold, because a test program got {', '.join(worked)}" if worked else None


@contextmanager
def _canaries() -> Iterator[dict[str, object]]:
    """What the probe tries to reach: a listener, a file that everybody may read, and our processes."""
    allowed = [*_FIRST_PROCESS, *dict(this_host(_LIMITS).variables)]
    with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.NamedTemporaryFile() as file:
        file.write(b"canary")
        file.flush()
        Path(file.name).chmod(0o644)
        yield {
            "port": listener.getsockname()[1],
            "file": file.name,
            "variables": allowed,
            "processes": str(Path("/proc/self/ns/pid").readlink()),
        }
