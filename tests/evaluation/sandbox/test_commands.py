"""The commands that start a sandbox, without any engine; and what is told of a run."""

import json
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cleaning.errors import FixfirstError
from evaluation.sandbox import bwrap, containers, seccomp, selftest
from evaluation.sandbox.bare import Bare
from evaluation.sandbox.cgroup import group_of, make_group
from evaluation.sandbox.host import Host, this_host
from evaluation.sandbox.job import INPUT, MIB, OUTPUT, Job, Limits, Mount
from evaluation.sandbox.run import run
from evaluation.sandbox.session import Session, Used

JOB = Job(
    ("python3", "/submission/p.py"), "ranking.txt", (Mount(Path("/data/set 1"), INPUT),), (("/unpacked", 1 << 30),)
)
ROOT = Host(
    True,
    61000,
    (Mount(Path("/usr"), "/usr"), Mount(Path("/home/a/venv"), "/home/a/venv")),
    (("/bin", "usr/bin"),),
    (("PATH", "/usr/bin"),),
    filter=7,
)


_ENDED = "echo started; echo ended;"


def together(words, *expected):
    """Whether the words appear next to each other."""
    size = len(expected)
    return any(tuple(words[start : start + size]) == expected for start in range(len(words)))


def test_root_makes_the_mounts_and_the_program_gets_a_user_of_its_own():
    words = bwrap.command(JOB, Limits(), ROOT)
    inside = words[words.index("--") :]
    assert inside[1:4] == ["setpriv", "--reuid=61000", "--regid=61000"]
    assert "--no-new-privs" in inside
    assert "--bounding-set=-all" in inside
    assert f"--fsize={1 << 30}" in inside
    for flag in ("--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--new-session", "--clearenv"):
        assert flag in words
    assert together(words, "--cap-drop", "ALL")
    assert together(words, "--seccomp", "7")
    assert "--unshare-user" not in words


def test_a_user_makes_a_user_namespace_and_no_more():
    words = bwrap.command(JOB, Limits(), Host(False, 1000, ROOT.mounts, ROOT.links, ROOT.variables))
    assert words[:4] == ["bwrap", "--unshare-all", "--unshare-user", "--disable-userns"]
    assert "setpriv" not in words
    assert "--seccomp" not in words
    assert not any(word.startswith("CAP_") for word in words)


