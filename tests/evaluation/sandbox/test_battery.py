"""Hostile programs: none gets out of a sandbox, and those that do no harm get out where there is none."""

import os
import pty
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.sandbox import bwrap
from evaluation.sandbox.bare import Bare
from evaluation.sandbox.job import MIB, OUTPUT, Job, Limits
from evaluation.sandbox.run import run
from evaluation.sandbox.selftest import checked
from tests.evaluation.sandbox.battery import HOSTILE, LIMITS, OWN, programs, traps, wanted
from tests.support import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not HOSTILE.is_dir(), reason=f"NOT TESTED: {HOSTILE} is not there"),
]

_TO_THE_END = {"flood", "outlive", "stop_itself"}
"""Programs that only the clock stops."""

_HARMLESS = [
    *("abstract_socket", "environment", "kill_others", "processes", "read_others", "tcp", "udp", "unix_socket"),
]
_HARMLESS_FOR_ROOT = ["chroot", "mount", "namespaces", "ptrace_organiser", "setuid", "shadow", "system_writes"]
"""These read or change nothing but themselves and what the tests made; the others are never run without a sandbox."""


@pytest.fixture(scope="module")
def trapped(tmp_path_factory):
    folder = tmp_path_factory.mktemp("traps")
    with traps(folder) as made:
        yield made


@pytest.mark.parametrize("program", [*programs(), OWN / "write_to_terminal.py"], ids=lambda path: path.stem)
def test_no_program_gets_out(engine, program, trapped):
    seconds = 1.0 if program.stem in _TO_THE_END else LIMITS.seconds
    found = trapped.run(program, engine, replace(LIMITS, seconds=seconds))
    assert found.escaped == []
    assert found.verdict in wanted(program), found.outcome


@pytest.mark.parametrize("name", [*_HARMLESS, *_HARMLESS_FOR_ROOT])
def test_without_a_sandbox_a_harmless_program_gets_out(name, trapped):
    if name in _HARMLESS_FOR_ROOT and os.geteuid() != 0:
        pytest.skip("only root can do this anyway")
    program = next(path for path in programs() if path.stem == name)
    assert trapped.run(program, Bare()).escaped


class Without(bwrap.Bwrap):
    """Bubblewrap without some of its flags."""

    def __init__(self, monkeypatch, *flags, user=True, filtered=True):
        original = bwrap.command

        def fewer(job, limits, host):
            words = original(job, limits, host if filtered else replace(host, filter=None))
            if not user:
                start = words.index("setpriv")
                del words[start : words.index("prlimit")]
            return [word for word in words if word not in flags]

        monkeypatch.setattr(bwrap, "command", fewer)


@pytest.mark.parametrize(
    ("dropped", "name"),
    [
        (["--unshare-net"], "tcp"),
        (["--unshare-net"], "abstract_socket"),
        (["--unshare-pid"], "processes"),
        ("user", "system_writes"),
        ("filter", "namespaces"),
    ],
    ids=str,
)
def test_every_flag_is_needed(dropped, name, engine, trapped, monkeypatch):
    if engine.name != "bwrap" or os.geteuid() != 0:
        pytest.skip("the flags are those of root's bubblewrap")
    if dropped == "user":
        weak = Without(monkeypatch, user=False)
    elif dropped == "filter":
        weak = Without(monkeypatch, filtered=False)
    else:
        weak = Without(monkeypatch, *dropped)
    program = next(path for path in programs() if path.stem == name)
    assert trapped.run(program, weak).escaped
    assert checked(weak).reason is not None, "the self-test does not notice"


def _on_a_terminal(drop=()):
    """What appears on a terminal while a program runs in bubblewrap that writes to it."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", _RUN, *drop, "bwrap", "write_to_terminal.py", "terminal"])
    shown = b""
    try:
        while block := os.read(terminal, 4096):
            shown += block
    except OSError:  # the terminal ends with its last process
        pass
    os.close(terminal)
    os.waitpid(child, 0)
    return shown


_RUN = """
import sys
from pathlib import Path
from evaluation.sandbox import bwrap
from evaluation.sandbox.job import *
from evaluation.sandbox.run import run
from evaluation.sandbox.selftest import engines

*drop, name, program, mark = sys.argv[1:]
original = bwrap.command
bwrap.command = lambda *words: [word for word in original(*words) if word not in drop]
engine = next(one for one in engines() if one.name == name)
mounts = (Mount(Path("tests/evaluation/sandbox/programs").resolve() / program, SUBMISSION + "/p.py"),)
run(Job(("python3", SUBMISSION + "/p.py", mark, OUTPUT), "ranking.txt", mounts), Limits(seconds=20), engine)
"""
"""Runs one of our programs in a process of its own; the flags to leave out come first, then the engine."""


def test_the_terminal_of_the_organiser_is_out_of_reach(engine):
    if engine.name != "bwrap":
        pytest.skip("the client of a container engine never gives its terminal away")
    assert b"ESCAPED" not in _on_a_terminal()


def test_without_a_new_session_the_terminal_is_in_reach(engine):
    if engine.name != "bwrap":
        pytest.skip("a flag of bubblewrap")
    assert b"ESCAPED terminal" in _on_a_terminal(["--new-session"])


def _organiser(engine, mark, drop=()):
    """A process that has a program running which never ends."""
    command = [sys.executable, "-c", _RUN, *drop, engine.name, "outlive_the_organiser.py", mark]
    organiser = subprocess.Popen(command, cwd=ROOT)
    assert _until(lambda: _programs(mark))
    return organiser


def test_the_sandbox_ends_with_the_organiser(engine):
    mark = f"outlive-{os.getpid()}"
    organiser = _organiser(engine, mark)
    organiser.kill()
    organiser.wait()
    assert _until(lambda: not _programs(mark))
    if engine.name != "bwrap":
        left = [engine.name, "ps", "--all", "--quiet", "--filter", f"name=fixfirst-run-{organiser.pid}-"]
        assert _until(lambda: not subprocess.run(left, check=True, capture_output=True).stdout)


def test_without_its_flag_the_sandbox_outlives_the_organiser(engine):
    if engine.name != "bwrap":
        pytest.skip("a flag of bubblewrap")
    mark = f"outlive-{os.getpid()}-without"
    organiser = _organiser(engine, mark, ["--die-with-parent"])
    organiser.kill()
    organiser.wait()
    time.sleep(0.3)
    assert _programs(mark)
    for number in _programs(mark):
        os.kill(number, signal.SIGKILL)


@pytest.mark.parametrize(("script", "verdict"), [("exit 0", "ok"), ("python3 -c 'bytearray(300 << 20)'", "memory")])
def test_every_engine_tells_what_was_used(engine, script, verdict):
    """Also where a child alone met the limit and the program went on, and where a program ended at once."""
    job = Job(("sh", "-c", f"({script}); echo 0 >{OUTPUT}/a"), "a")
    outcome = run(job, Limits(memory=200 * MIB, seconds=60.0), engine)
    assert outcome.verdict == verdict
    if engine.name != "bwrap" or os.geteuid() == 0:
        assert 0 < outcome.peak_memory <= 200 * MIB
        assert 0 < outcome.cpu_seconds < 60


def _programs(mark):
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:1] == [b"python3"] and mark.encode() in words:
            found.append(int(entry.name))
    return found


def _until(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False
