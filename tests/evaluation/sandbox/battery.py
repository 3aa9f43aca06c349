"""Runs hostile programs and does not believe what they print: listeners, a victim and places outside are watched."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from evaluation.sandbox.job import INPUT, MIB, OUTPUT, SUBMISSION, Job, Limits, Mount, Outcome
from evaluation.sandbox.run import run
from tests.support import SHARED

HOSTILE = SHARED / "cases" / "hostile"
OWN = Path(__file__).parent / "programs"
ROWS = 300
LIMITS = Limits(seconds=30.0, memory=512 * MIB)
SECRET = "secret-8c1d52f0a7"
MARK = "hostile-was-here"
_PLACES = ("/etc", "/usr/lib", "/usr/local/bin", "/var/tmp", "/root", "/home", "/opt", "/run")


def programs() -> list[Path]:
    """The battery, and our own programs; empty where neither is there."""
    return sorted(path for path in HOSTILE.glob("*.*") if path.suffix in (".py", ".sh") and path.stem != "h")


@dataclass
class Found:
    """What came of a program. escaped: its own lines about holes, and what our traps noticed."""

    outcome: Outcome
    verdict: str
    escaped: list[str]


@dataclass
class Traps:
    """A machine worth attacking, in a folder of the tests."""

    folder: Path
    known: dict[str, object] = field(default_factory=dict)
    hits: dict[str, int] = field(default_factory=dict)

    def run(self, program: Path, engine, limits: Limits = LIMITS) -> Found:
        before = dict(self.hits)
        with self._victim() as victim:
            outcome = run(self.job(program, victim.pid), limits, engine)
            tripped = [] if victim.poll() is None else ["the victim was killed"]
        lines = outcome.log.decode(errors="replace").splitlines()
        escaped = [line for line in lines if line.startswith("ESCAPED")]
        tripped += [f"something arrived by {name}" for name in self.hits if self.hits[name] != before[name]]
        tripped += [f"{path} was written" for path in self._written()]
        if SECRET in outcome.log.decode(errors="replace") or SECRET.encode() in (outcome.answer or b""):
            tripped.append("the secret was seen")
        tripped += [f"process {number} is left" for number in self._left()]
        return Found(outcome, self._verdict(outcome), escaped + tripped)

    def job(self, program: Path, victim: int) -> Job:
        place = self.folder / "submission"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (self.folder / "others").chmod(0o700)
        name = f"rank{program.suffix}"
        shutil.copy(program, place / name)
        if HOSTILE.is_dir():
            shutil.copy(HOSTILE / "h.py", place)
        (place / "canary.json").write_text(json.dumps({**self.known, "victim": victim}))
        mounts = (Mount(place, SUBMISSION), Mount(self.folder / "input", INPUT))
        with_what = "python3" if program.suffix == ".py" else "sh"
        return Job((with_what, f"{SUBMISSION}/{name}", INPUT, OUTPUT, self.token), "ranking.txt", mounts)

    @property
    def token(self) -> str:
        return str(self.known["token"])

    def _verdict(self, outcome: Outcome) -> str:
        if outcome.answer is None:
            return outcome.verdict
        try:
            rows = sorted(int(line) for line in outcome.answer.decode("ascii").splitlines())
        except ValueError:
            return "answer"
        return "ok" if rows == list(range(ROWS)) else "answer"

    def _written(self) -> list[Path]:
        outside = Path(str(self.known["outside"]))
        found = [Path(place, MARK) for place in (*_PLACES, self.folder / "submission", self.folder / "input")]
        found = [path for path in found if _is_there(path)] + list(outside.iterdir())
        for path in found:
            path.unlink()
        return found

    def _left(self) -> list[int]:
        left = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    line = (entry / "cmdline").read_bytes()
                except OSError:
                    continue
                if self.token.encode() in line and b"/rank." in line:
                    left.append(int(entry.name))
                    os.kill(int(entry.name), 9)
        return left

    @contextmanager
    def _victim(self) -> Iterator[subprocess.Popen]:
        code = "import time; time.sleep(60)"
        victim = subprocess.Popen([sys.executable, "-c", code, "fixfirst-canary-process"])
        try:
            yield victim
        finally:
            victim.kill()
            victim.wait()


@contextmanager
def traps(folder: Path) -> Iterator[Traps]:
    """The traps, listening."""
    for name in ("truth", "others", "outside", "input"):
        (folder / name).mkdir()
    truth = folder / "truth" / "truth-of-the-tests.csv"
    truth.write_text(SECRET)
    truth.chmod(0o600)
    (folder / "others" / "their_ranking.txt").write_text("1\n")
    (folder / "input" / "train.txt").write_text("".join(f"{row}\n" for row in range(ROWS)))
    token = f"token{os.getpid()}"
    made = Traps(folder)
    tcp, udp = socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    abstract, unix = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0{token}")
    path = f"/tmp/{token}.sock"
    unix.bind(path)
    Path(path).chmod(0o777)
    listeners = {"tcp": tcp, "udp": udp, "abstract": abstract, "unix": unix}
    for name, listener in listeners.items():
        made.hits[name] = 0
        if name != "udp":
            listener.listen()
        threading.Thread(target=_count, args=(listener, name, made.hits), daemon=True).start()
    made.known = {
        "token": token,
        "rows": ROWS,
        "tcp": tcp.getsockname()[1],
        "udp": udp.getsockname()[1],
        "abstract": token,
        "unix": path,
        "truth": str(truth),
        "others": str(folder / "others"),
        "outside": str(folder / "outside"),
        "secret": SECRET,
        "env": "FIXFIRST_CANARY",
        "pidns": str(Path("/proc/self/ns/pid").readlink()),
    }
    os.environ["FIXFIRST_CANARY"] = SECRET
    try:
        yield made
    finally:
        del os.environ["FIXFIRST_CANARY"]
        for listener in listeners.values():
            if listener is not udp:
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        Path(path).unlink()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return False


def _count(listener: socket.socket, name: str, hits: dict[str, int]) -> None:
    while True:
        try:
            if name == "udp":
                listener.settimeout(0.2)
                listener.recvfrom(10)
            else:
                listener.accept()[0].close()
        except TimeoutError:
            continue
        except OSError:
            return
        hits[name] += 1


def wanted(program: Path) -> list[str]:
    """The verdicts that the program's first lines allow."""
    found = re.search(r"^# verdict: (.*)$", program.read_text(errors="replace"), re.MULTILINE)
    assert found is not None, program
    return found[1].replace("output", "answer").split(" or ")