def test_only_folders_in_memory_can_be_written_and_each_has_a_size():
    words = bwrap.command(JOB, Limits(), ROOT)
    assert "--bind" not in words
    assert together(words, "--ro-bind", "/data/set 1", INPUT)
    for place in ("/tmp", "/unpacked", OUTPUT, "/dev/shm"):
        assert words[words.index(place, words.index("--dev") + 2) - 3] == "--size"
    assert together(words, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir")
    assert together(words, "--perms", "0755", "--dir", "/home/a")


def test_it_joins_its_groups_and_keeps_to_its_processors_before_all_else():
    words = bwrap.command(JOB, Limits(), Host(True, 1, (), (), (), (Path("/g/cgroup.procs"),), "1"))
    assert words[:2] == ["sh", "-c"]
    assert words[4:6] == ["1", "/g/cgroup.procs"]
    assert words[6:10] == ["taskset", "--cpu-list", "1", "bwrap"]


@pytest.mark.parametrize("client", ["docker", "podman"])
def test_a_container_has_every_limit(client):
    words = containers.create_command(client, JOB, Limits(memory=512 * MIB), ROOT, "name", Path("/rules.json"))
    assert words[:3] == [client, "create", "--name=name"]
    expected = {
        *("--network=none", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--ipc=private"),
        *("--security-opt=seccomp=/rules.json", "--pids-limit=64", f"--memory={512 * MIB}", "--cpus=1"),
        *(f"--memory-swap={512 * MIB}", "--user=61000:61000", "--log-driver=none", "--ulimit=core=0", "--pull=never"),
        *("--volume=/data/set 1:/input:ro", "--volume=/usr:/usr:ro", "--entrypoint=/bin/sh"),
    }
    assert expected <= set(words)
    assert ("--read-only-tmpfs=false" in words) == (client == "podman")
    assert all("size=" in words[place + 1] for place, word in enumerate(words) if word == "--tmpfs")
    own = containers.create_command(client, Job(("rank",), "a", image="x"), Limits(), ROOT, "n", Path("/r"))
    assert "--volume=/usr:/usr:ro" not in own
    assert "--env=PATH=/usr/bin" not in own


def test_the_profile_says_the_same_as_the_filter():
    calls = json.loads(seccomp.profile())["syscalls"]
    names = {name for call in calls for name in call["names"]}
    assert {"mount", "ptrace", "bpf", "io_uring_setup", "clone3", "socket", "ioctl"} <= names
    assert all(call["action"] == "SCMP_ACT_ERRNO" for call in calls)
    assert {"index": 0, "op": "SCMP_CMP_GT", "value": 10, "valueTwo": 0} in [
        a for c in calls for a in c.get("args", [])
    ]


def test_the_environment_has_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    assert "SECRET_TOKEN" not in dict(this_host(Limits()).variables)
    assert "SECRET_TOKEN" not in containers._environment()


def test_a_group_of_cgroup_v1_limits_and_measures(tmp_path):
    for kind in ("memory", "cpu", "cpuacct"):
        (tmp_path / kind).mkdir()
    group = make_group(Limits(memory=64 * MIB, processors=2), tmp_path)
    assert group.enforced == ("memory: cgroup v1", "processors: cgroup v1")
    assert (group.folders["memory"] / "memory.limit_in_bytes").read_text() == str(64 * MIB)
    assert (group.folders["cpu"] / "cpu.cfs_quota_us").read_text() == "200000"
    (group.folders["memory"] / "memory.oom_control").write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    (group.folders["memory"] / "memory.max_usage_in_bytes").write_text("12345\n")
    (group.folders["cpuacct"] / "cpuacct.usage").write_text("2500000000\n")
    assert group.out_of_memory()
    assert (group.peak_memory(), group.cpu_seconds()) == (12345, 2.5)


def test_a_group_of_cgroup_v2_limits_and_measures(tmp_path):
    (tmp_path / "cgroup.controllers").write_text("memory pids cpu")
    group = make_group(Limits(processes=9), tmp_path)
    assert set(group.folders) == {"memory", "pids", "cpu"}
    folder = group.folders["pids"]
    assert (folder / "pids.max").read_text() == "9"
    assert (folder / "cpu.max").read_text() == "100000 100000"
    assert group.entrances == (folder / "cgroup.procs",)
    (folder / "memory.events").write_text("oom 1\noom_kill 0\n")
    (folder / "cpu.stat").write_text("usage_usec 1500000\n")
    assert not group.out_of_memory()
    assert (group.peak_memory(), group.cpu_seconds()) == (None, 1.5)


@pytest.mark.parametrize("version", [1, 2])
def test_the_group_of_a_container_is_known_by_its_limit(version, tmp_path):
    """Another process may have the same number where we are; with version 2, Podman makes a group inside of its own."""
    (tmp_path / "7").mkdir()
    memory = tmp_path / ("box" if version == 2 else "memory/box")
    memory.mkdir(parents=True)
    if version == 2:
        (tmp_path / "cgroup.controllers").write_text("memory cpu")
        (tmp_path / "7" / "cgroup").write_text("0::/box/container\n")
        (memory / "container").mkdir()
        (memory / "memory.max").write_text(f"{MIB}\n")
        (memory / "memory.events").write_text("oom 1\noom_kill 1\n")
        (memory / "memory.peak").write_text("12345\n")
        (memory / "cpu.stat").write_text("usage_usec 2500000\n")
    else:
        (tmp_path / "cpuacct" / "box").mkdir(parents=True)
        (tmp_path / "7" / "cgroup").write_text("4:memory:/box\n3:cpu,cpuacct:/box\n0::/\n")
        (memory / "memory.limit_in_bytes").write_text(f"{MIB}\n")
        (memory / "memory.oom_control").write_text("oom_kill 1\n")
        (memory / "memory.max_usage_in_bytes").write_text("12345\n")
        (tmp_path / "cpuacct" / "box" / "cpuacct.usage").write_text("2500000000\n")
    group = group_of(7, Limits(memory=MIB), tmp_path, tmp_path)
    assert group.used() == Used(2.5, 12345, True)
    assert group_of(7, Limits(memory=2 * MIB), tmp_path, tmp_path) is None
    assert group_of(8, Limits(memory=MIB), tmp_path, tmp_path) is None


def test_without_a_place_for_it_there_is_no_group(tmp_path):
    assert make_group(Limits(), tmp_path / "none") is None


class Scripted(Bare):
    """An engine whose sandbox is a shell script of ours."""

    def __init__(self, script, **changes):
        self.script, self.changes = script, changes

    @contextmanager
    def session(self, job, limits):
        kill = Bare().session(job, limits)
        with kill as usual:
            yield Session(
                ["sh", "-c", self.script], {"PATH": "/usr/bin:/bin"}, usual.kill, own_session=True, **self.changes
            )


@pytest.mark.parametrize(
    ("script", "verdict", "problem"),
    [
        (f"{_ENDED} echo ok; printf hello", "ok", ""),
        (f"{_ENDED} echo missing", "answer", "it ended without writing ranking.txt"),
        (
            "echo started; echo ended; echo odd",
            "answer",
            "what it left as ranking.txt is not a regular file that can be read",
        ),
        (f"{_ENDED} echo exit 3", "failed", "it ended with an error"),
        ("echo started; kill -9 $$", "failed", "it was killed before it ended"),
        ("echo started; sleep 30", "time", "it ran longer than the 1 seconds allowed"),
        ("echo bwrap: no >&2; exit 1", "not_run", "the sandbox could not be started, which is not the program's fault"),
        (
            "echo started; echo ended; echo ok; head -c 2000000 /dev/zero",
            "answer",
            "its answer is larger than the 1 MB allowed",
        ),
        ("sleep 30", "not_run", "the sandbox could not be started, which is not the program's fault"),
        ("exit 0", "not_run", "the sandbox could not be started, which is not the program's fault"),
    ],
)
def test_how_a_program_ends_decides_its_verdict(script, verdict, problem):
    outcome = run(JOB, Limits(seconds=1.0, answer=MIB), Scripted(script))
    assert (outcome.verdict, outcome.problem) == (verdict, problem)
    assert outcome.answer == (b"hello" if verdict == "ok" else None)


def test_an_image_cannot_blame_the_organiser():
    """Its own shell could keep silent and get a new try each time."""
    for script in ("exit 0", "sleep 30"):
        outcome = run(replace(JOB, image="x"), Limits(seconds=0.3), Scripted(script))
        assert outcome.verdict == "failed"


def test_memory_beats_time_beats_the_exit_status():
    limits = Limits(seconds=0.3)
    script = "echo started; sleep 5; echo exit 3"
    assert run(JOB, limits, Scripted(script, used=lambda: Used(out_of_memory=True))).verdict == "memory"
    assert run(JOB, limits, Scripted(script, memory=lambda _: limits.memory + 1)).verdict == "memory"
    assert run(JOB, limits, Scripted(script)).verdict == "time"
    assert run(JOB, limits, Scripted(script, crowded=lambda _: True)).verdict == "failed"


def test_what_was_used_is_looked_at_before_the_sandbox_ends():
    """The wrapper waits for it; whoever is stopped at a limit is looked at before."""
    looked = []
    waits = "echo started; echo ended; read -r _; echo missing"
    for script, verdict in ((waits, "answer"), ("echo started; sleep 9", "time")):
        job = run(JOB, Limits(seconds=0.3), Scripted(script, measure=lambda: looked.append(time.monotonic())))
        assert job.verdict == verdict
    assert len(looked) == 2


def test_a_long_log_keeps_its_beginning_and_its_end():
    script = f"echo first >&2; head -c 300000 /dev/zero | tr '\\0' x >&2; echo last >&2; {_ENDED} echo missing"
    log = run(JOB, Limits(log=1000), Scripted(script)).log
    assert log.startswith(b"first\nxxx")
    assert log.endswith(b"xxxlast\n")
    assert len(log) < 1100
    assert b"bytes left out" in log


def test_what_a_bare_run_writes_and_leaves(tmp_path):
    job = Job(("sh", "-c", 'echo hi >"$1"; echo "$0"', INPUT, f"{OUTPUT}/a"), "a", (Mount(tmp_path, INPUT),))
    outcome = run(job, Limits(), Bare())
    assert (outcome.answer, outcome.log.decode().strip(), outcome.engine) == (b"hi\n", str(tmp_path), "none")


class Absent(Bare):
    def missing(self):
        return "x not found"


def test_an_engine_that_does_not_hold_is_not_used():
    """A run without a sandbox must be caught by the probe; otherwise the probe is worth nothing."""
    reason = selftest.checked(Bare()).reason
    for hole in ("a connection to this machine", "a file outside", "the environment outside", "the processes outside"):
        assert hole in reason
    with pytest.raises(FixfirstError, match=r"none: x not found.*--trust"):
        selftest.chosen([Absent()])


@pytest.mark.parametrize(("client", "says"), [("docker", "false"), ("podman", "[]")])
def test_a_container_engine_that_ignores_the_limit_of_memory_is_not_used(client, says, tmp_path, monkeypatch):
    """As Podman does without root where there is cgroup v1."""
    (tmp_path / client).write_text(f"#!/bin/sh\necho '{says}'\n")
    (tmp_path / client).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "cannot limit memory here" in selftest.checked(containers.Container(client)).reason
