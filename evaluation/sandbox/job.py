"""What is run in a sandbox, within which limits, and what came of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Verdict = Literal["ok", "time", "memory", "failed", "answer", "refused", "not_run"]

INPUT = "/input"
"""Where the program finds its data."""

SUBMISSION = "/submission"
"""Where the program itself is."""

OUTPUT = "/output"
"""The folder for the answer, in memory and empty at the start."""

TOOLS = "/tools"
"""Where our own part of the run is: the adapters, and the packages a ranker may import."""

MIB = 1 << 20


@dataclass(frozen=True)
class Mount:
    """A file or folder of this machine that the program may read at `target`."""

    source: Path
    target: str


@dataclass(frozen=True)
class Job:
    """A program to run.

    command: what is started, with the paths it has inside. answer: the name of the file it writes in OUTPUT.
    mounts: all it can read besides the system's programs and libraries. scratch: further folders in memory that it may
    write, with their sizes in bytes. image: the container image to run it in instead of this system's programs.
    """

    command: tuple[str, ...]
    answer: str
    mounts: tuple[Mount, ...] = ()
    scratch: tuple[tuple[str, int], ...] = ()
    image: str | None = None


@dataclass(frozen=True)
class Limits:
    """seconds: of the clock. memory, answer, temporary: bytes, for all processes together. log: how many bytes of
    standard error are kept, half from its beginning and half from its end.
    """

    seconds: float = 600.0
    memory: int = 4096 * MIB
    processors: int = 1
    processes: int = 64
    open_files: int = 256
    answer: int = 16 * MIB
    temporary: int = 64 * MIB
    log: int = 64 * 1024


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    problem: one sentence that may be shown to the participant; empty if the verdict is ok. answer: the bytes of the
    answer, for the verdict ok alone. log: what the program wrote to standard error and standard output; it may hold
    anything the program could read. cpu_seconds, peak_memory (bytes): None where nothing measures them. enforced: what
    held the limits, for example `memory: cgroup v1`.
    """

    verdict: Verdict
    problem: str = ""
    answer: bytes | None = None
    log: bytes = b""
    seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_memory: int | None = None
    engine: str = ""
    enforced: tuple[str, ...] = field(default=())
