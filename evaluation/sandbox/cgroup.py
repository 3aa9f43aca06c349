"""Control groups, version 1 and 2: memory, processes and processor time of one run, counted for all its processes."""

import os
import re
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from evaluation.sandbox.job import Limits
from evaluation.sandbox.room import is_left, run_name
from evaluation.sandbox.session import Used

ROOT = Path("/sys/fs/cgroup")
_PERIOD = 100_000  # microseconds
_PATIENCE = 5.0
_KINDS = {"memory": "memory", "pids": "processes", "cpu": "processors"}


@dataclass(frozen=True)
class Group:
    """The groups of one run. folders: by controller; with version 2 they are all the same folder."""

    version: int
    folders: Mapping[str, Path]

    @property
    def enforced(self) -> tuple[str, ...]:
        """What the group limits, for the record."""
        return tuple(f"{_KINDS[kind]}: cgroup v{self.version}" for kind in self.folders if kind in _KINDS)

    @property
    def entrances(self) -> tuple[Path, ...]:
        """The files into which a process writes its number to join."""
        return tuple(dict.fromkeys(folder / "cgroup.procs" for folder in self.folders.values()))

    def used(self) -> Used:
        """What all its processes used so far."""
        return Used(self.cpu_seconds(), self.peak_memory(), self.out_of_memory())

    def out_of_memory(self) -> bool:
        """Whether the kernel killed one of its processes for its memory."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        found = re.search(r"^oom_kill (\d+)", self._read("memory", name), re.MULTILINE)
        return found is not None and int(found[1]) > 0

    def peak_memory(self) -> int | None:
        """The most memory it had, in bytes."""
        text = self._read("memory", "memory.peak" if self.version == 2 else "memory.max_usage_in_bytes")
        return int(text) if text.strip().isdecimal() else None

    def cpu_seconds(self) -> float | None:
        """The processor time of all its processes."""
        if self.version == 2:
            found = re.search(r"^usage_usec (\d+)", self._read("cpu", "cpu.stat"), re.MULTILINE)
            return None if found is None else int(found[1]) / 1e6
        text = self._read("cpuacct", "cpuacct.usage")
        return int(text) / 1e9 if text.strip().isdecimal() else None

    def end(self) -> bool:
        """Kills what is left in it and removes it. Says whether it could be emptied."""
        until = time.monotonic() + _PATIENCE
        while (left := self._members()) and time.monotonic() < until:
            for number in left:
                with suppress(OSError):
                    os.kill(number, signal.SIGKILL)
            time.sleep(0.01)
        for folder in dict.fromkeys(self.folders.values()):
            for _ in range(50):  # the kernel lets go of dead processes a little later
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)
        return not left

    def _members(self) -> set[int]:
        return {int(number) for kind in self.folders for number in self._read(kind, "cgroup.procs").split()}

    def _read(self, kind: str, name: str) -> str:
        try:
            return (self.folders[kind] / name).read_text()
        except (KeyError, OSError):
            return ""


def group_of(process: int, limits: Limits, root: Path = ROOT, processes: Path = Path("/proc")) -> Group | None:
    """The group of somebody else's making that holds a process and has this limit of memory, to read from.

    None where it cannot be seen, for example because the process has another number where its engine is.
    """
    try:
        lines = (processes / str(process) / "cgroup").read_text().splitlines()
    except OSError:
        return None
    entries = [line.split(":", 2) for line in lines if line.count(":") >= 2]
    below = {kind: path.lstrip("/") for _, kinds, path in entries for kind in kinds.split(",")}
    if (root / "cgroup.controllers").exists():
        place, name = root / below.get("", ""), "memory.max"
    else:
        place, name = root / "memory" / below.get("memory", ""), "memory.limit_in_bytes"
    for folder in (place, *place.parents):  # engines may put the process into a group of its own inside
        with suppress(OSError):
            if (folder / name).read_text().strip() == str(limits.memory):
                if name == "memory.max":
                    return Group(2, {"memory": folder, "cpu": folder})
                return Group(1, {"memory": folder, "cpuacct": root / "cpuacct" / below.get("cpuacct", "")})
    return None


def make_group(limits: Limits, root: Path = ROOT) -> Group | None:
    """A new group with these limits; None where none can be made, as for most users who are not root."""
    name = run_name()
    for left in [*root.glob("fixfirst-run-*"), *root.glob("*/fixfirst-run-*")]:
        if is_left(left.name):
            with suppress(OSError):
                left.rmdir()
    if (root / "cgroup.controllers").exists():
        return _version_2(limits, root / name)
    return _version_1(limits, root, name)


def _version_2(limits: Limits, folder: Path) -> Group | None:
    settings: dict[str, dict[str, object]] = {
        "memory": {"memory.max": limits.memory, "memory.swap.max": 0, "memory.oom.group": 1},
        "pids": {"pids.max": limits.processes},
        "cpu": {"cpu.max": f"{limits.processors * _PERIOD} {_PERIOD}"},
    }
    for kind in settings:
        with suppress(OSError):
            (folder.parent / "cgroup.subtree_control").write_text(f"+{kind}")
    with suppress(OSError):
        folder.mkdir()
        held = [kind for kind, values in settings.items() if _set(folder, values)]
        if held:
            return Group(2, dict.fromkeys(held, folder))
        folder.rmdir()
    return None


def _version_1(limits: Limits, root: Path, name: str) -> Group | None:
    settings: dict[str, dict[str, object]] = {
        "memory": {"memory.limit_in_bytes": limits.memory, "memory.memsw.limit_in_bytes": limits.memory},
        "pids": {"pids.max": limits.processes},
        "cpu": {"cpu.cfs_quota_us": limits.processors * _PERIOD, "cpu.cfs_period_us": _PERIOD},
        "cpuacct": {},
    }
    held = {}
    for kind, values in settings.items():
        folder = root / kind / name
        with suppress(OSError):
            folder.mkdir()
            if _set(folder, values):
                held[kind] = folder
            else:
                folder.rmdir()
    return Group(1, held) if held else None


def _set(folder: Path, values: Mapping[str, object]) -> bool:
    """Whether the first limit could be set; the others make it stricter and are not everywhere."""
    done = []
    for name, value in values.items():
        with suppress(OSError):
            (folder / name).write_text(str(value))
            done.append(name)
    return done[:1] == list(values)[:1]
