"""What is done to a command, and what must hold afterwards."""

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.cli import main
from tests.crash.scenarios import SCENARIOS, leftovers, start, state


@dataclass
class Tally:
    """How often a command was treated in a way, and what went wrong. note: why it was not."""

    trials: int = 0
    faults: list[str] = field(default_factory=list)
    note: str = ""


@dataclass
class Bench:
    """One command, its starting point, and the state of a run that nothing disturbed."""

    name: str
    base: Path
    folder: Path
    wanted: dict[str, object] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        start(self.base, self.folder / "start", SCENARIOS[self.name])
        place = self.fresh()
        began = time.monotonic()
        status, text = wait(self.begin(place))
        self.seconds = time.monotonic() - began
        if status:
            raise AssertionError(f"{self.name} fails without any disturbance: {text}")
        self.wanted = state(place)

    def fresh(self, place: Path | None = None) -> Path:
        """A new copy of the starting point. Always at the same path, because some files name it."""
        place = place or self.folder / "trial"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.folder / "start", place, dirs_exist_ok=True)
        return place

    def begin(self, place: Path, before: Callable[[], object] = lambda: None) -> "Child":
        """Starts the command in a process of its own, which does not have to import anything."""
        return Child(SCENARIOS[self.name].arguments(place), before)

    def complete(self, place: Path, tally: Tally, what: str) -> None:
        """Runs the command once more; everything must then be as if nothing had happened."""
        tally.trials += 1
        status, text = wait(self.begin(place))
        found = state(place)
        if status and not (self.name == "example" and "already exists" in text):
            tally.faults.append(f"{what}: the next run fails: {text.strip()[-300:]}")
        elif found != self.wanted:
            odd = [name for name in {*found, *self.wanted} if found.get(name) != self.wanted.get(name)]
            tally.faults.append(f"{what}: these files differ: {', '.join(sorted(odd))}")
        if leftovers(place):
            tally.faults.append(f"{what}: left behind: {', '.join(leftovers(place))}")


class Child:
    """A forked process that runs a command, its output in a pipe."""

    def __init__(self, arguments: list[str], before: Callable[[], object]) -> None:
        self.output, own = os.pipe()
        self.id = os.fork()
        if not self.id:
            os.dup2(own, 1)
            os.dup2(own, 2)
            self._run(arguments, before)
        os.close(own)

    def _run(self, arguments: list[str], before: Callable[[], object]) -> None:
        status = 99
        try:
            sys.stdout = os.fdopen(1, "w", closefd=False)
            sys.stderr = os.fdopen(2, "w", closefd=False)
            before()
            status = main(arguments)
            sys.stdout.flush()
        except BaseException:
            os.write(2, traceback.format_exc().encode())
        finally:
            os._exit(status)


def wait(child: Child) -> tuple[int, str]:
    """The exit status (negative: the signal that ended it) and the output."""
    with os.fdopen(child.output) as output:
        text = output.read()
    return os.waitstatus_to_exitcode(os.waitpid(child.id, 0)[1]), text


def kills(bench: Bench, count: int, rng: random.Random) -> Tally:
    """Killed at random moments, sometimes twice in a row."""
    tally = Tally()
    for number in range(count):
        place = bench.fresh()
        for _ in range(rng.choice([1, 1, 2])):
            child = bench.begin(place)
            time.sleep(rng.uniform(0, bench.seconds))
            os.kill(child.id, signal.SIGKILL)
            wait(child)
        bench.complete(place, tally, f"kill {number}")
    return tally


def pairs(bench: Bench, count: int) -> Tally:
    """Two at once."""
    tally = Tally()
    for number in range(count):
        place = bench.fresh()
        children = [bench.begin(place) for _ in range(2)]
        for status, text in map(wait, children):
            if status and not (bench.name == "example" and "error: " in text):
                tally.faults.append(f"two at once {number}: {text.strip()[-300:]}")
        bench.complete(place, tally, f"two at once {number}")
    return tally


def small_files(bench: Bench, sizes: list[int]) -> Tally:
    """No file may grow beyond a size: every write of more fails half-way, as on a full disk."""
    tally = Tally()
    for size in sizes:
        place = bench.fresh()
        before = state(place)

        def limited(size: int = size) -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

        _failed_well(bench, place, before, tally, f"files of {size} bytes", limited)
        bench.complete(place, tally, f"files of {size} bytes")
    return tally


def full_disks(bench: Bench, rooms: list[int]) -> Tally:
    """On a disk with little room, which is enlarged afterwards."""
    tally = Tally()
    used = sum(-(-path.stat().st_size // 4096) * 4096 + 4096 for path in (bench.folder / "start").rglob("*"))
    for room in rooms:
        with _disk(bench.folder / "trial", used + room) as place:
            if place is None:
                return Tally(note="no disk can be mounted here")
            bench.fresh(place)
            before = state(place)
            _failed_well(bench, place, before, tally, f"{room} bytes left")
            _mount("-o", "remount,size=1g", str(place))
            bench.complete(place, tally, f"{room} bytes left")
    return tally


def read_only(bench: Bench) -> Tally:
    """On a disk that cannot be written to, and then can."""
    tally = Tally()
    with _disk(bench.folder / "trial", 1 << 30) as place:
        if place is None:
            return Tally(note="no disk can be mounted here")
        bench.fresh(place)
        before = state(place)
        _mount("-o", "remount,ro", str(place))
        _failed_well(bench, place, before, tally, "read-only")
        _mount("-o", "remount,rw", str(place))
        bench.complete(place, tally, "read-only")
    return tally


def _failed_well(
    bench: Bench,
    place: Path,
    before: dict[str, object],
    tally: Tally,
    what: str,
    limit: Callable[[], object] = lambda: None,
) -> None:
    """Runs the command where it may fail: in one sentence, and without changing a file that was there."""
    status, text = wait(bench.begin(place, limit))
    if "Traceback" in text or "fixfirst itself failed" in text:
        tally.faults.append(f"{what}: {text.strip()[-400:]}")
    if status and not any(line.startswith(("error: ", "warning: ")) for line in text.splitlines()):
        tally.faults.append(f"{what}: it fails (status {status}) and does not say why: {text.strip()[-300:]}")
    after = state(place)
    lost = [
        name
        for name, content in before.items()
        if not name.endswith(".jsonl") and not name.startswith("w/results/") and after.get(name) != content
    ]
    if lost:
        tally.faults.append(f"{what}: changed or lost: {', '.join(lost)}")


@contextmanager
def _disk(place: Path, size: int) -> Iterator[Path | None]:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    if not _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)):
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def _mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0


def table(tallies: dict[str, dict[str, Tally]]) -> str:
    """One line per command: trials and faults of each treatment."""
    kinds = list(next(iter(tallies.values())))
    lines = [f"{'command':18}" + "".join(f"{kind:>20}" for kind in kinds)]
    for name, found in tallies.items():
        cells = [(one.note and "not tried") or f"{one.trials} tried, {len(one.faults)} bad" for one in found.values()]
        lines.append(f"{name:18}" + "".join(f"{cell:>20}" for cell in cells))
    return "\n".join(lines)
